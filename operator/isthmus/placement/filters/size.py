"""The node's machines must be able to hold the job's pods, even if only when empty."""

from isthmus.api.quantities import text
from isthmus.placement.candidate import Candidate
from isthmus.placement.fit import wanted
from isthmus.placement.machines import Obstacle
from isthmus.placement.verdict import Rejection

NEVER_FITS = "NeverFits"
NOT_OFFERED = "ResourceNotOffered"
MACHINE_TAINTS = "UntoleratedMachineTaints"
MACHINE_LABELS = "MachineLabelMismatch"


def size(candidate: Candidate) -> Rejection | None:
    """Reject a node whose machines, all empty, could not hold all pods of the job at once, and say what is short."""
    demand, offer = candidate.demand, candidate.offer
    if offer.pods_empty >= demand.width:
        return None
    if offer.pods_empty:
        said = f"needs {demand.width} pods at once; all machines it may use, empty, hold {offer.pods_empty}"
        return Rejection(NEVER_FITS, said, permanent=True)
    reason, said = _why_none(candidate)
    return Rejection(reason, said, permanent=True)


def _why_none(candidate: Candidate) -> tuple[str, str]:
    """Why not even one pod goes on any empty machine."""
    request, room = wanted(candidate.demand), candidate.room
    if not room.kinds:
        return NEVER_FITS, "the node has no machine that takes pods"
    largest = {
        name: max((k.allocatable[room.axes[name]] for k in room.kinds), default=0) if name in room.axes else 0
        for name in request
    }
    for name in request:
        if not largest[name]:
            return NOT_OFFERED, f"needs {_count(name, request[name])}; this node has no {name}"
    for name in request:
        if largest[name] < request[name]:
            said = f"needs {_count(name, request[name])} on one machine; the largest machine has"
            return NEVER_FITS, f"{said} {text(name, largest[name])}"
    obstacles = candidate.offer.obstacles
    if Obstacle.TAINT in obstacles:
        met = sorted({t.key for kind in room.kinds for t in kind.taints})
        return MACHINE_TAINTS, f"the pods do not tolerate the taints of the machines that would do: {', '.join(met)}"
    if Obstacle.LABEL in obstacles:
        asked = ", ".join(f"{k}={v}" for k, v in sorted(candidate.demand.machine_selector.items()))
        return MACHINE_LABELS, f"the pods want machines with {asked}; this node has none that would do"
    shown = " + ".join(_count(name, amount) for name, amount in request.items())
    return NEVER_FITS, f"needs {shown} on one machine; no machine it may use has all of that"


def _count(name: str, amount: int) -> str:
    return f"{text(name, amount)} {name}" if name in {"cpu", "memory"} else f"{text(name, amount)} x {name}"
