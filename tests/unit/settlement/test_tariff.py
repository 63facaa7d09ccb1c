import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.api.computenode import ModelPrice, Prices, Tariff
from isthmus.api.instants import instant, instant_text
from isthmus.settlement.tariff import (
    Meter,
    canonical_tariff,
    price_of,
    price_summary,
    tariff_digest,
    tariff_state,
)

PRICES = st.decimals(min_value=0, max_value=10**13 - 1, places=12)


def tariff(
    core: str = "0.00005",
    gibibyte: str = "0.00001",
    gpu: dict[str, str] | None = None,
    *,
    version: str = "2026-11",
    currency: str = "CNY",
    valid_from: str | None = None,
    valid_until: str | None = None,
) -> Tariff:
    """A tariff with what a test doesn't care for filled in."""
    return Tariff(
        version=version,
        currency=currency,
        valid_from=valid_from,
        valid_until=valid_until,
        prices=Prices(
            core_second=core,
            gibibyte_second=gibibyte,
            gpu_second=[ModelPrice(model=model, price=price) for model, price in (gpu or {}).items()],
        ),
    )


def test_canonical_form() -> None:
    """The canonical tariff is this JSON, byte for byte: a digest once given must stay."""
    given = tariff("0.10", "1.0", {"V100": "2.000", "A100": "3.5"}, valid_from="2026-11-01T08:00:00+08:00")
    assert canonical_tariff(given, "core-1", "CN-001/α") == (
        '{"currency":"CNY","identityCode":"CN-001/α","node":"core-1","prices":{"coreSecond":"0.1",'
        '"gibibyteSecond":"1","gpuSecond":[{"model":"A100","price":"3.5"},{"model":"V100","price":"2"}]},'
        '"validFrom":"2026-11-01T00:00:00Z","validUntil":null,"version":"2026-11"}'
    )
    assert tariff_digest(given, "core-1", "CN-001/α") == (
        "e42256259d2cbc79fc91a72f412da7129bfefd4f367251cb6f6da5f5fc7e2cb1"
    )


def test_canonical_form_is_a_tariff() -> None:
    """What the ledger keeps of a tariff reads back as one that has the same digest."""
    given = tariff("0.10", "1.0", {"V100": "2.000", "*": "3.5"}, valid_until="2027-01-01T00:00:00Z")
    again = Tariff.model_validate(json.loads(canonical_tariff(given, "n", "c")))
    assert tariff_digest(again, "n", "c") == tariff_digest(given, "n", "c")
    assert price_of(again, "MilliGPUSeconds", "H800") == Decimal("3.5")


@given(PRICES, PRICES, st.permutations(["A100", "H800", "*"]), st.integers(0, 3))
def test_digest_knows_no_spelling(core: Decimal, gpu: Decimal, models: list[str], zeros: int) -> None:
    """Idle zeros of a price, the order of models and the zone of an instant do not change the digest."""
    plain = tariff(f"{core.normalize():f}", gpu=dict.fromkeys(["A100", "H800", "*"], f"{gpu:f}"))
    text = f"{core.normalize():f}"
    spelled = tariff(
        text + "0" * min(zeros, 12 - len(text.partition(".")[2])) if "." in text else text,
        gpu={model: f"{gpu.normalize():f}" for model in models},
    )
    assert tariff_digest(plain, "n", "c") == tariff_digest(spelled, "n", "c")


@pytest.mark.parametrize(
    "other",
    [
        tariff("0.00006"),
        tariff(gibibyte="0.00002"),
        tariff(gpu={"A100": "1"}),
        tariff(version="2026-12"),
        tariff(currency="USD"),
        tariff(valid_from="2026-11-01T00:00:00Z"),
        tariff(valid_until="2026-12-01T00:00:00Z"),
    ],
    ids=["core", "memory", "gpu", "version", "currency", "from", "until"],
)
def test_digest_tells_tariffs_apart(other: Tariff) -> None:
    """Whatever a tariff says is in its digest."""
    assert tariff_digest(other, "n", "c") != tariff_digest(tariff(), "n", "c")


def test_digest_tells_nodes_apart() -> None:
    """The same prices of another node or another identity are another tariff."""
    digests = {tariff_digest(tariff(), node, code) for node in ("n", "m") for code in ("c", "d")}
    assert len(digests) == 4


