"""Lines: resource-time that was booked, and what it costs under the tariff in force when it was dispatched."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from isthmus.api.computenode import Identity, Tariff
from isthmus.api.dispatch import JobReference

from .money import EXACT, ROUNDING
from .tariff import Meter, price_of

PRICING_DIGITS = 12
UNITS: dict[Meter, tuple[str, int]] = {
    "MillicoreSeconds": ("core-second", 1000),
    "MebibyteSeconds": ("GiB-second", 1024),
    "MilliGPUSeconds": ("GPU-second", 1000),
}
"""By meter: the unit that prices are for, and how many of the meter's whole units make one."""

_STEP = Decimal(1).scaleb(-PRICING_DIGITS)

UnpricedReason = Literal["NoTariff", "UnknownTariff", "NoPrice", "CurrencyMismatch"]


@dataclass(frozen=True, slots=True)
class Usage:
    """Resource-time of one meter that one booking added: an interval of one shard, half-open."""

    account: str
    node: str
    identity: Identity | None
    job: JobReference
    dispatch_uid: str
    attempt: int
    sequence: int
    start: datetime
    end: datetime
    estimated: bool
    meter: Meter
    model: str
    quantity: int

    @property
    def order(self) -> tuple[str, str, str, str, str, str, int, str, str]:
        """The place in a statement: it depends on what was used, never on when it was booked."""
        job = self.job
        return (
            self.account,
            self.node,
            job.namespace,
            job.name,
            job.uid,
            self.dispatch_uid,
            self.sequence,
            self.meter,
            self.model,
        )


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a statement. `amount` is exact, and None where the usage is Unpriced: never zero for want of a price."""

    usage: Usage
    pricing_quantity: Decimal
    unit: str
    unit_price: Decimal | None
    currency: str
    amount: Decimal | None
    unpriced_reason: UnpricedReason | None
    tariff_version: str
    tariff_digest: str


def pricing_quantity(meter: Meter, quantity: int) -> Decimal:
    """The quantity in the unit that prices are for, to 12 decimals, half to even.

    1/1000 has 3 decimals and 1/1024 has 10, so nothing is lost: differences priced one by one sum to the price of
    their sum.
    """
    _, size = UNITS[meter]
    return ROUNDING.divide(Decimal(quantity), Decimal(size)).quantize(_STEP, context=ROUNDING)


def amount_of(meter: Meter, quantity: int, price: Decimal) -> Decimal:
    """Pricing quantity times price, exact."""
    return EXACT.multiply(pricing_quantity(meter, quantity), price)


def unit_price(
    meter: Meter, model: str, *, tariff: Tariff | None, digest: str | None, currency: str
) -> tuple[Decimal | None, UnpricedReason | None]:
    """The price in `currency`, or the reason why there is none.

    `digest` names the tariff that the shard was dispatched under (None: there was none); `tariff` is its content
    (None: it is not known).
    """
    if digest is None:
        return None, "NoTariff"
    if tariff is None:
        return None, "UnknownTariff"
    if tariff.currency != currency:
        return None, "CurrencyMismatch"
    price = price_of(tariff, meter, model)
    return price, None if price is not None else "NoPrice"


def price_line(usage: Usage, *, tariff: Tariff | None, digest: str | None, currency: str) -> Line:
    """The usage as a line in `currency`; for `tariff` and `digest` see `unit_price`."""
    price, reason = unit_price(usage.meter, usage.model, tariff=tariff, digest=digest, currency=currency)
    quantity = pricing_quantity(usage.meter, usage.quantity)
    return Line(
        usage=usage,
        pricing_quantity=quantity,
        unit=UNITS[usage.meter][0],
        unit_price=price,
        currency=currency,
        amount=None if price is None else EXACT.multiply(quantity, price),
        unpriced_reason=reason,
        tariff_version=tariff.version if tariff else "",
        tariff_digest=digest or "",
    )
