"""The resource profile as the code works with it: exact integers, one entry for machines that are alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from isthmus.api.core import PodToleration

from .shares import CardLimits

NodeLabel = tuple[str, str]
"""Key and value of a label on a machine."""


@dataclass(frozen=True, slots=True)
class Accelerator:
    """What a machine holds under one extended resource name.

    `model` is normalised: it says nothing of partitions or sharing, `partition_profile` does. The labels are what the
    machine carries, word for word: an affinity to all of `labels` leads to machines with this very accelerator.
    """

    vendor: str
    resource_name: str
    model: str
    memory_bytes: int | None = None
    partition_profile: str | None = None
    label: NodeLabel | None = None  # the label that names the model
    other_labels: tuple[NodeLabel, ...] = ()  # those that tell memory and partition, by key

    @property
    def labels(self) -> tuple[NodeLabel, ...]:
        """The node labels that tell such machines from others; empty where the vendor sets none."""
        return self.other_labels if self.label is None else (self.label, *self.other_labels)

    @property
    def meter_model(self) -> str:
        """The model as meters and tariffs name it: a partition has a price of its own."""
        return (self.model if self.partition_profile is None else f"{self.model}/{self.partition_profile}")[:128]


@dataclass(frozen=True, slots=True)
class MachineTaint:
    """A taint that a pod must tolerate to be bound to the machine."""

    key: str
    value: str
    effect: str  # NoSchedule | NoExecute


@dataclass(frozen=True, slots=True)
class Shape:
    """`count` machines with the same free and allocatable vectors, accelerators, labels and taints.

    Vectors are in the units of `isthmus.api.quantities.Resources` (cpu in millicores, memory in bytes, the rest in
    units; `pods` among them). A machine that takes no pods at all (cordoned, not ready) stands in no shape. Where
    `cards` are told pods may have parts of single cards; those that are `shared` are parts of machines, whose
    `allocatable` is told by another shape.
    """

    count: int
    free: Mapping[str, int]
    allocatable: Mapping[str, int]
    accelerators: tuple[Accelerator, ...] = ()
    labels: Mapping[str, str] | None = None
    taints: tuple[MachineTaint, ...] = ()
    cards: CardLimits | None = None

    @property
    def is_part(self) -> bool:
        """Whether these are parts of machines that stand in other shapes."""
        return self.cards is not None and self.cards.shared


@dataclass(frozen=True, slots=True)
class AcceleratorTotal:
    """Accelerators of one kind over all machines that take pods; its `accelerator` carries no node labels."""

    accelerator: Accelerator
    total: int
    free: int


@dataclass(frozen=True, slots=True)
class ExpectedPods:
    """Pods that were promised to the hub and are not bound yet.

    `request` is the effective request of one; `labels` are what the pods require of a machine: keys to the values that
    will do.
    """

    request: Mapping[str, int]
    count: int
    labels: Mapping[str, tuple[str, ...]]
    tolerations: tuple[PodToleration, ...] = ()


@dataclass(frozen=True, slots=True)
class Profile:
    """What a member has and what of it is free, over the `machines` that take pods: ready and not cordoned.

    `waiting` are pods that the hub has sent and that fit on none of these machines. They are out of no figure, and wait
    for machines that are yet to come.
    """

    observed_at: datetime
    machines: int
    allocatable: Mapping[str, int]
    free: Mapping[str, int]
    accelerators: tuple[AcceleratorTotal, ...]
    shapes: tuple[Shape, ...]
    sequence: int = 0
    visible_beyond: tuple[int, ...] = ()
    waiting: tuple[ExpectedPods, ...] = ()
