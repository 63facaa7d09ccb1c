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

_Cell = tuple[object, ...]


def merged_shapes(groups: Mapping[Group, int], limit: int) -> tuple[Shape, ...]:
    """The groups as at most `limit` shapes in a canonical order.

    Groups are merged to the component-wise minimum, only with the same accelerators, taints and labels, and only as
    coarsely as the limit asks for. Where even that is not enough the smallest are left out.
    """
    exact: Counter[Group] = Counter()
    for group, count in groups.items():
        exact[Group(group.kind, group.free)] += count
    if len(exact) > limit:
        # Each level's cells are unions of the finer level's, so the number of cells falls along the levels.
        found = bisect_left(_LEVELS, True, key=lambda level: len({_cell(group, level) for group in exact}) <= limit)  # noqa: FBT003
        exact = _merged(exact, _LEVELS[min(found, len(_LEVELS) - 1)])
    kept = sorted(exact.items(), key=_size, reverse=True)[:limit]
    return tuple(group.shape(count) for group, count in sorted(kept, key=_order))


def _cell(group: Group, level: int) -> _Cell:
    kind = group.kind
    if level == _NOT_EVEN_ACCELERATORS:
        return kind.facts()
    exact = {a.resource_name for a in kind.accelerators}
    parts: list[object] = []
    for resource, has, free in zip(kind.resources, kind.allocatable, group.free, strict=True):
        if resource in exact:
            parts.append((resource, has, free))
        elif level:
            width = has.bit_length()
            parts.append((resource, width, has >> max(0, width - level), (free << level) // has))
    return (*kind.facts(), *parts)


def _merged(groups: Mapping[Group, int], level: int) -> Counter[Group]:
    cells: dict[_Cell, list[tuple[Group, int]]] = {}
    for group, count in groups.items():
        cells.setdefault(_cell(group, level), []).append((group, count))
    merged: Counter[Group] = Counter()
    for members in cells.values():
        merged[_minimum([group for group, _ in members])] += sum(count for _, count in members)
    return merged


def _minimum(groups: list[Group]) -> Group:
    if len(groups) == 1:
        return groups[0]
    tables = [{r: (h, f) for r, h, f in zip(g.kind.resources, g.kind.allocatable, g.free, strict=True)} for g in groups]
    # A resource that one of them lacks is lacking in the merged shape.
    resources = tuple(r for r in groups[0].kind.resources if all(r in table for table in tables))
    kind = groups[0].kind
    least = Kind(
        resources,
        tuple(min(table[r][0] for table in tables) for r in resources),
        kind.accelerators,
        kind.taints,
        kind.labels,
    )
    return Group(least, tuple(min(table[r][1] for table in tables) for r in resources))


def _size(counted: tuple[Group, int]) -> tuple[int, int, int]:
    group, count = counted
    has = dict(zip(group.kind.resources, group.kind.allocatable, strict=True))
    accelerators = sum(has[a.resource_name] for a in group.kind.accelerators)
    return accelerators * count, has.get("cpu", 0) * count, count


def _order(counted: tuple[Group, int]) -> tuple[object, ...]:
    group, count = counted
    kind = group.kind
    accelerators = tuple(
        (a.resource_name, a.model, a.memory_bytes or 0, a.partition_profile or "", a.labels) for a in kind.accelerators
    )
    taints = tuple((t.key, t.value, t.effect) for t in kind.taints)
    return accelerators, taints, kind.labels, kind.resources, kind.allocatable, group.free, count
