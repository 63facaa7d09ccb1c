"""What is to be written for one attempt of a job: a parcel for each node that placement gave a part of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from isthmus.api.dispatch import Dispatch, Fence
from isthmus.placement import Assignment

from .fencing import fence_of
from .fleet import Fleet
from .jobrecord import JobRecord
from .parcels import Parcel, overtaken, pieces_of
from .progress import Progress, progress_of
from .work import Work


@dataclass(slots=True)
class Order:
    """The parcels of one attempt of one job that are not known to be written."""

    attempt: int
    nodes: tuple[str, ...]
    parcels: list[Parcel] = field(default_factory=list)

    def overtaken(self, work: Work, progress: Progress) -> list[Parcel]:
        """Parcels of which something was done, or of no more use, since they were made up, and which nobody has sent.

        What is missing is offered anew: a shard that was given up may tell late of what it got done.
        """
        return [
            parcel
            for parcel in self.parcels
            if parcel.sent_at is None and (progress.ending is not None or overtaken(work, progress, parcel))
        ]


def order_of(
    record: JobRecord,
    dispatches: Sequence[tuple[str, Dispatch]],
    assignments: Sequence[tuple[Assignment, int]],
    fleet: Fleet,
    now: float,
) -> Order:
    """The attempt that the assignments make, or the one that they complete; `now` is the loop's clock.

    Where a former process wrote all Dispatches of an attempt but one, that one is written under the name it would
    have had: should it land after all, only one of the two is ever there, whatever their indexes.
    """
    parcels = _parcels(record, dispatches, assignments, now)
    for parcel in parcels:
        parcel.fence = _fence(parcel, fleet)
    nodes = tuple(parcel.node for parcel in parcels)
    if record.assigned is not None and len(parcels) == 1 and record.outstanding(dispatches) == nodes:
        attempt, pinned = record.assigned
        parcels[0].shard = pinned.index(nodes[0])
        return Order(attempt, pinned, parcels)
    return Order(assignments[0][0].demand.attempt, nodes, parcels)


def _parcels(
    record: JobRecord,
    dispatches: Sequence[tuple[str, Dispatch]],
    assignments: Sequence[tuple[Assignment, int]],
    now: float,
) -> list[Parcel]:
    """What of the job each node gets, of what is left of it now."""
    progress = progress_of(record.work, dispatches)
    if progress.rest is None:
        return []
    widths = [assignment.width for assignment, _ in assignments]
    pieces = pieces_of(record.work, progress, progress.rest, widths, first=not dispatches)
    return [Parcel(*assignments[place], n, pieces[place], numbered_at=now) for n, place in enumerate(pieces)]


def _fence(parcel: Parcel, fleet: Fleet) -> Fence | None:
    """The fence for a shard that may be rerun elsewhere once it has stopped; placement says whether it may."""
    grace, known = parcel.assignment.demand.grace_seconds, fleet.get(parcel.node)
    if grace is None or known is None:
        return None
    return fence_of(known.node.spec.timing, grace, parcel.assignment.width, fleet.stop_rate(parcel.node))
