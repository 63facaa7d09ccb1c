"""Machines that are alike, counted: the form in which capacity is subtracted, merged and told."""

from collections.abc import Mapping
from dataclasses import dataclass

from .profile import Accelerator, MachineTaint, Shape
from .shares import CardLimits

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
    cards: CardLimits | None = None

    @property
    def is_part(self) -> bool:
        """Whether this is a part of a machine, beside what stands for the machine itself."""
        return self.cards is not None and self.cards.shared


@dataclass(frozen=True, slots=True)
class Group:
    """Machines of one kind with the same free vector, and the same values of the labels that are asked about.

    `free` is in the order of `kind.resources`.
    """

    kind: Kind
    free: tuple[int, ...]
    values: tuple[str | None, ...] = ()

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
            cards=kind.cards,
        )
