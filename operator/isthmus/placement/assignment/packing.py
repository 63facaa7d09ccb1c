"""What is placed so far, on the machines themselves: every unit is taken from a node's room and can be given back."""

from collections.abc import Mapping, Sequence

from isthmus.placement.forms import demands_of
from isthmus.placement.machines import Vector
from isthmus.placement.room import Need, Part, Room, open_parts, pods_on

from .columns import Columns
from .pool import Pool


class Bin:
    """A node's machines with what the batch has put there: units by column, in the order in which they are taken."""

    __slots__ = ("empty", "fits", "lent", "loads", "room")

    def __init__(self, room: Room) -> None:
        self.empty: Mapping[Part, int] = dict(room.parts)
        self.room = room.copy()
        self.lent = room.lent
        self.loads: dict[int, int] = {}
        self.fits: dict[int, tuple[int, int]] = {}


class Packing:
    """A batch on its nodes. `left` are the units not placed, by pool; `replays` counts rooms filled anew."""

    def __init__(self, pools: Sequence[Pool], columns: Columns) -> None:
        self.pools = pools
        self.columns = columns
        self.bins = [Bin(room) for room in columns.rooms]
        self.left = [pool.units for pool in pools]
        self.replays = 0
        self.turn = self._turns()
        self._widths = [pool.width for pool in pools]

    def _turns(self) -> list[int]:
        """Each pool's turn: what asks for most accelerators on one machine first, then the largest."""
        forms = [demands_of(pool.job_class.demand) for pool in self.pools]
        counted = [[n for form in each for name, n in form.request.items() if "/" in name] for each in forms]
        most = [max(amounts, default=0) for amounts in counted]
        ordered = sorted(range(len(self.pools)), key=lambda n: (-most[n], -self.pools[n].size, n))
        return [turn for _, turn in sorted(zip(ordered, range(len(ordered)), strict=True))]

    @property
    def by_turn(self) -> list[int]:
        """The pools in the order in which they are packed."""
        return sorted(range(len(self.pools)), key=self.turn.__getitem__)

    def penalty(self, pool: int, units: int = 1) -> float:
        """What leaving so many more units out would cost; of a negative number, what placing them saves, negative."""
        each, left = self.pools[pool], self.left[pool]
        if len(each.steps) == 1:
            return units * each.steps[0][1]
        return each.penalty(left + units) - each.penalty(left)

    def objective(self) -> float:
        """Cost of what is placed and penalty of what is not."""
        cost = self.columns.cost
        placed = sum(cost[column] * units for each in self.bins for column, units in each.loads.items())
        return placed + sum(pool.penalty(left) for pool, left in zip(self.pools, self.left, strict=True))

    def fit(self, column: int) -> int:
        """How many more units of the column have room now."""
        columns = self.columns
        each = self.bins[columns.node[column]]
        version = each.room.version
        known = each.fits.get(column)
        if known is not None and known[0] == version:
            return known[1]
        found = room_for(each.room, columns.need[column], columns.kinds[column]) // self._widths[columns.pool[column]]
        each.fits[column] = (version, found)
        return found

    def add(self, column: int, units: int) -> None:
        """Take so many units, at most `fit`, from the room as it is."""
        columns = self.columns
        pool, each = columns.pool[column], self.bins[columns.node[column]]
        each.room.take(columns.need[column], columns.kinds[column], units * self._widths[pool])
        each.loads[column] = each.loads.get(column, 0) + units
        self.left[pool] -= units

    def exchange(self, out: tuple[int, int] | None, into: tuple[int, int] | None) -> "Undo | None":
        """Give back units of one column of a node, then take units of another of the same node, each (column, units).

        The node's machines are filled anew, in the pools' turn. Returns how to undo it; None, and nothing changed,
        where not all finds room then.
        """
        columns = self.columns
        column = (out or into or (0, 0))[0]
        node = columns.node[column]
        each = self.bins[node]
        loads = dict(each.loads)
        if out is not None:
            loads[out[0]] -= out[1]
            if not loads[out[0]]:
                del loads[out[0]]
        if into is not None:
            loads[into[0]] = loads.get(into[0], 0) + into[1]
        ordered = sorted(loads, key=lambda c: self.turn[columns.pool[c]])
        before = Undo(node, each.loads, each.room.parts, each.room.lent, each.room.version)
        self.replays += 1
        each.room.restart(each.empty, each.lent)
        for load in ordered:
            pods = loads[load] * self._widths[columns.pool[load]]
            if each.room.take(columns.need[load], columns.kinds[load], pods) < pods:
                self._restore(before)
                return None
        each.loads = {load: loads[load] for load in ordered}
        if out is not None:
            self.left[columns.pool[out[0]]] += out[1]
        if into is not None:
            self.left[columns.pool[into[0]]] -= into[1]
        return before

    def undo(self, before: "Undo") -> None:
        """Put a node back as it was before an exchange, with nothing else done to it since."""
        columns, now = self.columns, self.bins[before.node].loads
        for column in {*now, *before.loads}:
            self.left[columns.pool[column]] += now.get(column, 0) - before.loads.get(column, 0)
        self._restore(before)

    def _restore(self, before: "Undo") -> None:
        each = self.bins[before.node]
        each.loads = before.loads
        each.room.resume(before.parts, before.lent, before.version)


class Undo:
    """A node as it was before an exchange."""

    __slots__ = ("lent", "loads", "node", "parts", "version")

    def __init__(
        self, node: int, loads: dict[int, int], parts: dict[Part, int], lent: Vector | None, version: int
    ) -> None:
        self.node = node
        self.loads = loads
        self.parts = parts
        self.lent = lent
        self.version = version


def room_for(room: Room, need: Need, kinds: frozenset[int]) -> int:
    """How many pods have room on the machines now, of what the node lends."""
    free = sum([count * fits for _, count, fits in open_parts(room.parts, kinds, need)])
    return free if room.lent is None else min(free, max(pods_on(room.lent, need), 0))
