from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.agent.sequence import BEYOND_LIMIT, GAP_SECONDS, SequenceTracker

# A Dispatch of the hub: when it appears in the figures (None: its create failed), and for how long it stays there.
_DISPATCHES = st.lists(
    st.tuples(st.none() | st.integers(0, 200), st.integers(1, 300)),
    max_size=30,
)
_STEPS = st.lists(st.integers(1, 40), min_size=1, max_size=30)


@settings(deadline=None)
@given(dispatches=_DISPATCHES, steps=_STEPS, floor=st.integers(0, 5))
def test_claims_only_what_was_counted_or_can_not_come(
    dispatches: list[tuple[int | None, int]], steps: list[int], floor: int
) -> None:
    """A number is covered only once it was in the figures, or has been missing below another for the gap time."""
    tracker = SequenceTracker(floor)
    counted_once: set[int] = set()
    missing_since: dict[int, float] = {}
    now, former = 0, floor
    for step in steps:
        now += step
        counted = {
            number
            for number, (comes, stays) in enumerate(dispatches, start=floor + 1)
            if comes is not None and comes <= now < comes + stays
        }
        counted_once |= counted
        for number in range(former + 1, max(counted, default=0)):
            if number not in counted:
                missing_since.setdefault(number, now)
        visible = tracker.visible(counted, now)
        assert visible.sequence >= former
        for number in range(former + 1, visible.sequence + 1):
            assert number in counted_once or now - missing_since.get(number, now) >= GAP_SECONDS
        assert list(visible.beyond) == sorted(n for n in counted if n > visible.sequence)[:BEYOND_LIMIT]
        former = visible.sequence


@settings(deadline=None)
@given(present=st.sets(st.integers(1, 60), min_size=1), order=st.randoms(use_true_random=False))
def test_covers_everything_in_the_end(present: set[int], order: object) -> None:
    """Whatever is missing, a minute after the last Dispatch has come all that are there are covered."""
    tracker = SequenceTracker()
    arriving = sorted(present)
    order.shuffle(arriving)  # type: ignore[attr-defined]
    for number in range(1, len(arriving) + 1):
        tracker.visible(arriving[:number], 0.0)
    visible = tracker.visible(present, GAP_SECONDS)
    assert (visible.sequence, visible.beyond) == (max(present), ())
