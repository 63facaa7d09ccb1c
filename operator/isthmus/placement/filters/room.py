"""The node's machines must have room for all pods of the job now, or for as many of a split one as make a piece."""

from isthmus.placement.candidate import Candidate
from isthmus.placement.room import pods_on
from isthmus.placement.verdict import Rejection
from isthmus.placement.wording import pod_request, pods_wanted

from .offer import SHARE_EXHAUSTED, exhausted

INSUFFICIENT = "InsufficientCapacity"
RESERVED = "Reserved"


def reason_of(candidate: Candidate) -> str:
    """The reason that `crowded` gives, without the words."""
    if candidate.room.overdrawn:
        return INSUFFICIENT
    if exhausted(candidate) is not None:
        return SHARE_EXHAUSTED
    return RESERVED if _withheld(candidate) else INSUFFICIENT


def crowded(candidate: Candidate, account: str) -> Rejection:
    """How much room there is on a node that has too little, and what is short, as told to an account."""
    return _crowded(candidate, account).of_variant(candidate.demand.variant)


def _crowded(candidate: Candidate, account: str) -> Rejection:
    if candidate.room.overdrawn:
        return Rejection(INSUFFICIENT, "work sent earlier waits for room here; the node's next figures will tell")
    lent = exhausted(candidate)
    if lent is not None:
        return lent
    held = _withheld(candidate)
    if held:
        gist = f"held for {_holders(candidate, account)}"
        said = f"room for {candidate.fit.pods_free + held} pods now, {gist}"
        return Rejection(RESERVED, said, gist=gist)
    block = _block(candidate)
    if block is not None:
        return block
    gist = f"needs {pods_wanted(candidate.demand)} of {pod_request(candidate.demand)}"
    said = f"{gist}; room for {candidate.fit.pods_free or 'none'} now"
    short = _short(candidate)
    return Rejection(INSUFFICIENT, f"{said}, short of {short}" if short else said, gist=gist)


def largest_block(candidate: Candidate) -> int:
    """How much one machine that the job may use has free: accelerators that its pods hold, else pods of the job."""
    offer = candidate.offer
    if offer.axis is None:
        return candidate.fit.largest_block
    usable = (vector[offer.axis] for (number, vector), _ in candidate.room.parts.items() if number in offer.kinds)
    return max(usable, default=0)


def _block(candidate: Candidate) -> Rejection | None:
    """The accelerators that one pod wants on one machine, where no machine has so many free."""
    offer, demand = candidate.offer, candidate.demand
    largest = largest_block(candidate)
    if offer.axis is None or largest >= offer.per_pod or offer.per_pod < 2:
        return None
    models = demand.models or tuple(dict.fromkeys(a.model for a in offer.accelerators))
    each = f" for each of {demand.least} pods" if demand.least > 1 else ""
    gist = f"needs {offer.per_pod} x {' or '.join(models)} on one machine{each}"
    return Rejection(INSUFFICIENT, f"{gist}; the largest free block is {largest}", gist=gist)


def _short(candidate: Candidate) -> str:
    """The resource without which most pods would fit; none where several fall short together."""
    offer, free = candidate.offer, candidate.room
    names = {axis: name for name, axis in free.axes.items()}
    most, shortest = candidate.fit.pods_free, ""
    for axis, _ in offer.need or ():
        others = tuple(pair for pair in offer.need or () if pair[0] != axis)
        fits = sum(pods_on(part[1], others) * count for part, count in free.parts.items() if part[0] in offer.kinds)
        if others and fits > most:
            most, shortest = fits, names[axis]
    return shortest


def _withheld(candidate: Candidate) -> int:
    """How many pods more would have room but for what is held for other jobs; 0 where even that is too little."""
    need, room, fit = candidate.offer.need or (), candidate.room, candidate.fit
    pods = room.withheld_pods(need, candidate.offer.kinds) if room.withheld else 0
    lent = room.left_to_lend
    whole = fit.on_machines + pods if lent is None else min(fit.on_machines + pods, pods_on(lent, need))
    return whole - fit.pods_free if pods and whole >= candidate.least else 0


def _holders(candidate: Candidate, account: str) -> str:
    """The jobs that it is held for: by name only where the same account pays, as tenants see nothing of each other."""
    named = [
        f"job {h.namespace}/{h.name}" if h.account == account else f"a job of priority {h.priority}"
        for h in candidate.room.holders
    ]
    return " and ".join(dict.fromkeys(named))
