"""Groups of machines to at most so many shapes, merged so that no shape promises more than its machines hold."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping

from .groups import Group, Kind
from .profile import Shape

# How finely cpu, memory and the like are told apart, in binary digits, from fine to coarse: at 10, machines whose
# figures differ by less than a thousandth become one. Accelerators stay exact down to the last level but one.
_NO_DIGITS = 0
_NOT_EVEN_ACCELERATORS = -1
_LEVELS = (10, 9, 8, 7, 6, 5, 4, 3, 2, 1, _NO_DIGITS, _NOT_EVEN_ACCELERATORS)

_Cell = tuple[int, tuple[int, ...]]


def merged_shapes(groups: Mapping[Group, int], limit: int) -> tuple[Shape, ...]:
    """The groups as at most `limit` shapes in a canonical order.

    Groups are merged to the component-wise minimum, only with the same accelerators, taints, labels and limits of
    cards, and only as coarsely as the limit asks for. Where even that is not enough the smallest are left out.
    """
    exact: Counter[Group] = Counter()
    for group, count in groups.items():
        exact[group if not group.values else Group(group.kind, group.free)] += count
    if len(exact) > limit:
        exact = _merged(exact, limit)
    ordered = sorted(exact.items(), key=_order)
    if len(ordered) > limit:
        smallest = set(sorted(range(len(ordered)), key=lambda i: _size(ordered[i]))[: len(ordered) - limit])
        ordered = [counted for i, counted in enumerate(ordered) if i not in smallest]
    return tuple(group.shape(count) for group, count in ordered)


class _Grid:
    """Puts groups into cells, one level of precision; each level's cells are unions of the finer level's."""

    def __init__(self, level: int) -> None:
        self._level = level
        self._numbers: dict[object, int] = {}
        self._kinds: dict[Kind, tuple[int, tuple[tuple[int, int, int], ...]]] = {}

    def cell(self, group: Group) -> _Cell:
        """Groups in the same cell become one."""
        known = self._kinds.get(group.kind)
        if known is None:
            known = self._kinds[group.kind] = self._kind(group.kind)
        number, scales = known
        free = group.free
        return number, tuple((free[i] << shift) // scale for i, shift, scale in scales)

    def _kind(self, kind: Kind) -> tuple[int, tuple[tuple[int, int, int], ...]]:
        """What stands for the kind in a cell, and the grid of the free amounts: (position, shift, scale)."""
        level = self._level
        facts: list[object] = [kind.accelerators, kind.taints, kind.labels, kind.cards]
        scales: list[tuple[int, int, int]] = []
        exact = {a.resource_name for a in kind.accelerators}
        for i, (resource, has) in enumerate(zip(kind.resources, kind.allocatable, strict=True)):
            if resource in exact and level != _NOT_EVEN_ACCELERATORS:
                facts.append((resource, has))
                scales.append((i, 0, 1))
            elif resource not in exact and level > 0:
                width = has.bit_length()
                facts.append((resource, width, has >> max(0, width - level)))
                scales.append((i, level, max(has, 1)))
        return self._numbers.setdefault(tuple(facts), len(self._numbers)), tuple(scales)


def _merged(groups: Mapping[Group, int], limit: int) -> Counter[Group]:
    def cells(level: int) -> dict[_Cell, list[Group]]:
        grid = _Grid(level)
        found: dict[_Cell, list[Group]] = {}
        for group in groups:
            found.setdefault(grid.cell(group), []).append(group)
        return found

    # The number of cells falls along the levels; the finest that keeps the limit is wanted, else the coarsest.
    enough = bisect_left(_LEVELS, x=True, hi=len(_LEVELS) - 1, key=lambda level: len(cells(level)) <= limit)
    merged: Counter[Group] = Counter()
    for members in cells(_LEVELS[enough]).values():
        merged[_minimum(members)] += sum(groups[group] for group in members)
    return merged


def _minimum(groups: list[Group]) -> Group:
    if len(groups) == 1:
        return groups[0]
    first = groups[0].kind
    if all(group.kind.resources == first.resources for group in groups):
        resources, has = first.resources, [group.kind.allocatable for group in groups]
        free = [group.free for group in groups]
    else:
        # A resource that one of them lacks is lacking in the merged shape.
        resources = tuple(r for r in first.resources if all(r in group.kind.resources for group in groups))
        places = [[group.kind.resources.index(r) for r in resources] for group in groups]
        has = [tuple(g.kind.allocatable[i] for i in place) for g, place in zip(groups, places, strict=True)]
        free = [tuple(g.free[i] for i in place) for g, place in zip(groups, places, strict=True)]
    least = Kind(resources, tuple(map(min, *has)), first.accelerators, first.taints, first.labels, first.cards)
    return Group(least, tuple(map(min, *free)))


def _size(counted: tuple[Group, int]) -> tuple[int, int, int]:
    group, count = counted
    has = dict(zip(group.kind.resources, group.kind.allocatable, strict=True))
    accelerators = sum(has.get(a.resource_name, 0) for a in group.kind.accelerators)
    return accelerators * count, has.get("cpu", 0) * count, count


def _order(counted: tuple[Group, int]) -> tuple[object, ...]:
    group, count = counted
    kind = group.kind
    accelerators = tuple(
        (a.resource_name, a.model, a.memory_bytes or 0, a.partition_profile or "", a.labels) for a in kind.accelerators
    )
    taints = tuple((t.key, t.value, t.effect) for t in kind.taints)
    cards = (kind.cards.resource, kind.cards.memory, kind.cards.shared, kind.cards.most) if kind.cards else ()
    return accelerators, taints, kind.labels, cards, kind.resources, kind.allocatable, group.free, count
