"""Attempts of a job that were in vain, by which it is tried more and more slowly and at last given up. Pure.

Attempts are counted, not shards: a job of many shards that loses one node often gets on nonetheless.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from isthmus.api.dispatch import TERMINAL, Dispatch, DispatchState

from .preemptionmark import preempted

MAX_ATTEMPTS = 64
"""Attempts one after another that may be lost or refused without having got anything done."""
LONGEST_PAUSE_SECONDS = 300.0

_UNTIMELY = frozenset({DispatchState.LOST, DispatchState.REFUSED})
_RAN = frozenset({DispatchState.SUCCEEDED, DispatchState.FAILED})
_DOUBLINGS = 10


def wasted(dispatches: Iterable[tuple[str, Dispatch]]) -> int:
    """How many attempts were in vain by which the job may be given up.

    Only those older than all that is live: while an older shard goes on, the job is not without progress for ever.
    """
    made = list(dispatches)
    oldest = min((d.spec.attempt for _, d in made if d.status.state not in TERMINAL), default=None)
    return sum(1 for attempt in in_vain(made, _UNTIMELY) if oldest is None or attempt < oldest)


def lost_in_vain(dispatches: Iterable[tuple[str, Dispatch]]) -> tuple[int, ...]:
    """The numbers of the attempts in vain of which something was lost, or stopped to make room for another job.

    One that is refused goes elsewhere next. A job is never given up for what was stopped; it only waits, so that one
    that is stopped again and again does not begin for nothing all the time.
    """
    return in_vain(dispatches, frozenset({DispatchState.LOST}), preempted)


def pause_seconds(lost: Sequence[int]) -> float:
    """How long the attempt after these losses waits: doubled each time, not at all after the first."""
    return min(2.0 ** min(len(lost) - 1, _DOUBLINGS), LONGEST_PAUSE_SECONDS) if len(lost) > 1 else 0.0


def in_vain(
    dispatches: Iterable[tuple[str, Dispatch]],
    ends: frozenset[DispatchState],
    other_end: Callable[[Dispatch], bool] = lambda _: False,
) -> tuple[int, ...]:
    """The numbers of the attempts that are over and of which something ended so, since the last that got on."""
    attempts: dict[int, list[Dispatch]] = defaultdict(list)
    for _, dispatch in dispatches:
        attempts[dispatch.spec.attempt].append(dispatch)
    found: list[int] = []
    for number, shards in sorted(attempts.items()):
        states = {shard.status.state for shard in shards}
        if any(map(_got_on, shards)):
            found.clear()
        elif states <= TERMINAL and (states & ends or any(map(other_end, shards))):
            found.append(number)
    return tuple(found)


def _got_on(shard: Dispatch) -> bool:
    """Whether the shard got something done."""
    status = shard.status
    return bool(status.succeeded or status.completed_indexes or status.failed_indexes or status.state in _RAN)
