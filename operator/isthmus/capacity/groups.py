"""Machines that are alike, counted: the form in which capacity is subtracted, merged and told."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from isthmus.api.core import PodToleration

from .profile import Accelerator, MachineTaint, Shape
from .taints import untolerated

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """What does not change while pods come and go; one object for all machines of the kind, compared by identity.

    `allocatable` is in the order of `resources`.
    """

    resources: tuple[str, ...]
    allocatable: tuple[int, ...]
    accelerators: tuple[Accelerator, ...]
    taints: tuple[MachineTaint, ...]
    labels: Labels

    def facts(self) -> tuple[tuple[Accelerator, ...], tuple[MachineTaint, ...], Labels]:
        """What two kinds must share to be told as one."""
        return self.accelerators, self.taints, self.labels


@dataclass(frozen=True, slots=True)
class Group:
    """Machines of one kind with the same free vector, and the same values of the labels that are asked about."""

    kind: Kind
    free: tuple[int, ...]
    values: tuple[str | None, ...] = ()

    def capacity(self, request: Mapping[str, int]) -> int:
        """How many pods of the request one such machine still takes."""
        there = dict(zip(self.kind.resources, self.free, strict=True))
        return min((there.get(name, 0) // value for name, value in request.items() if value > 0), default=0)

    def less(self, request: Mapping[str, int], pods: int) -> "Group":
        """The same machine with that many pods more."""
        free = tuple(f - request.get(n, 0) * pods for n, f in zip(self.kind.resources, self.free, strict=True))
        return Group(self.kind, free, self.values)

    def shape(self, count: int) -> Shape:
        """`count` such machines as a shape."""
        kind = self.kind
        return Shape(
            count=count,
            free=dict(zip(kind.resources, self.free, strict=True)),
            allocatable=dict(zip(kind.resources, kind.allocatable, strict=True)),
            accelerators=kind.accelerators,
            labels=dict(kind.labels),
            taints=kind.taints,
        )


@dataclass(frozen=True, slots=True)
class ExpectedPods:
    """Pods that were promised to the hub and are not bound yet.

    `labels` are what the pods require of a machine: keys to the values that will do.
    """

    request: Mapping[str, int]
    count: int
    labels: Mapping[str, tuple[str, ...]]
    tolerations: tuple[PodToleration, ...] = ()


def subtract(groups: dict[Group, int], expected: Iterable[ExpectedPods], label_keys: tuple[str, ...]) -> int:
    """Take expected pods out of the groups, in their order, the fullest machines that fit them first.

    `label_keys` are the keys of `Group.values`. Returns how many pods fit nowhere; those are taken from nothing.
    """
    homeless = 0
    for pods in expected:
        homeless += _place(groups, pods, label_keys)
    return homeless


def _place(groups: dict[Group, int], pods: ExpectedPods, label_keys: tuple[str, ...]) -> int:
    left = pods.count
    asked = [name for name, value in pods.request.items() if value > 0]
    candidates = [
        (group, capacity)
        for group in groups
        if (capacity := group.capacity(pods.request)) > 0 and _suits(group, pods, label_keys)
    ]
    # The fullest first; machines without what the pods don't ask for (accelerators) before those with it.
    candidates.sort(key=lambda found: _emptiness(found[0], asked))
    for group, capacity in candidates:
        if left <= 0:
            break
        machines = groups.pop(group)
        full, rest = divmod(left, capacity)
        full = min(full, machines)
        rest = rest if full < machines else 0
        _put(groups, group.less(pods.request, capacity), full)
        _put(groups, group.less(pods.request, rest), 1 if rest else 0)
        _put(groups, group, machines - full - (1 if rest else 0))
        left -= full * capacity + rest
    return max(0, left)


def _put(groups: dict[Group, int], group: Group, machines: int) -> None:
    if machines:
        groups[group] = groups.get(group, 0) + machines


def _suits(group: Group, pods: ExpectedPods, label_keys: tuple[str, ...]) -> bool:
    values = dict(zip(label_keys, group.values, strict=True))
    if any(values.get(key) not in allowed for key, allowed in pods.labels.items()):
        return False
    return untolerated(group.kind.taints, pods.tolerations) is None


def _emptiness(group: Group, asked: list[str]) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
    free = dict(zip(group.kind.resources, group.free, strict=True))
    unasked = sum(free.get(a.resource_name, 0) for a in group.kind.accelerators if a.resource_name not in asked)
    # Accelerators and other extended resources decide before cpu and memory do.
    order = sorted(asked, key=lambda name: ("/" not in name, name))
    return unasked, tuple(free.get(name, 0) for name in order), group.free
