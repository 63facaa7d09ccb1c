"""The node's machines must have room for all pods of the job now."""

from isthmus.api.quantities import text
from isthmus.placement.candidate import Candidate
from isthmus.placement.fit import wanted
from isthmus.placement.room import pods_on
from isthmus.placement.verdict import Rejection

INSUFFICIENT = "InsufficientCapacity"


def room(candidate: Candidate) -> Rejection | None:
    """Reject a node without room for the job at the moment, and say how much there is and what is short."""
    demand = candidate.demand
    if candidate.fit.pods_free >= demand.width:
        return None
    if candidate.room.overdrawn:
        return Rejection(INSUFFICIENT, "work sent earlier waits for room here; the node's next figures will tell")
    short = _short(candidate)
    pods = "1 pod" if demand.width == 1 else f"{demand.width} pods"
    said = f"needs {pods} of {_shown(candidate)}; room for {candidate.fit.pods_free} now"
    return Rejection(INSUFFICIENT, f"{said}, short of {short}" if short else said)


def _short(candidate: Candidate) -> str:
    """The resource without which most pods would fit; several where only all of them together fall short."""
    offer, free = candidate.offer, candidate.room
    if offer.need is None:
        return ""
    names = {axis: name for name, axis in free.axes.items()}
    best, shortest = candidate.fit.pods_free, ""
    for axis, _ in offer.need:
        others = tuple(pair for pair in offer.need if pair[0] != axis)
        fits = sum(pods_on(p[1], others) * count for p, count in free.parts.items() if p[0] in offer.kinds)
        if others and fits > best:
            best, shortest = fits, names[axis]
    return shortest


def _shown(candidate: Candidate) -> str:
    return " + ".join(f"{text(name, amount)} {name}" for name, amount in wanted(candidate.demand).items())
