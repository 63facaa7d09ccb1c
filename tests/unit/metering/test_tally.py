from datetime import UTC, datetime

from isthmus.metering import MILLICORE_SECONDS, Meters, PodUse, Tally

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def pod(uid: str, amount: int, *, ended: bool = False) -> PodUse:
    """A held pod that has used so many millicore-seconds."""
    return PodUse(uid, Meters({(MILLICORE_SECONDS, ""): amount}), ended=ended, held=True)


def total(tally: Tally) -> int:
    """Millicore-seconds in the reading that stands."""
    assert tally.standing is not None
    return Meters.from_quantities(tally.standing.total)[MILLICORE_SECONDS, ""]


def test_written() -> None:
    """After a write the next reading follows the one written, and a pod that vanished is not forgotten."""
    tally = Tally(None)
    assert tally.stands(tally.advance([pod("p", 5)], now=NOW).reading)
    assert tally.stands(tally.advance([], now=NOW).reading)
    assert total(tally) == 5
    assert tally.standing is not None
    assert tally.standing.estimated


def test_refused() -> None:
    """After a write that failed nothing is taken for settled, and pods seen only for it are known nonetheless."""
    tally = Tally(None)
    tally.stands(tally.advance([pod("p", 5)], now=NOW).reading)
    standing = tally.standing
    tally.advance([pod("q", 3)], now=NOW)
    assert tally.stands(standing)
    tally.stands(tally.advance([], now=NOW).reading)
    assert total(tally) == 8


def test_landed_after_all() -> None:
    """A write that seemed to fail and did land counts once."""
    tally = Tally(None)
    tally.stands(tally.advance([pod("p", 5)], now=NOW).reading)
    landed = tally.advance([], now=NOW).reading
    assert tally.stands(landed.model_copy())
    assert not tally.advance([], now=NOW).changed
    assert total(tally) == 5


def test_another_process() -> None:
    """What another process wrote is taken as it is: what was known here may be settled there."""
    tally = Tally(None)
    first = tally.advance([pod("p", 5)], now=NOW).reading
    tally.stands(first)
    other = Tally(first)
    other.stands(other.advance([pod("p", 7, ended=True)], now=NOW).reading)
    other.stands(other.advance([], now=NOW).reading)
    assert not tally.stands(other.standing)
    assert not tally.advance([], now=NOW).changed
    assert total(tally) == 7


def test_idle() -> None:
    """A turn in which nothing changed needs no write and leaves nothing behind."""
    tally = Tally(None)
    tally.stands(tally.advance([pod("p", 5)], now=NOW).reading)
    assert not tally.advance([pod("p", 5)], now=NOW).changed
    assert tally.stands(tally.standing)
    tally.stands(tally.advance([], now=NOW).reading)
    assert total(tally) == 5
