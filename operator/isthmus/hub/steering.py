"""Brings a job's shards to do what its spec says, and offers what is left of it to placement."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from isthmus.api.dispatch import Dispatch, DispatchState
from isthmus.api.placement import Placement
from isthmus.placement import Split, demand_of, minimum_width

from .attempts import lost_in_vain, pause_seconds
from .draining import leaves
from .fleet import Fleet
from .jobrecord import JobRecord
from .preemptor import Preemptor
from .progress import Progress, Rest
from .scheduler import Scheduler
from .shards import Shards
from .work import Work

# Shards of one job that may stand at once, where it does not say.
MAX_NODES = 16
# Room that trickles in a pod at a time must not cut a job into as many shards: the least worth one is this part of it.
LEAST_SHARE = 32

_SUPERSEDED = frozenset({DispatchState.LOST, DispatchState.REFUSED})


class Steering:
    """What follows for one job from its spec and its progress. `again(uid, seconds)` has the job looked at later."""

    def __init__(
        self,
        shards: Shards,
        fleet: Fleet,
        scheduler: Scheduler,
        *,
        account_of: Callable[[str], str],
        now: Callable[[], datetime],
        again: Callable[[str, float], None],
        preemptor: Preemptor,
    ) -> None:
        self._shards = shards
        self._fleet = fleet
        self._scheduler = scheduler
        self._account_of = account_of
        self._now = now
        self._again = again
        self._preemptor = preemptor

    async def steer(self, record: JobRecord, dispatches: Sequence[tuple[str, Dispatch]], progress: Progress) -> None:
        """Have the job's live shards do what its spec says, and what is left of it placed. Raises ClusterError."""
        spec = record.job.spec
        wish = "Cancelled" if spec.cancel or progress.ending else "Suspended" if spec.suspend else "Running"
        # A job that is to stop anyhow makes room by itself.
        moved, look = await self._preemptor.due(record, progress.live) if wish == "Running" else (set[str](), None)
        if look is not None:
            self._again(record.uid, look)
        await asyncio.gather(
            *(
                self._shards.desire(node, d, wanted, as_seen=wanted != wish)
                for node, d, wanted in self._changes(record, progress, wish, moved)
            ),
            *(self._shards.desire(node, d, "Cancelled") for node, d in _superseded(dispatches, progress)),
        )
        rest, split = progress.rest, None
        if spec.placement.gang and progress.live:  # nothing of a gang runs beside what stands of it
            rest = None
        if rest is not None and spec.placement.split == "ByIndex" and record.work.by_index:
            split = split_of(record.job.spec.placement, record.work, rest, len(progress.live))
            rest = rest if split is not None else None
        if rest is None or record.refusal or wish != "Running" or record.dispatching:
            self._scheduler.withdraw(record.uid)
            return
        wait = self._pause(record, dispatches)
        if wait > 0:
            self._scheduler.withdraw(record.uid)
            self._again(record.uid, wait)
            return
        attempt = dispatches[-1][1].spec.attempt + 1 if dispatches else 1
        refused = tuple(sorted({node for node, d in dispatches if d.status.state is DispatchState.REFUSED}))
        account = self._account_of(record.key[0])
        self._scheduler.offer(
            demand_of(record.job, account, attempt=attempt, avoid=refused, width=rest.width, split=split),
            _open_pin(record, dispatches, attempt),
        )

    def _changes(
        self, record: JobRecord, progress: Progress, wish: str, moved: set[str]
    ) -> Iterator[tuple[str, Dispatch, str]]:
        """Live shards that are to do something else than they are told by now, and what; `moved` make room."""
        for node, dispatch in progress.live:
            moves = wish != "Cancelled" and (self._fleet.drained(node) or dispatch.metadata["name"] in moved)
            wanted = leaves(record.work, dispatch, wish) if moves else wish
            if dispatch.spec.desired_state not in (wanted, "Cancelled"):
                yield node, dispatch, wanted

    def _pause(self, record: JobRecord, dispatches: Sequence[tuple[str, Dispatch]]) -> float:
        """Seconds before the next attempt after losses in vain; counted from when the last of them was first seen."""
        lost = lost_in_vain(dispatches)
        pause = pause_seconds(lost)
        if not pause:
            return 0.0
        now = self._now().timestamp()
        # The count begins anew where the clock was set back meanwhile.
        if record.lost is None or record.lost[0] != lost[-1] or record.lost[1] > now:
            record.lost = (lost[-1], now)
        return record.lost[1] + pause - now


def split_of(placement: Placement, work: Work, rest: Rest, live: int) -> Split | None:
    """How what is left may be divided, or None where enough shards stand already."""
    pieces = (placement.max_nodes or MAX_NODES) - live
    if pieces < 1 or not rest.width:
        return None
    total = len(rest.indexes) if rest.indexes is not None else work.completions or 1
    fewest = minimum_width(total, rest.width, placement.min_indexes_per_node or 1)
    return Split(pieces, max(min(-(-work.parallelism // LEAST_SHARE), rest.width), fewest))


def _superseded(dispatches: Sequence[tuple[str, Dispatch]], progress: Progress) -> Iterator[tuple[str, Dispatch]]:
    """Shards whose work is about to be another's: each is cancelled before that exists, and what it left cleared.

    Not those whose Job never came to be: a placeholder holds its name, lest a create still under way lands after all.
    """
    for node, dispatch in dispatches if progress.rest is not None else ():
        status = dispatch.status
        if status.state in _SUPERSEDED and status.job_uid and dispatch.spec.desired_state != "Cancelled":
            yield node, dispatch


def _open_pin(record: JobRecord, dispatches: Sequence[tuple[str, Dispatch]], attempt: int) -> tuple[str, ...] | None:
    """The nodes to which Dispatches of the last attempt may still be on their way, sent by a hub that was killed."""
    if record.assigned is None or record.assigned[0] < attempt - 1:
        return None
    return record.outstanding(dispatches) or None