@pytest.mark.parametrize(
    ("meter", "model", "price"),
    [
        ("MillicoreSeconds", "", "0.00005"),
        ("MebibyteSeconds", "", "0.00001"),
        ("MilliGPUSeconds", "A100", "3"),
        ("MilliGPUSeconds", "H800", "5"),
        ("MilliGPUSeconds", "", "5"),
        ("MilliGPUSeconds", "a100", "5"),
    ],
)
def test_price_of(meter: Meter, model: str, price: str) -> None:
    """An accelerator has the price of exactly its model, else the one of any model."""
    assert price_of(tariff(gpu={"*": "5", "A100": "3"}), meter, model) == Decimal(price)


def test_price_of_an_unknown_model() -> None:
    """A model that no price is set for has none: never zero."""
    assert price_of(tariff(gpu={"A100": "3"}), "MilliGPUSeconds", "H800") is None
    assert price_of(tariff(), "MilliGPUSeconds", "A100") is None


@pytest.mark.parametrize(
    ("given", "reason", "mend"),
    [
        (None, "NoTariff", "set spec.tariff"),
        (tariff(), "Current", "tariff 2026-11 in CNY is in force"),
        (tariff(currency="USD"), "CurrencyMismatch", "state spec.tariff in CNY"),
        (tariff(valid_from="2026-11-22T12:00:00Z"), "Current", "in force"),
        (tariff(valid_from="2026-11-22T12:00:00.000001Z"), "NotYetValid", "set an earlier spec.tariff.validFrom"),
        (tariff(valid_from="2026-11-22T20:00:00+08:00"), "Current", "in force"),
        (tariff(valid_until="2026-11-22T12:00:00Z"), "Expired", "later spec.tariff.validUntil"),
        (tariff(valid_until="2026-11-22T12:00:01Z"), "Current", "in force"),
    ],
    ids=["none", "plain", "currency", "from-now", "from-later", "from-zone", "until-now", "until-later"],
)
def test_tariff_state(given: Tariff | None, reason: str, mend: str) -> None:
    """A tariff prices work in the hub's currency from validFrom up to, and without, validUntil; else it says why."""
    state = tariff_state(given, datetime(2026, 11, 22, 12, tzinfo=UTC), "CNY")
    assert (state.ok, state.reason) == (reason == "Current", reason)
    assert mend in state.message


@pytest.mark.parametrize(
    ("given", "summary"),
    [
        (tariff("0.00005"), "CNY 0.18/core-h"),
        (tariff("0.00005", gpu={"A100": "0.0026666667", "H800": "0.009"}), "CNY 0.18/core-h 9.60/GPU-h"),
        (tariff("0", gpu={"*": "0"}), "CNY 0.00/core-h 0.00/GPU-h"),
        (tariff("0.0000001"), "CNY 0.00036/core-h"),
        (tariff("0.000000000001"), "CNY 0.0000000036/core-h"),
        (tariff("1.5", currency="JPY"), "JPY 5400.00/core-h"),
        (tariff("9999999999999.999999999999"), "CNY 36000000000000000.00/core-h"),
    ],
    ids=["core", "cheapest-gpu", "free", "small", "smallest", "large", "largest"],
)
def test_price_summary(given: Tariff, summary: str) -> None:
    """The summary states prices an hour, with the cheapest accelerator, and never rounds a price to nothing."""
    assert price_summary(given) == summary


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00Z"),
        ("2026-11-22T18:00:00.500+08:00", "2026-11-22T10:00:00.500000Z"),
        ("2026-11-22T10:00:00.123456789Z", "2026-11-22T10:00:00.123456Z"),
    ],
)
def test_instants(text: str, form: str) -> None:
    """An instant is kept in UTC to the microsecond and written in one form."""
    assert instant_text(instant(text)) == form


@pytest.mark.parametrize(
    "text", ["", "now", "2026-11-22T10:00:00", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+08:00"]
)
def test_no_instants(text: str) -> None:
    """What names no instant, or one without a zone, is a ValueError."""
    with pytest.raises(ValueError, match=r"."):
        instant(text)
