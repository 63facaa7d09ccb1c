"""Local search on whole units: insert what is left out, shift to cheaper nodes, eject what can go elsewhere.

The program's prices guide it: a unit is tried first where its cost with what it takes of scarce resources is least.
Each step lowers the objective, so it ends; work is counted in rooms filled anew and nodes looked at.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil

from .limits import Limits
from .packing import Packing
from .program import Relaxation

_GAIN = 1e-9  # by which a step must lower the objective
_TARGETS = 12  # nodes tried for one unit
_VICTIMS = 3  # pools tried on one of them
_EJECTED = 8  # units of a pool ejected for one unit


@dataclass(frozen=True, slots=True)
class _Ejection:
    """Units of a column to give way, where they go (column, units; what lacks is left out), and what that costs."""

    cost: float
    column: int
    units: int
    goes: tuple[tuple[int, int], ...]


class Repair:
    """One search over one packing."""

    def __init__(self, packing: Packing, relaxation: Relaxation, limits: Limits) -> None:
        self._packing = packing
        self._columns = packing.columns
        self._limits = limits
        jobs = sum(len(pool.demands) for pool in packing.pools)
        self._most = packing.replays + int(limits.repairs * jobs) + 1
        self._scans = int(limits.scans * jobs) + 1
        cost, reduced = packing.columns.cost, relaxation.reduced
        self._cheapest = [sorted(columns, key=cost.__getitem__) for columns in packing.columns.of_pool]
        self._nearest = [sorted(columns, key=reduced.__getitem__)[:_TARGETS] for columns in packing.columns.of_pool]

    @property
    def _over(self) -> bool:
        return self._packing.replays >= self._most or self._scans <= 0 or self._limits.left <= 0

    def run(self) -> None:
        """Search until nothing more is found or the limits are over."""
        while not self._over:
            replays = self._packing.replays
            if not (self._insert_all() | self._shift_all() | self._improve_all()) or replays == self._packing.replays:
                return

    def _insert_all(self) -> bool:
        """Units left out, the largest first."""
        packing, found = self._packing, False
        whole = [number for number in packing.by_turn if not packing.pools[number].divided]
        for pool in sorted(whole, key=lambda n: -packing.pools[n].size):
            while packing.left[pool] and not self._over and self._move(pool, None):
                found = True
        return found

    def _shift_all(self) -> bool:
        """Units to cheaper nodes that have room."""
        packing, columns, found = self._packing, self._columns, False
        for each in packing.bins:
            for column in self._whole(each.loads):
                while column in each.loads and not self._over:
                    to = self._open(columns.pool[column], columns.node[column], columns.cost[column] - _GAIN)
                    units = 0 if to is None else min(each.loads[column], packing.fit(to))
                    if to is None or packing.exchange((column, units), None) is None:
                        break
                    packing.add(to, units)
                    found = True
        return found

    def _improve_all(self) -> bool:
        """Units on dear nodes, those first that could gain most."""
        packing, columns, found = self._packing, self._columns, False
        loaded = [column for each in packing.bins for column in self._whole(each.loads)]
        gains = {c: columns.cost[c] - columns.cost[self._cheapest[columns.pool[c]][0]] for c in loaded}
        for column in sorted(loaded, key=lambda c: (-gains[c], c)):
            if gains[column] <= _GAIN:
                break
            each = packing.bins[columns.node[column]]
            while column in each.loads and not self._over and self._move(columns.pool[column], column):
                found = True
        return found

    def _whole(self, loads: Iterable[int]) -> list[int]:
        """The columns of what is not divided: the shares of divided jobs are not for moving about pod by pod."""
        pools, pool = self._packing.pools, self._columns.pool
        return [column for column in loads if not pools[pool[column]].divided]

    def _open(self, pool: int, apart_from: int, below: float) -> int | None:
        """The pool's cheapest column with room on another node, at less than `below`."""
        columns, packing = self._columns, self._packing
        for column in self._cheapest[pool]:
            if columns.cost[column] >= below:
                return None
            if columns.node[column] != apart_from and packing.fit(column):
                return column
        return None

    def _move(self, pool: int, source: int | None) -> bool:
        """Bring one unit from its column, or from among those left out, to a better one, whoever must give way."""
        columns, packing = self._columns, self._packing
        node = -1 if source is None else columns.node[source]
        base = -packing.penalty(pool, -1) if source is None else columns.cost[source]
        for target in self._nearest[pool]:
            gain = base - columns.cost[target]
            if gain <= _GAIN or columns.node[target] == node:
                continue
            if packing.fit(target):
                if source is None or packing.exchange((source, 1), None) is not None:
                    packing.add(target, 1)
                    return True
                continue
            if self._over:
                return False
            self._scans -= 1
            ejections = (e for e in self._ejections(target, source) if e.cost < gain - _GAIN)
            for ejection in sorted(ejections, key=lambda e: (e.cost, e.column))[:_VICTIMS]:
                if self._eject(target, source, ejection):
                    return True
        return False

    def _eject(self, target: int, source: int | None, ejection: _Ejection) -> bool:
        packing = self._packing
        if self._over:
            return False
        before = packing.exchange((ejection.column, ejection.units), (target, 1))
        if before is None:
            return False
        if source is not None and packing.exchange((source, 1), None) is None:
            packing.undo(before)
            return False
        for column, units in ejection.goes:
            packing.add(column, units)
        return True

    def _ejections(self, target: int, source: int | None) -> Iterator[_Ejection]:
        """What on the target's node could give way to one unit of it; what comes from `source` does not go there."""
        columns, packing = self._columns, self._packing
        node, pool = columns.node[target], columns.pool[target]
        loads = packing.bins[node].loads
        for column in self._whole(loads):
            units, there = self._units(target, column), loads[column]
            if columns.pool[column] == pool or not 0 < units <= there:
                continue
            other, goes, lacking, cost = columns.pool[column], [], units, 0.0
            for to in self._cheapest[other]:
                if columns.cost[to] >= packing.pools[other].steps[0][1]:
                    break
                if columns.node[to] == node or (source is not None and columns.node[to] == columns.node[source]):
                    continue
                if taken := min(lacking, packing.fit(to)):
                    goes.append((to, taken))
                    cost += taken * (columns.cost[to] - columns.cost[column])
                    lacking -= taken
                    if not lacking:
                        break
            cost += packing.penalty(other, lacking) - lacking * columns.cost[column]
            yield _Ejection(cost, column, units, tuple(goes))

    def _units(self, target: int, column: int) -> int:
        """How many units of the column hold as much as one of the target of what is scarcest; 0 where none do."""
        columns, pools = self._columns, self._packing.pools
        if not columns.kinds[target] & columns.kinds[column]:
            return 0
        wanted, held = dict(columns.need[target]), dict(columns.need[column])
        names = {axis for name, axis in columns.rooms[columns.node[target]].axes.items() if "/" in name}
        axes = names & wanted.keys() or wanted.keys()
        share = max((wanted[axis] / held[axis] for axis in axes if axis in held), default=1.0)
        units = ceil(share * pools[columns.pool[target]].width / pools[columns.pool[column]].width)
        return units if units <= _EJECTED else 0
