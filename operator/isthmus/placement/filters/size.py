"""The node's machines must be able to hold the job's pods, even if only when empty."""

from collections.abc import Sequence
from functools import lru_cache

from isthmus.api.quantities import text
from isthmus.placement.candidate import Candidate
from isthmus.placement.fit import offer_of
from isthmus.placement.machines import Obstacle
from isthmus.placement.room import Room
from isthmus.placement.verdict import Rejection
from isthmus.placement.wording import asked, counted, pod_request, pods_wanted

NEVER_FITS = "NeverFits"
NOT_OFFERED = "ResourceNotOffered"
MACHINE_TAINTS = "UntoleratedMachineTaints"
MACHINE_LABELS = "MachineLabelMismatch"


def size(candidate: Candidate) -> Rejection | None:
    """Reject a node whose machines, all empty, could not hold all pods of the job at once, and say what is short.

    Of a split job, as many as are worth a piece.
    """
    demand, room = candidate.demand, candidate.room
    if not room.kinds:
        return None
    offer = candidate.offer
    if offer.pods_empty >= candidate.least:
        return None
    if Obstacle.UNPRICED in offer.obstacles and offer_of(demand, room, None).pods_empty >= candidate.least:
        return None  # the machines would do, but for their prices
    return _too_few(candidate) if offer.pods_empty else _too_small(candidate)


def _too_few(candidate: Candidate) -> Rejection:
    wanted, there = pods_wanted(candidate.demand), candidate.offer.pods_empty
    said = f"needs {wanted} of {pod_request(candidate.demand)} at once; the machines it may use hold {there} if empty"
    return Rejection(NEVER_FITS, said, permanent=True, gist=f"needs {wanted} at once")


def _too_small(candidate: Candidate) -> Rejection:
    """Why not even one pod goes on any empty machine."""
    request, room, obstacles = asked(candidate.demand), candidate.room, candidate.offer.obstacles
    for name, amount in request:
        if not room.largest.get(name):
            return _not_offered(name, amount)
    if (card := _card_too_small(request, room)) is not None:
        return card
    for name, amount in request:
        if room.largest[name] < amount:
            return _machine_too_small(name, amount, room.largest[name])
    if Obstacle.TAINT in obstacles:
        met = ", ".join(sorted({taint.key for kind in room.kinds for taint in kind.taints}))
        return Rejection(MACHINE_TAINTS, f"the pods do not tolerate the machines' taints: {met}", permanent=True)
    if Obstacle.LABEL in obstacles:
        wants = ", ".join(f"{key}={value}" for key, value in sorted(candidate.demand.machine_selector.items()))
        said = f"the pods want machines with {wants}; none that would do has that"
        return Rejection(MACHINE_LABELS, said, permanent=True, gist=wants)
    gist = f"needs {pod_request(candidate.demand)} on one machine"
    return Rejection(NEVER_FITS, f"{gist}; no machine that it may use has all of that", permanent=True, gist=gist)


@lru_cache(maxsize=4096)
def _not_offered(name: str, amount: int) -> Rejection:
    gist = f"needs {counted(name, amount)}"
    return Rejection(NOT_OFFERED, f"{gist}; this node has no {name}", permanent=True, gist=gist)


@lru_cache(maxsize=4096)
def _machine_too_small(name: str, amount: int, largest: int) -> Rejection:
    gist = f"needs {counted(name, amount)} on one machine"
    said = f"{gist}; the largest machine has {text(name, largest)}"
    return Rejection(NEVER_FITS, said, permanent=True, gist=gist)


def _card_too_small(request: Sequence[tuple[str, int]], room: Room) -> Rejection | None:
    """What the pod asks of a card that no card has, or that it asks for no card; None where that is not what is wrong.

    Machines that have the resource without telling of cards are judged by what each has in all.
    """
    limits = [kind.cards for kind in room.kinds if kind.cards is not None]
    for name, amount in request if limits else ():
        most = [dict(cards.most)[name] for cards in limits if name in dict(cards.most) and name != cards.resource]
        if most and max(most) < amount:
            gist = f"needs {counted(name, amount)} on one card"
            said = f"{gist}; the largest card has {text(name, max(most))}"
            return Rejection(NEVER_FITS, said, permanent=True, gist=gist)
        missing = [
            cards.resource for cards in limits if name in dict(cards.most) and cards.resource not in dict(request)
        ]
        if missing:
            said = f"asks for {name}, but for no {missing[0]} that it is to be of"
            return Rejection(NEVER_FITS, said, permanent=True, gist=f"asks for no {missing[0]}")
    return None
