"""The columns of the program: each pool on each node that has room for a unit of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from isthmus.placement.jobclass import Entry
from isthmus.placement.room import Need, Room

from .costs import costs_of
from .pool import Pool


@dataclass(slots=True)
class Columns:
    """Columns as arrays by column number: pool, node (its place among `rooms`), cost of a unit, most units.

    `need` is one pod's and `kinds` the machines it may use, as in the node's room. `of_pool` and `of_node` are the
    columns by pool and by node. `limit` is what the node's machines hold of the pool alone. Machines that are yet to
    come are in none: they are for what the program leaves over.
    """

    pool: list[int] = field(default_factory=list)
    node: list[int] = field(default_factory=list)
    cost: list[float] = field(default_factory=list)
    limit: list[int] = field(default_factory=list)
    need: list[Need] = field(default_factory=list)
    kinds: list[frozenset[int]] = field(default_factory=list)
    entry: list[Entry] = field(default_factory=list)
    rooms: list[Room] = field(default_factory=list)
    of_pool: list[list[int]] = field(default_factory=list)
    of_node: list[list[int]] = field(default_factory=list)

    def __len__(self) -> int:
        """How many there are."""
        return len(self.pool)


def columns_of(pools: Sequence[Pool]) -> Columns:
    """The columns as the rooms are now, by pool, for each by name of the node."""
    columns = Columns()
    places: dict[str, int] = {}
    for number, pool in enumerate(pools):
        mine: list[int] = []
        columns.of_pool.append(mine)
        entries = [entry for entry in pool.job_class.ranked() if entry.rank is not None]
        for entry, cost in zip(entries, costs_of(pool.job_class, entries), strict=True):
            candidate = entry.candidate
            offer, room = candidate.offer, candidate.room
            limit = min(candidate.fit.there // pool.width, pool.units)
            if offer.need is None or limit < 1:
                continue
            place = places.setdefault(candidate.node.name, len(places))
            if place == len(columns.rooms):
                columns.rooms.append(room)
                columns.of_node.append([])
            mine.append(len(columns.pool))
            columns.of_node[place].append(len(columns.pool))
            columns.pool.append(number)
            columns.node.append(place)
            columns.cost.append(cost * pool.size)
            columns.limit.append(limit)
            columns.need.append(offer.need)
            columns.kinds.append(offer.kinds - room.coming)
            columns.entry.append(entry)
    return columns
