"""The equal jobs of a round, as the program counts them: whole jobs, or the pods of those that may be divided."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from isthmus.placement.classkey import ClassKey
from isthmus.placement.demand import Demand
from isthmus.placement.forms import demands_of
from isthmus.placement.jobclass import JobClass
from isthmus.placement.rooms import Rooms

from .size import size_of

PENALTY = 3.0
"""What leaving a job out costs by its size; placing it costs little more than 2 at most, and hardly ever above 1."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Jobs of one class, the most urgent first, equally urgent ones in the round's order.

    A unit is a whole job of `width` pods on one node, or a pod where the class may be divided; there are `units`, each
    of `size`, that of its largest form.
    `steps` are what it costs to leave units out, as (units, penalty of each), the least urgent first.
    """

    job_class: JobClass
    demands: tuple[Demand, ...]
    divided: bool
    width: int
    size: float
    units: int
    steps: tuple[tuple[int, float], ...]

    def penalty_of(self, urgency: float) -> float:
        """What it costs to leave out a unit of that urgency."""
        return PENALTY * self.size * urgency

    def penalty(self, left: int) -> float:
        """What it costs in all to leave so many units out."""
        cost = 0.0
        for units, each in self.steps:
            if left <= units:
                return cost + left * each
            cost += units * each
            left -= units
        return cost


def pools_of(demands: Sequence[Demand], urgency: Mapping[str, float], rooms: Rooms) -> tuple[Pool, ...]:
    """The round's jobs by class, in the order in which the classes first come.

    Jobs of no pods at all are left out: they need no room.
    """
    grouped: dict[ClassKey, list[Demand]] = defaultdict(list)
    for demand in demands:
        if demand.width > 0:
            grouped[rooms.key_of(demand)].append(demand)
    return tuple(_pool(group, urgency, rooms.job_class(group[0])) for group in grouped.values())


def _pool(group: Sequence[Demand], urgency: Mapping[str, float], job_class: JobClass) -> Pool:
    first = group[0]
    divided = first.split is not None and first.split.pieces > 1
    width = 1 if divided else first.width
    size = max(size_of(form) for form in demands_of(first)) * width
    ordered = sorted(group, key=lambda demand: -urgency.get(demand.key, 1.0))
    each = first.width if divided else 1
    steps: list[tuple[int, float]] = []
    for demand in reversed(ordered):
        penalty = PENALTY * size * urgency.get(demand.key, 1.0)
        if steps and steps[-1][1] == penalty:
            steps[-1] = (steps[-1][0] + each, penalty)
        else:
            steps.append((each, penalty))
    return Pool(job_class, tuple(ordered), divided, width, size, len(group) * each, tuple(steps))
