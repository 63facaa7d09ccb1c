"""Which machines of a node a job may use, and what stands against the others."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Flag, auto

from isthmus.api import core
from isthmus.capacity.accelerators import model_matches
from isthmus.capacity.profile import Accelerator, MachineTaint

from .demand import Demand
from .snapshot import PriceView

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
    SIZE = auto()


ACCELERATOR = Obstacle.MODEL | Obstacle.MEMORY | Obstacle.PARTITION


@dataclass(frozen=True, slots=True)
class Kind:
    """Machines that are alike but for what is free on them."""

    count: int
    allocatable: Vector
    accelerators: tuple[Accelerator, ...]
    labels: Mapping[str, str]
    taints: tuple[MachineTaint, ...]


def tolerated(taint: MachineTaint, tolerations: tuple[core.PodToleration, ...]) -> bool:
    """Whether one of the tolerations matches the taint, as Kubernetes matches them."""
    return any(
        (not t.effect or t.effect == taint.effect)
        and (not t.key or t.key == taint.key)
        and (t.operator == "Exists" or (bool(t.key) and t.value == taint.value))
        for t in tolerations
    )


def _unfit(demand: Demand, accelerator: Accelerator) -> Obstacle:
    """Why an accelerator is not one the job asks for; unknown memory or partition is not what was asked for."""
    if demand.models and not any(model_matches(wanted, accelerator.model) for wanted in demand.models):
        return Obstacle.MODEL
    if demand.minimum_memory_bytes and (accelerator.memory_bytes or 0) < demand.minimum_memory_bytes:
        return Obstacle.MEMORY
    if demand.partition_profile and accelerator.partition_profile != demand.partition_profile:
        return Obstacle.PARTITION
    return Obstacle.NONE


def used_accelerators(demand: Demand, kind: Kind) -> tuple[Accelerator, ...]:
    """The accelerators of such a machine that a pod of the job would hold.

    Where its request names none of the machine's accelerator resources but the job says which it wants, those that
    match: the pod may reach them by other means, and the machine must have them.
    """
    named = tuple(a for a in kind.accelerators if demand.request.get(a.resource_name))
    if named or not demand.picky:
        return named
    return tuple(a for a in kind.accelerators if not _unfit(demand, a))


def obstacle(demand: Demand, kind: Kind, price: PriceView | None) -> Obstacle:
    """The first thing that keeps the job off such machines, size apart; NONE where nothing does."""
    used = used_accelerators(demand, kind)
    if demand.picky:
        if not used:
            return max((_unfit(demand, a) for a in kind.accelerators), key=_stage, default=Obstacle.MODEL)
        unfit = [found for a in used if (found := _unfit(demand, a))]
        if unfit:
            return min(unfit, key=_stage)
    if price is not None and any(price.of_model(a.model) is None for a in used):
        return Obstacle.UNPRICED
    if any(kind.labels.get(key) != value for key, value in demand.machine_selector.items()):
        return Obstacle.LABEL
    if not all(tolerated(taint, demand.machine_tolerations) for taint in kind.taints):
        return Obstacle.TAINT
    return Obstacle.NONE


def _stage(found: Obstacle) -> int:
    """How far the checks came before they met the obstacle."""
    return found.value
