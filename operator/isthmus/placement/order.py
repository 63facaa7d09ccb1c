"""Who comes first: rounds of jobs, one after another, and within a round what it counts for to be placed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from .demand import Demand
from .snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Round:
    """Jobs that are placed together, in order; a round takes nothing from the rounds before it.

    `urgency` is by a demand's key, 1.0..2.0: what it costs to leave the job out is multiplied by it.
    """

    demands: tuple[Demand, ...]
    urgency: Mapping[str, float]


def order(demand: Demand) -> tuple[object, ...]:
    """Who comes first: the higher priority, then the older, then by key."""
    return (-demand.priority, demand.created, demand.key)


def rounds_of(_snapshot: Snapshot, demands: Sequence[Demand]) -> tuple[Round, ...]:
    """A round for each priority, the highest first; in it the oldest first."""
    grouped = groupby(sorted(demands, key=order), key=lambda demand: demand.priority)
    rounds = (tuple(group) for _, group in grouped)
    return tuple(Round(group, {demand.key: 1.0 for demand in group}) for group in rounds)
