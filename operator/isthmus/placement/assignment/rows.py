"""The rows of the program: what the machines of a node hold together, by resource and by kind of machine.

Every row holds for any packing onto single machines, so the program's optimum is a bound. What makes rows tighter than
sums of free amounts: only machines count that take a pod of the row at all, each for whole multiples of the largest
unit that all pods of the row are multiples of; and for accelerators, pods of at least s of them have rows of their own
in blocks of s, of which a machine has the whole part of its free ones over s (a dual feasible function, see Alves,
Clautiaux, Valério de Carvalho, Rietz, "Dual-Feasible Functions for Integer Programming", 2016).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import gcd

from isthmus.placement.machines import Vector
from isthmus.placement.room import pods_on

from .columns import Columns

_SETS = 16  # sets of kinds that have rows of their own, on one node
_BLOCKS = 8  # sizes of block that have rows of their own

Parts = Sequence[tuple[Vector, int]]
"""What is free on machines, and how many machines that is."""
Users = Sequence[tuple[int, int]]
"""Columns of a row, each with what one of its pods takes."""


@dataclass(slots=True)
class Rows:
    """Rows as a sparse matrix: (row, column, amount of a unit of the column) by number, and each row's limit."""

    row: list[int] = field(default_factory=list)
    column: list[int] = field(default_factory=list)
    amount: list[float] = field(default_factory=list)
    limit: list[float] = field(default_factory=list)

    def add(self, columns: Sequence[int], amounts: Sequence[int], limit: int) -> None:
        """A row, scaled so that its largest amount is 1."""
        number, scale = len(self.limit), max(amounts)
        self.row += [number] * len(columns)
        self.column += columns
        self.amount += [amount / scale for amount in amounts]
        self.limit.append(limit / scale)


def rows_of(columns: Columns, widths: Sequence[int]) -> Rows:
    """The rows of all nodes; `widths` are the pods of a unit, by pool. Rows that can't bind are left out."""
    builder = _Builder(columns, widths)
    for node in range(len(columns.rooms)):
        builder.node(node)
    return builder.rows


class _Builder:
    def __init__(self, columns: Columns, widths: Sequence[int]) -> None:
        self.rows = Rows()
        self._columns = columns
        self._width = [widths[pool] for pool in columns.pool]

    def node(self, node: int) -> None:
        """The rows of one node: for each set of kinds that a column may use, of the columns that use none but those."""
        columns, room = self._columns, self._columns.rooms[node]
        by_kinds: dict[frozenset[int], list[int]] = {}
        for column in columns.of_node[node]:
            by_kinds.setdefault(columns.kinds[column], []).append(column)
        counted = {axis for name, axis in room.axes.items() if "/" in name}
        for kinds in sorted(by_kinds, key=lambda k: (-len(k), sorted(k)))[:_SETS]:
            inside = [column for each, group in by_kinds.items() if each <= kinds for column in group]
            parts = [(free, count) for (kind, free), count in room.parts.items() if kind in kinds]
            self._machines(inside, parts, counted)
        if room.lent is not None:
            self._lent(columns.of_node[node], room.lent)

    def _lent(self, all_: Sequence[int], lent: Vector) -> None:
        """What the node lends, by resource, whatever is free on its machines."""
        need, limits, width = self._columns.need, self._columns.limit, self._width
        for axis, limit in enumerate(lent):
            users = [(c, amount * width[c]) for c in all_ for each, amount in need[c] if each == axis]
            if sum(amount * limits[column] for column, amount in users) > limit:
                self.rows.add([column for column, _ in users], [amount for _, amount in users], max(limit, 0))

    def _machines(self, inside: Sequence[int], parts: Parts, counted: set[int]) -> None:
        """The rows of these machines by resource, and by block along the axes of what is counted in whole pieces."""
        need = self._columns.need
        along: dict[int, list[tuple[int, int]]] = {}
        for column in inside:
            for axis, amount in need[column]:
                along.setdefault(axis, []).append((column, amount))
        for axis, users in along.items():
            amounts = {amount for _, amount in users}
            unit = gcd(*amounts)
            self._row([(column, amount // unit) for column, amount in users], parts, axis, unit)
            if axis in counted:
                for block in sorted(amounts)[1 : _BLOCKS + 1]:
                    large = [(column, amount // block) for column, amount in users if amount >= block]
                    self._row(large, parts, axis, block)

    def _row(self, users: Users, parts: Parts, axis: int, unit: int) -> None:
        """One row, in units of `unit`, unless all that its columns may take fits together."""
        need, limits, width = self._columns.need, self._columns.limit, self._width
        limit = sum(
            free[axis] // unit * count
            for free, count in parts
            if free[axis] >= unit and any(pods_on(free, need[column]) for column, _ in users)
        )
        amounts = [amount * width[column] for column, amount in users]
        most = sum([amount * limits[column] for amount, (column, _) in zip(amounts, users, strict=True)])
        if most > limit:
            self.rows.add([column for column, _ in users], amounts, limit)
