"""Statements: the lines of one party and period with their totals."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from .lines import UNITS, Line, pricing_quantity
from .money import EXACT, rounded
from .tariff import Meter

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class MeterSum:
    """One meter over many lines; `amount` is exact and None where one of them is Unpriced."""

    meter: Meter
    model: str
    quantity: int
    pricing_quantity: Decimal
    unit: str
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class Statement:
    """The lines of an account, a node or both (None: of all) whose interval ends in [start, end).

    `total` is `exact_total`, the sum of all priced lines, to the currency's smallest coin, half to even; `adjustment`
    is the difference. While `unpriced` is not 0 the total is not what is owed, only what can be priced.
    """

    account: str | None
    node: str | None
    start: datetime
    end: datetime
    currency: str
    lines: tuple[Line, ...]
    meters: tuple[MeterSum, ...]
    exact_total: Decimal
    total: Decimal
    adjustment: Decimal
    unpriced: int


def make_statement(
    lines: Iterable[Line],
    *,
    account: str | None = None,
    node: str | None = None,
    start: datetime,
    end: datetime,
    currency: str,
) -> Statement:
    """The statement of these lines, in an order that does not depend on theirs.

    Raises ValueError for a line in another currency.
    """
    ordered = tuple(sorted(lines, key=lambda line: line.usage.order))
    exact = _ZERO
    for line in ordered:
        if line.currency != currency:
            raise ValueError(f"a line in {line.currency} in a statement in {currency}")
        if line.amount is not None:
            exact = EXACT.add(exact, line.amount)
    total = rounded(exact, currency)
    return Statement(
        account=account,
        node=node,
        start=start,
        end=end,
        currency=currency,
        lines=ordered,
        meters=meter_sums(ordered),
        exact_total=exact,
        total=total,
        adjustment=EXACT.subtract(total, exact),
        unpriced=sum(line.amount is None for line in ordered),
    )


def meter_sums(lines: Iterable[Line]) -> tuple[MeterSum, ...]:
    """The lines summed by meter and model, in the order of meter and model."""
    quantities: dict[tuple[Meter, str], int] = {}
    amounts: dict[tuple[Meter, str], Decimal | None] = {}
    for line in lines:
        key = (line.usage.meter, line.usage.model)
        quantities[key] = quantities.get(key, 0) + line.usage.quantity
        before = amounts.get(key, _ZERO)
        amounts[key] = None if before is None or line.amount is None else EXACT.add(before, line.amount)
    return tuple(
        MeterSum(
            meter=meter,
            model=model,
            quantity=quantity,
            pricing_quantity=pricing_quantity(meter, quantity),
            unit=UNITS[meter][0],
            amount=amounts[meter, model],
        )
        for (meter, model), quantity in sorted(quantities.items())
    )
