"""Exact decimal arithmetic and the coins of currencies.

Amounts are never rounded on the way: the contexts here are wide enough for any quantity times any price, and one that
would have to round raises instead.
"""

from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow

# 19 digits of quantity, 13 + 12 digits of price, 10 more of the unit, and sums of very many of them.
EXACT = Context(prec=120, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
"""Raises `decimal.Inexact` where a result would be rounded."""

ROUNDING = Context(prec=120, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, Overflow])
"""Rounds half to even; for the few places that round on purpose."""

DEFAULT_COIN_DIGITS = 2
# Minor units of ISO 4217 where they are not two digits.
_CURRENCIES_BY_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
COIN_DIGITS = {currency: digits for digits, codes in _CURRENCIES_BY_DIGITS.items() for currency in codes.split()}

STATUS_DIGITS = 18
"""Decimals that an amount in an object's status may have."""


def coin_digits(currency: str) -> int:
    """Decimals of the currency's smallest coin (ISO 4217 minor unit)."""
    return COIN_DIGITS.get(currency, DEFAULT_COIN_DIGITS)


def rounded(amount: Decimal, currency: str) -> Decimal:
    """The amount to the currency's smallest coin, half to even, with all its decimals written."""
    return amount.quantize(Decimal(1).scaleb(-coin_digits(currency)), context=ROUNDING)


def amount_text(amount: Decimal) -> str:
    """The amount as an object's status carries it: plain, without idle zeros, at most 18 decimals."""
    return plain(amount.quantize(Decimal(1).scaleb(-STATUS_DIGITS), context=ROUNDING))


def plain(value: Decimal) -> str:
    """The exact value in plain notation without idle zeros: 1.50 is 1.5, 1E+3 is 1000, -0 is 0."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
