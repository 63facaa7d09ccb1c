"""Tariffs: their digest, whether one is in force, and which price it sets for a meter."""

import hashlib
import json
from datetime import datetime
from decimal import Decimal
from typing import Literal, NamedTuple

from isthmus.api.computenode import Tariff
from isthmus.api.instants import instant, instant_text

from .money import EXACT, ROUNDING, plain

Meter = Literal["MillicoreSeconds", "MebibyteSeconds", "MilliGPUSeconds"]
ANY_MODEL = "*"
SUMMARY_LIMIT = 128
_HOUR = Decimal(3600)


class TariffState(NamedTuple):
    """Whether the tariff prices work now; the reason for machines and the message for people."""

    ok: bool
    reason: Literal["Current", "NoTariff", "NotYetValid", "Expired", "CurrencyMismatch"]
    message: str


def canonical_tariff(tariff: Tariff, node: str, identity_code: str) -> str:
    """The tariff as canonical JSON: sorted keys, no white space, prices and instants in one form each.

    Two price lists that charge the same under the same version give the same text. Raises ValueError where an instant
    is none.
    """
    prices = tariff.prices
    content = {
        "currency": tariff.currency,
        "identityCode": identity_code,
        "node": node,
        "prices": {
            "coreSecond": plain(Decimal(prices.core_second)),
            "gibibyteSecond": plain(Decimal(prices.gibibyte_second)),
            "gpuSecond": [
                {"model": each.model, "price": plain(Decimal(each.price))}
                for each in sorted(prices.gpu_second, key=lambda each: each.model)
            ],
        },
        "validFrom": instant_text(instant(tariff.valid_from)) if tariff.valid_from else None,
        "validUntil": instant_text(instant(tariff.valid_until)) if tariff.valid_until else None,
        "version": tariff.version,
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def tariff_digest(tariff: Tariff, node: str, identity_code: str) -> str:
    """SHA-256 of the canonical tariff, 64 hexadecimal digits: the name under which it prices work."""
    return hashlib.sha256(canonical_tariff(tariff, node, identity_code).encode()).hexdigest()


def price_of(tariff: Tariff, meter: Meter, model: str) -> Decimal | None:
    """The price of one unit (core-second, GiB-second, GPU-second), or None where the tariff sets none.

    For accelerators the price of exactly that model counts, then the one of any model (`*`).
    """
    if meter == "MillicoreSeconds":
        return Decimal(tariff.prices.core_second)
    if meter == "MebibyteSeconds":
        return Decimal(tariff.prices.gibibyte_second)
    by_model = {each.model: each.price for each in tariff.prices.gpu_second}
    price = by_model.get(model, by_model.get(ANY_MODEL))
    return None if price is None else Decimal(price)


def tariff_state(tariff: Tariff | None, now: datetime, hub_currency: str) -> TariffState:
    """Whether the tariff prices work at `now` (aware) in the hub's billing currency. Validity is half-open."""
    if tariff is None:
        return TariffState(
            ok=False, reason="NoTariff", message="no prices: set spec.tariff, or nothing can be billed here"
        )
    if tariff.currency != hub_currency:
        return TariffState(
            ok=False,
            reason="CurrencyMismatch",
            message=f"tariff {tariff.version} is in {tariff.currency}, the hub bills in {hub_currency}: "
            f"state spec.tariff in {hub_currency}",
        )
    if tariff.valid_from and now < instant(tariff.valid_from):
        return TariffState(
            ok=False,
            reason="NotYetValid",
            message=f"tariff {tariff.version} is valid from {tariff.valid_from}: "
            "wait, or set an earlier spec.tariff.validFrom",
        )
    if tariff.valid_until and now >= instant(tariff.valid_until):
        return TariffState(
            ok=False,
            reason="Expired",
            message=f"tariff {tariff.version} was valid until {tariff.valid_until}: "
            "put in a new version with a later spec.tariff.validUntil",
        )
    return TariffState(ok=True, reason="Current", message=f"tariff {tariff.version} in {tariff.currency} is in force")


def price_summary(tariff: Tariff) -> str:
    """The tariff in a word, per hour, with its cheapest GPU: `CNY 0.18/core-h 9.60/GPU-h`."""
    parts = [tariff.currency, f"{_hourly(Decimal(tariff.prices.core_second))}/core-h"]
    if tariff.prices.gpu_second:
        cheapest = min(Decimal(each.price) for each in tariff.prices.gpu_second)
        parts.append(f"{_hourly(cheapest)}/GPU-h")
    return " ".join(parts)[:SUMMARY_LIMIT]


def _hourly(per_second: Decimal) -> str:
    """The price of an hour with two decimals, or with three significant digits where two decimals say too little."""
    hour = EXACT.multiply(per_second, _HOUR)
    digits = max(2, 2 - hour.adjusted()) if hour else 2
    text = plain(hour.quantize(Decimal(1).scaleb(-digits), context=ROUNDING))
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.ljust(2, '0')}"
