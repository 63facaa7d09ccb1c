"""The node must have accelerators of a model, memory and partition that the job asks for."""

from functools import lru_cache

from isthmus.api.quantities import MEMORY, text
from isthmus.capacity.accelerators import model_matches
from isthmus.capacity.profile import Accelerator
from isthmus.placement.candidate import Candidate
from isthmus.placement.machines import Obstacle
from isthmus.placement.nearest import nearest_models
from isthmus.placement.verdict import Rejection

MODEL_NOT_OFFERED = "ModelNotOffered"
MEMORY_TOO_SMALL = "AcceleratorMemoryTooSmall"
PARTITION_NOT_OFFERED = "PartitionNotOffered"
NOT_LABELLED = "AcceleratorsNotLabelled"
_OTHERS = Obstacle.UNPRICED | Obstacle.LABEL | Obstacle.TAINT


def accelerator(candidate: Candidate) -> Rejection | None:
    """Reject a node none of whose accelerators is what the job asks for, and say what it has."""
    demand, room = candidate.demand, candidate.room
    if not demand.picky or not room.kinds:
        return None
    if demand.models and not _any_matches(demand.models, room.models):  # as most nodes: the offer need not be known
        return _other_model(demand.models, room.models, candidate.fleet.models)
    return _unlike(candidate)


def _unlike(candidate: Candidate) -> Rejection | None:
    """What speaks against accelerators of a model asked for, or of any where none is named."""
    demand, room, offer = candidate.demand, candidate.room, candidate.offer
    if offer.accelerators or offer.obstacles & _OTHERS:
        return None
    there = tuple(dict.fromkeys(a for kind in candidate.room.kinds for a in kind.accelerators))
    if Obstacle.UNLABELLED in offer.obstacles:
        said = "no label tells the machines that would do from others with the same resource"
        return Rejection(NOT_LABELLED, said, permanent=True)
    if Obstacle.PARTITION in offer.obstacles:
        return _partition(candidate, there)
    if Obstacle.MEMORY in offer.obstacles:
        return _memory(candidate, there)
    if Obstacle.MODEL in offer.obstacles:
        return _other_model(demand.models, room.models, candidate.fleet.models)
    return None


@lru_cache(maxsize=4096)
def _any_matches(models: tuple[str, ...], there: tuple[str, ...]) -> bool:
    return any(model_matches(wanted, model) for wanted in models for model in there)


@lru_cache(maxsize=4096)
def _other_model(models: tuple[str, ...], there: tuple[str, ...], everywhere: tuple[str, ...]) -> Rejection:
    wants = f"wants {' or '.join(models) or 'an accelerator'}"
    has = ", ".join(there) or "no accelerators"
    if not models or any(model_matches(w, m) for w in models for m in everywhere):
        return Rejection(MODEL_NOT_OFFERED, f"{wants}; this node has {has}", permanent=True, gist=wants)
    near = ", ".join(nearest_models(models, everywhere))
    hint = f"nearest offered: {near}" if near else "no node offers it"
    return Rejection(
        MODEL_NOT_OFFERED, f"{wants}; this node has {has}; {hint}", permanent=True, gist=f"{wants}; {hint}"
    )


def _memory(candidate: Candidate, there: tuple[Accelerator, ...]) -> Rejection:
    wants = f"wants {text(MEMORY, candidate.demand.minimum_memory_bytes or 0)} of memory on each accelerator"
    has = ", ".join(sorted({f"{a.model} with {_memory_of(a)}" for a in there}))
    return Rejection(MEMORY_TOO_SMALL, f"{wants}; this node has {has}", permanent=True, gist=wants)


def _memory_of(offered: Accelerator) -> str:
    return "unknown memory" if offered.memory_bytes is None else text(MEMORY, offered.memory_bytes)


def _partition(candidate: Candidate, there: tuple[Accelerator, ...]) -> Rejection:
    wants = f"wants partition {candidate.demand.partition_profile}"
    has = ", ".join(sorted({f"{a.model} {a.partition_profile or 'whole'}" for a in there}))
    return Rejection(PARTITION_NOT_OFFERED, f"{wants}; this node has {has}", permanent=True, gist=wants)
