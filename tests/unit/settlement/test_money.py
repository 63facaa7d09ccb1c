from decimal import Decimal, Inexact
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.settlement.lines import UNITS, amount_of, pricing_quantity
from isthmus.settlement.money import EXACT, amount_text, coin_digits, plain, rounded
from isthmus.settlement.tariff import Meter

QUANTITIES = st.integers(min_value=0, max_value=2**63 - 1)
METERS = st.sampled_from(list(UNITS))
PRICES = st.decimals(min_value=0, max_value=10**13 - 1, places=12)


@pytest.mark.parametrize(
    ("currency", "amount", "total"),
    [
        ("CNY", "1.005", "1.00"),
        ("CNY", "1.015", "1.02"),
        ("CNY", "1.0050000000000000000000000000000001", "1.01"),
        ("CNY", "3", "3.00"),
        ("JPY", "0.5", "0"),
        ("JPY", "1.5", "2"),
        ("KRW", "1234.4999", "1234"),
        ("KWD", "0.0005", "0.000"),
        ("BHD", "0.0015", "0.002"),
        ("UYW", "0.00005", "0.0000"),
        ("XYZ", "0.126", "0.13"),
    ],
    ids=lambda value: str(value)[:12],
)
def test_rounded(currency: str, amount: str, total: str) -> None:
    """A total has its currency's smallest coin, half to even, and shows all its decimals."""
    assert format(rounded(Decimal(amount), currency), "f") == total
    assert len(total.partition(".")[2]) == coin_digits(currency)


@pytest.mark.parametrize(
    ("value", "text"),
    [("1.50", "1.5"), ("1E+3", "1000"), ("0.000", "0"), ("-0.0", "0"), ("1E-12", "0.000000000001"), ("-3.10", "-3.1")],
)
def test_plain(value: str, text: str) -> None:
    """Equal values have one text, without exponents and idle zeros."""
    assert plain(Decimal(value)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0.0161138718750000000", "0.016113871875"),
        ("12345678901234567.1234567890123456785", "12345678901234567.123456789012345678"),
        ("0.0000000000000000001", "0"),
        ("-2.5", "-2.5"),
    ],
)
def test_amount_text(value: str, text: str) -> None:
    """An amount for a status has at most 18 decimals, half to even."""
    assert amount_text(Decimal(value)) == text


def test_exact_refuses_to_round() -> None:
    """Arithmetic on amounts raises where it would lose a digit."""
    with pytest.raises(Inexact):
        EXACT.divide(Decimal(1), Decimal(3))


@given(METERS, QUANTITIES)
def test_pricing_quantity_is_exact(meter: Meter, quantity: int) -> None:
    """From a meter's unit to the unit of its price nothing is lost, up to 64 bits, in 12 decimals."""
    converted = pricing_quantity(meter, quantity)
    assert Fraction(converted) == Fraction(quantity, UNITS[meter][1])
    assert converted.as_tuple().exponent == -12


@given(METERS, QUANTITIES, PRICES)
def test_amount_is_exact(meter: Meter, quantity: int, price: Decimal) -> None:
    """An amount is the exact product of quantity and price, whatever their sizes."""
    assert Fraction(amount_of(meter, quantity, price)) == Fraction(quantity, UNITS[meter][1]) * Fraction(price)


@given(METERS, st.lists(st.integers(0, 2**55), max_size=30), PRICES)
def test_differences_sum_to_the_whole(meter: Meter, parts: list[int], price: Decimal) -> None:
    """However a quantity is divided over lines, their amounts sum to the price of the whole."""
    total = Decimal(0)
    for part in parts:
        total = EXACT.add(total, amount_of(meter, part, price))
    assert total == amount_of(meter, sum(parts), price)
