"""The node must have accelerators of a model, memory and partition that the job asks for."""

from difflib import get_close_matches

from isthmus.api.quantities import MEMORY, text
from isthmus.capacity.accelerators import model_matches
from isthmus.capacity.profile import Accelerator
from isthmus.placement.candidate import Candidate
from isthmus.placement.machines import ACCELERATOR, Obstacle
from isthmus.placement.verdict import Rejection

MODEL_NOT_OFFERED = "ModelNotOffered"
MEMORY_TOO_SMALL = "AcceleratorMemoryTooSmall"
PARTITION_NOT_OFFERED = "PartitionNotOffered"


def accelerator(candidate: Candidate) -> Rejection | None:
    """Reject a node none of whose accelerators is what the job asks for, and say what it has."""
    demand, offer = candidate.demand, candidate.offer
    if not demand.picky or offer.accelerators:
        return None
    against = offer.obstacles & ACCELERATOR
    if not against and candidate.room.kinds:
        return None
    offered = _all(candidate)
    if Obstacle.PARTITION in against:
        has = ", ".join(sorted({a.partition_profile or "whole ones" for a in offered})) or "none"
        said = f"wants partition {demand.partition_profile}; this node has {has}"
        return Rejection(PARTITION_NOT_OFFERED, said, permanent=True)
    if Obstacle.MEMORY in against:
        least = text(MEMORY, demand.minimum_memory_bytes or 0)
        has = ", ".join(sorted({f"{a.model} with {_memory(a)}" for a in offered})) or "none"
        said = f"wants {least} of memory on each accelerator; this node has {has}"
        return Rejection(MEMORY_TOO_SMALL, said, permanent=True)
    has = ", ".join(sorted({a.model for a in offered})) or "no accelerators"
    said = f"wants {' or '.join(demand.models) or 'an accelerator'}; this node has {has}{_nearest(candidate)}"
    return Rejection(MODEL_NOT_OFFERED, said, permanent=True)


def _all(candidate: Candidate) -> tuple[Accelerator, ...]:
    return tuple(dict.fromkeys(a for kind in candidate.room.kinds for a in kind.accelerators))


def _memory(offered: Accelerator) -> str:
    return "unknown memory" if offered.memory_bytes is None else text(MEMORY, offered.memory_bytes)


def _nearest(candidate: Candidate) -> str:
    """What the job may have meant, where no node at all has what it names."""
    wanted, models = candidate.demand.models, candidate.fleet.models
    if any(model_matches(w, m) for w in wanted for m in models):
        return ""
    folded = {m.casefold(): m for m in models}
    near = [folded[c] for w in wanted for c in get_close_matches(w.casefold(), folded, n=1, cutoff=0.4)]
    return f"; no node offers it, nearest offered: {', '.join(dict.fromkeys(near))}" if near else "; no node offers it"
