"""What machines are and have free, counted and summed: the profile that is told of them."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from .groups import Group
from .merging import merged_shapes
from .profile import Accelerator, AcceleratorTotal, Profile

SHAPE_LIMIT = 256


def figures(groups: Mapping[Group, int], now: datetime) -> Profile:
    """The profile of these machines, by how many there are of each group."""
    allocatable: Counter[str] = Counter()
    free: Counter[str] = Counter()
    totals: dict[Accelerator, list[int]] = {}
    for group, count in groups.items():
        kind, part = group.kind, group.kind.cards if group.kind.is_part else None
        there = dict(zip(kind.resources, zip(kind.allocatable, group.free, strict=True), strict=True))
        for resource, (has, left) in there.items():
            # A part's is told by the rest of its machine; pods that share a card are not counted as cards.
            allocatable[resource] += 0 if part else has * count
            free[resource] += 0 if part and part.resource == resource else left * count
        for accelerator in kind.accelerators:
            has, left = there[accelerator.resource_name]
            if part:
                has, left = 0, 0 if part.resource == accelerator.resource_name else left
            total = totals.setdefault(_unlabelled(accelerator), [0, 0])
            total[0] += has * count
            total[1] += left * count
    return Profile(
        observed_at=now,
        machines=sum(count for group, count in groups.items() if not group.kind.is_part),
        allocatable=dict(sorted(allocatable.items())),
        free=dict(sorted(free.items())),
        accelerators=tuple(AcceleratorTotal(a, *totals[a]) for a in sorted(totals, key=_order)),
        shapes=merged_shapes(groups, SHAPE_LIMIT),
    )


def _unlabelled(accelerator: Accelerator) -> Accelerator:
    return Accelerator(
        accelerator.vendor,
        accelerator.resource_name,
        accelerator.model,
        accelerator.memory_bytes,
        accelerator.partition_profile,
    )


def _order(accelerator: Accelerator) -> tuple[str, str, int, str]:
    return (
        accelerator.resource_name,
        accelerator.model,
        accelerator.memory_bytes or 0,
        accelerator.partition_profile or "",
    )
