from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.api.computenode import ComputeNodeSpec
from isthmus.placement.stated import EnergyView, NetworkView, has_figures, stated

START = datetime(2026, 11, 1, tzinfo=UTC)
END = datetime(2026, 12, 1, tzinfo=UTC)
WINDOW = {"validFrom": "2026-11-01T00:00:00Z", "validUntil": "2026-12-01T08:00:00+08:00"}


def spec(**facts: Any) -> ComputeNodeSpec:
    """A node that states these facts."""
    base = {"identity": {"code": "c"}, "tier": "Core", "region": {"code": "r"}, "access": {"local": {}}}
    return ComputeNodeSpec.model_validate({**base, **facts})


FULL = spec(
    energy={
        "pue": "1.25",
        "carbonIntensity": {"gramsPerKilowattHour": "400.5", "source": "grid", **WINDOW},
        "watts": [{"model": "A100", "watts": "400"}, {"model": "*", "watts": "70.5"}],
    },
    network={
        "latencies": [{"region": "a", "milliseconds": 5, **WINDOW}, {"region": "b", "milliseconds": 9}],
        "egress": {"pricePerGibibyte": "0.5", "currency": "CNY", **WINDOW},
    },
    clearances={"classifications": ["Secret"], "jurisdictions": ["CN"]},
)


def test_in_force() -> None:
    """Within its validity a figure stands as stated: PUE and intensity as their exact product."""
    found = stated(FULL, START, "CNY")
    assert found.energy == EnergyView(Decimal("500.625"), {"A100": Decimal(400), "*": Decimal("70.5")})
    assert found.network == NetworkView({"a": 5, "b": 9}, {}, Decimal("0.5"))
    assert (found.classifications, found.jurisdictions) == (frozenset({"Secret"}), frozenset({"CN"}))
    assert (found.until, list(found.lapses)) == (END, [])


@pytest.mark.parametrize(
    ("now", "words", "pending"),
    [
        pytest.param(END, "was valid until 2026-12-01T08:00:00+08:00", False, id="the end is not included"),
        pytest.param(
            START - timedelta(microseconds=1), "is valid from 2026-11-01T00:00:00Z", True, id="nor what is before"
        ),
    ],
)
def test_out_of_force(now: datetime, words: str, *, pending: bool) -> None:
    """Outside its validity a figure is gone, and why is kept; what has none stays."""
    found = stated(FULL, now, "CNY")
    assert found.energy is not None
    assert found.network is not None
    assert (found.energy.grams, found.network.latencies, found.network.egress) == (None, {"b": 9}, None)
    assert found.energy.lapse is not None
    assert found.energy.lapse.pending is pending
    figures = ("the carbon intensity", "the latency to a", "the egress price")
    assert list(found.lapses) == [f"{each} {words}" for each in figures]


def test_another_currency() -> None:
    """A price of carrying data in another currency than the hub's can't be compared, so it is not used."""
    found = stated(FULL, START, "EUR")
    assert list(found.lapses) == ["the egress price is in CNY, the hub bills in EUR"]
    assert found.network is not None
    assert found.network.egress is None


def test_nothing_stated() -> None:
    """A node that states nothing is cleared for nothing and has no figures."""
    found = stated(spec(), START, "CNY")
    assert (found.energy, found.network, found.until) == (None, None, None)
    assert not found.classifications
    assert not found.jurisdictions
    assert not has_figures(spec())
    assert not has_figures(spec(energy={"pue": "1.1"}, network={}))
    assert has_figures(FULL)


@given(st.lists(st.integers(-90, 90), min_size=2, max_size=8, unique=True), st.integers(-100, 100))
def test_nothing_changes_before_it_is_said_to(days: list[int], day: int) -> None:
    """Until the instant that is given as the next change, all figures stand as they do now."""
    latencies = [
        {
            "region": f"r{number}",
            "milliseconds": 1,
            **{
                name: (START + timedelta(days=each)).isoformat()
                for name, each in zip(("validFrom", "validUntil"), sorted(pair), strict=False)
            },
        }
        for number, pair in enumerate(zip(days[::2], days[1::2], strict=False))
    ]
    of, now = spec(network={"latencies": latencies}), START + timedelta(days=day)
    found = stated(of, now, "CNY")
    last = found.until - timedelta(microseconds=1) if found.until is not None else now + timedelta(days=999)
    assert stated(of, last, "CNY") == found
    if found.until is not None:
        assert stated(of, found.until, "CNY").network != found.network
