"""The packing rules by the names that the commands give them."""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from isthmus.placement.packing import Columns, Machine, PodClass, PodClasses


class Policy(StrEnum):
    """What chooses the machine."""

    FRAGMENTATION = "fragmentation"
    BESTFIT = "bestfit"
    RANDOM = "random"


def columns_of(
    policy: Policy, classes: "PodClasses", machines: "Sequence[Machine]", workload: "Sequence[PodClass]"
) -> "Columns":
    """The policy's rule over these machines; `workload` are the pods of which more are likely to come."""
    from isthmus.placement.packing import BestFit, Columns, Fragmentation, Uniform

    match policy:
        case Policy.FRAGMENTATION:
            return Columns(Fragmentation(classes, machines, Counter(workload)))
        case Policy.BESTFIT:
            return Columns(BestFit(classes, machines))
        case Policy.RANDOM:
            return Columns(Uniform(classes))
