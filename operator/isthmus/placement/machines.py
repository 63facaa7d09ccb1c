"""Which machines of a node a job may use, and what stands against the others."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Flag, auto
from functools import lru_cache

from isthmus.capacity.accelerators import model_matches
from isthmus.capacity.families import FAMILIES
from isthmus.capacity.machines import ARCH_LABEL, OS_LABEL
from isthmus.capacity.profile import Accelerator, MachineTaint
from isthmus.capacity.shares import CardLimits
from isthmus.capacity.taints import untolerated

from .demand import Demand

Vector = tuple[int, ...]
"""Amounts by resource, in the order of a room's axes."""


class Obstacle(Flag):
    """What keeps a job off a kind of machine."""

    NONE = 0
    MODEL = auto()
    MEMORY = auto()
    PARTITION = auto()
    UNPRICED = auto()
    LABEL = auto()
    TAINT = auto()
    UNLABELLED = auto()


# Labels whose absence tells something too: a machine with an accelerator that is told by such a label carries it. Other
# labels of a pod's nodeSelector count where the profile tells them; else they are between the pod and the member.
TOLD_LABELS = frozenset(
    {ARCH_LABEL, OS_LABEL, *(label.key for family in FAMILIES for label in family.model_labels if "{" not in label.key)}
)
ACCELERATOR = Obstacle.MODEL | Obstacle.MEMORY | Obstacle.PARTITION


@dataclass(frozen=True, slots=True)
class Kind:
    """Machines that are alike but for what is free on them; `labels` are all that the profile tells of them.

    Those that are `coming` are not there yet: an autoscaler adds them once pods wait for them. Where `cards` are told,
    pods may have a part of one card. `mould` is the same object for such machines on other nodes, or for more or fewer
    of them, where that is known.
    """

    count: int
    allocatable: Vector
    accelerators: tuple[Accelerator, ...]
    labels: Mapping[str, str]
    taints: tuple[MachineTaint, ...]
    coming: bool = False
    cards: CardLimits | None = None
    mould: object = field(default_factory=object, compare=False, repr=False)


_same_model = lru_cache(maxsize=4096)(model_matches)


def _unfit(demand: Demand, accelerator: Accelerator) -> Obstacle:
    """Why an accelerator is not one the job asks for; unknown memory or partition is not what was asked for."""
    if demand.models and not any(_same_model(wanted, accelerator.model) for wanted in demand.models):
        return Obstacle.MODEL
    if demand.minimum_memory_bytes and (accelerator.memory_bytes or 0) < demand.minimum_memory_bytes:
        return Obstacle.MEMORY
    if demand.partition_profile and accelerator.partition_profile != demand.partition_profile:
        return Obstacle.PARTITION
    return Obstacle.NONE


def named_accelerators(demand: Demand, kind: Kind) -> tuple[Accelerator, ...]:
    """The accelerators of such a machine whose resource the job's pods ask for."""
    return tuple([a for a in kind.accelerators if demand.request.get(a.resource_name)]) if kind.accelerators else ()


def used_accelerators(demand: Demand, kind: Kind) -> tuple[Accelerator, ...]:
    """The accelerators of such a machine that a pod of the job would hold.

    Where its request names none of the machine's accelerator resources but the job says which it wants, those that
    match: the pod may reach them by other means, and the machine must have them.
    """
    named = named_accelerators(demand, kind)
    if named or not demand.picky:
        return named
    return tuple(a for a in kind.accelerators if not _unfit(demand, a))


def obstacle(demand: Demand, kind: Kind, used: tuple[Accelerator, ...], selector: Mapping[str, str]) -> Obstacle:
    """The first thing that keeps the job off such machines, size and price apart; NONE where nothing does.

    `used` are the accelerators that its pods would hold there, `selector` the labels that a machine must carry.
    """
    if demand.picky:
        unfit = [found for a in used or kind.accelerators if (found := _unfit(demand, a)) is not Obstacle.NONE]
        if not used:
            return max(unfit, key=_stage) if unfit else Obstacle.MODEL
        if unfit:
            return min(unfit, key=_stage)
    if selector and any(kind.labels.get(key) != value for key, value in selector.items()):
        return Obstacle.LABEL
    if kind.taints and untolerated(kind.taints, demand.machine_tolerations) is not None:
        return Obstacle.TAINT
    return Obstacle.NONE


def selector_of(demand: Demand, kinds: tuple[Kind, ...]) -> Mapping[str, str]:
    """What of the pods' nodeSelector can be judged by what the machines' profile tells."""
    if not demand.machine_selector:
        return {}
    told = TOLD_LABELS.union(*(kind.labels for kind in kinds))
    return {key: value for key, value in demand.machine_selector.items() if key in told}


def _stage(found: Obstacle) -> int:
    """How far the checks came before they met the obstacle."""
    return found.value
