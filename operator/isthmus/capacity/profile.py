"""The resource profile as the code works with it: exact integers, one entry for machines that are alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Accelerator:
    """What a machine holds under one extended resource name."""

    vendor: str
    resource_name: str
    model: str
    memory_bytes: int | None = None
    partition_profile: str | None = None


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
    units; `pods` among them). A machine that takes no pods at all (cordoned, not ready) stands in no shape.
    """

    count: int
    free: Mapping[str, int]
    allocatable: Mapping[str, int]
    accelerators: tuple[Accelerator, ...] = ()
    labels: Mapping[str, str] | None = None
    taints: tuple[MachineTaint, ...] = ()


@dataclass(frozen=True, slots=True)
class AcceleratorTotal:
    """Accelerators of one kind over all machines."""

    accelerator: Accelerator
    total: int
    free: int


@dataclass(frozen=True, slots=True)
class Profile:
    """What a member has and what of it is free."""

    observed_at: datetime
    machines: int
    allocatable: Mapping[str, int]
    free: Mapping[str, int]
    accelerators: tuple[AcceleratorTotal, ...]
    shapes: tuple[Shape, ...]
    sequence: int = 0
    visible_beyond: tuple[int, ...] = ()
