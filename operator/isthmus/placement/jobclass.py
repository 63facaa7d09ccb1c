"""Jobs that are equal to placement share one evaluation of every node."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from . import filters, scores
from .candidate import Candidate, Fleet
from .demand import Demand
from .objectives import OBJECTIVES
from .room import Room
from .snapshot import NodeView
from .verdict import Rejection, Score

Rank = tuple[int, int, int]
"""What decides between nodes, highest first: weighted score, cheapness, unweighted score."""


def class_key(demand: Demand) -> tuple[object, ...]:
    """Equal for demands that every filter and score treats alike."""
    return (
        demand.account,
        demand.width,
        tuple(sorted(demand.request.items())),
        demand.models,
        demand.minimum_memory_bytes,
        demand.partition_profile,
        tuple(sorted(demand.node_selector.items())),
        demand.regions,
        demand.tiers,
        tuple((t.key, t.operator, t.value) for t in demand.tolerations),
        tuple(sorted(demand.machine_selector.items())),
        tuple((t.key, t.operator, t.value, t.effect) for t in demand.machine_tolerations),
        demand.objective,
        demand.avoid,
    )


class Entry:
    """A candidate that passed every standing filter, with its scores as of one state of its room."""

    __slots__ = ("candidate", "cheapness", "parts", "rank", "standing", "version")

    def __init__(self, candidate: Candidate, standing: Mapping[str, int], cheapness: int) -> None:
        self.candidate = candidate
        self.standing = standing
        self.cheapness = cheapness
        self.version = -1
        self.rank: Rank | None = None
        self.parts: Mapping[str, int] = {}


class JobClass:
    """One class of equal jobs and what every node is to it, computed once and renewed where room has changed."""

    def __init__(self, demand: Demand, nodes: Sequence[tuple[NodeView, Room]], fleet: Fleet) -> None:
        self.demand = demand
        self.exhausted = False
        self._weights = OBJECTIVES[demand.objective]
        self.rejected: dict[str, Rejection] = {}
        open_candidates: list[Candidate] = []
        for node, room in nodes:
            candidate = Candidate(demand, node, room, fleet)
            rejection = next((r for f in filters.STANDING if (r := f(candidate)) is not None), None)
            if rejection is None:
                open_candidates.append(candidate)
            else:
                self.rejected[node.name] = rejection
        prices = sorted({p for c in open_candidates if (p := c.per_hour) is not None}, reverse=True)
        places = {price: place for place, price in enumerate(prices)}
        self._field = scores.Field(prices[-1] if prices else Decimal(0))
        self.entries = [
            Entry(
                c,
                {name: score(c, self._field) for name, score in scores.STANDING.items()},
                -1 if c.per_hour is None else places[c.per_hour],
            )
            for c in open_candidates
        ]

    def best(self) -> Entry | None:
        """The best node with room, or None. Room only shrinks within a cycle, so None stays None."""
        if self.exhausted:
            return None
        chosen: Entry | None = None
        highest: Rank | None = None
        for entry in self.entries:
            rank = self._rank(entry)
            if rank is not None and (highest is None or rank > highest):
                chosen, highest = entry, rank
        self.exhausted = chosen is None
        return chosen

    def scored(self) -> Iterator[tuple[Entry, Score]]:
        """The nodes with room, and their scores."""
        for entry in self.entries:
            rank = self._rank(entry)
            if rank is not None:
                yield entry, self.score(entry)

    def full(self) -> Iterator[Entry]:
        """The nodes that would do but have no room now."""
        return (entry for entry in self.entries if self._rank(entry) is None)

    def score(self, entry: Entry) -> Score:
        """The scores of an entry as last ranked."""
        weighted = entry.rank[0] if entry.rank else 0
        return Score(weighted // sum(self._weights.values()), entry.parts)

    def _rank(self, entry: Entry) -> Rank | None:
        """The entry's rank, None where it has no room."""
        candidate = entry.candidate
        if entry.version == candidate.room.version:
            return entry.rank
        entry.version = candidate.room.version
        if not candidate.fits:
            entry.rank = None
            return None
        parts = {**entry.standing, **{name: score(candidate, self._field) for name, score in scores.ROOM.items()}}
        weights = self._weights
        entry.parts = parts
        entry.rank = (sum(weights[name] * value for name, value in parts.items()), entry.cheapness, sum(parts.values()))
        return entry.rank
