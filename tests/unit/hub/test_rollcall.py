import pytest

from isthmus.hub.rollcall import LONGEST_SECONDS, PATIENCE_SECONDS, RollCall


class Clock:
    """Seconds that the test sets."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        """The seconds."""
        return self.seconds


@pytest.mark.parametrize(
    ("missing", "found", "left"),
    [
        pytest.param(0, 0, 0.0, id="no nodes"),
        pytest.param(0, 5, 0.0, id="all found"),
        pytest.param(5, 0, 0.0, id="none found, so that there is nothing to place on"),
        pytest.param(4, 1, PATIENCE_SECONDS, id="some found"),
    ],
)
def test_the_first_look(missing: int, found: int, left: float) -> None:
    """Placement waits only where some nodes are found and others are not yet."""
    assert RollCall(Clock()).seconds_left(missing, found) == left


def test_each_member_that_is_found_is_worth_waiting_for_the_next() -> None:
    """Patience counts from the last news; when it is over without any, placement begins and is never held again."""
    clock = Clock()
    roll = RollCall(clock)
    for missing in range(5, 1, -1):
        assert roll.seconds_left(missing, 6 - missing) == PATIENCE_SECONDS
        clock.seconds += PATIENCE_SECONDS - 1
        assert roll.seconds_left(missing, 6 - missing) == 1.0
    clock.seconds += 1
    assert roll.seconds_left(2, 4) == 0.0
    assert roll.over
    assert roll.seconds_left(3, 3) == 0.0


def test_members_that_come_slowly_hold_nothing_up_for_ever() -> None:
    """However steadily nodes are found, placement begins LONGEST_SECONDS after the first one."""
    clock = Clock()
    roll = RollCall(clock)
    missing = 1000
    while roll.seconds_left(missing, 1000 - missing + 1) > 0:
        clock.seconds += PATIENCE_SECONDS / 2
        missing -= 1
    assert clock.seconds == 100.0 + LONGEST_SECONDS


def test_none_found_begins_nothing() -> None:
    """However long no node is found, the call begins with the first."""
    clock = Clock()
    roll = RollCall(clock)
    assert roll.seconds_left(5, 0) == 0.0
    assert not roll.over
    clock.seconds += LONGEST_SECONDS * 2
    assert roll.seconds_left(4, 1) == PATIENCE_SECONDS
