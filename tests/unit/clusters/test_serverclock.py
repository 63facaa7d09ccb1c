from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.clusters.serverclock import ServerClock

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DATE = "Sun, 22 Nov 2026 12:00:00 GMT"


class Ticks:
    """A clock that goes when told to."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        """Its reading."""
        return self.at


@pytest.mark.parametrize("date", [None, "", "soon", "12:00"])
def test_unknown(date: str | None) -> None:
    """Before the first answer, and after answers without a readable date, nothing is known."""
    clock = ServerClock(Ticks())
    clock.answered(date)
    assert clock.now() is None


def test_goes_on() -> None:
    """Between answers it goes on by our own clock, and the newest answer counts, also one of a clock set back."""
    ticks = Ticks()
    clock = ServerClock(ticks)
    clock.answered(DATE)
    ticks.at += 90.5
    assert clock.now() == NOON + timedelta(seconds=90.5)
    clock.answered(None)
    assert clock.now() == NOON + timedelta(seconds=90.5)
    clock.answered("Sun, 22 Nov 2026 11:00:00 GMT")
    assert clock.now() == NOON - timedelta(hours=1)


@given(st.floats(0, 0.999), st.floats(0, 30), st.floats(0, 1e6))
def test_never_ahead(fraction: float, underway: float, since: float) -> None:
    """However long an answer was on its way, and whatever its date leaves out, we are never ahead of the server."""
    ticks = Ticks()
    clock = ServerClock(ticks)
    ticks.at += underway
    clock.answered(DATE)
    ticks.at += since
    told = clock.now()
    assert told is not None
    server = fraction + underway + since
    assert (told - NOON).total_seconds() <= server + 1e-6
