import pytest

from isthmus.agent.sequence import BEYOND_LIMIT, GAP_SECONDS, SequenceTracker, Visible


@pytest.mark.parametrize(
    ("floor", "counted", "visible"),
    [
        pytest.param(0, [], Visible(0, ()), id="nothing yet"),
        pytest.param(0, [2, 1], Visible(2, ()), id="all"),
        pytest.param(0, [1, 3, 4], Visible(1, (3, 4)), id="one is not there yet"),
        pytest.param(7, [3, 8], Visible(8, ()), id="on from what was published"),
        pytest.param(7, [], Visible(7, ()), id="published and gone"),
    ],
)
def test_visible(floor: int, counted: list[int], visible: Visible) -> None:
    """The sequence goes up to the first Dispatch that is not counted; those beyond are listed."""
    assert SequenceTracker(floor).visible(counted, 0.0) == visible


def test_numbers_that_never_come() -> None:
    """Gaps are passed over together once they can't be filled any more, not earlier and not one after the other."""
    tracker = SequenceTracker()
    assert tracker.visible([1, 4, 6], 100.0) == Visible(1, (4, 6))
    assert tracker.visible([1, 4, 6], 99.0 + GAP_SECONDS) == Visible(1, (4, 6))
    assert tracker.visible([1, 3, 4, 6], 99.5 + GAP_SECONDS) == Visible(1, (3, 4, 6))
    assert tracker.visible([1, 3, 4, 6, 8], 100.0 + GAP_SECONDS) == Visible(6, (8,))


def test_never_falls() -> None:
    """What was once in the figures stays covered when its Dispatch is gone."""
    tracker = SequenceTracker()
    assert tracker.visible([1, 2], 0.0).sequence == 2
    assert tracker.visible([], 1.0).sequence == 2


def test_list_is_bounded() -> None:
    """Beyond a gap only the lowest are listed; the others stay assumed."""
    assert SequenceTracker().visible(range(2, 1000), 0.0) == Visible(0, tuple(range(2, 2 + BEYOND_LIMIT)))
