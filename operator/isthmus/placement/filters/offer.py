"""The node must lend to the job's account, enough of what it asks for, and now."""

from isthmus.api.quantities import text
from isthmus.placement.candidate import Candidate
from isthmus.placement.room import pods_on
from isthmus.placement.verdict import Rejection
from isthmus.placement.wording import counted, pods_wanted

ACCOUNT_NOT_ADMITTED = "AccountNotAdmitted"
SHARE_TOO_SMALL = "ShareTooSmall"
QUEUED_BY_MEMBER = "QueuedByMember"
NOT_OFFERED_NOW = "NotOfferedNow"
SHARE_EXHAUSTED = "ShareExhausted"


def terms(candidate: Candidate) -> Rejection | None:
    """Reject a node whose offer leaves the job's account out, or can never cover the job."""
    offered, demand = candidate.node.terms, candidate.demand
    if offered is None:
        return None
    account = demand.account
    if not offered.admits(account):
        return Rejection(ACCOUNT_NOT_ADMITTED, f"the node's offer does not admit account {account}", permanent=True)
    if offered.queued and demand.grace_seconds is not None:
        said = "a queue of the member decides when the job begins, so onNodeLost Rerun can't be kept to its limit there"
        return Rejection(QUEUED_BY_MEMBER, said, permanent=True)
    return _too_small(candidate)


def _too_small(candidate: Candidate) -> Rejection | None:
    """The share as a whole does not cover the job, or a piece of it."""
    room, need = candidate.room, candidate.offer.need
    if room.share is None or need is None or pods_on(room.share, need) >= candidate.least:
        return None
    name, amount, lent = _scarcest(candidate, room.share)
    wanted = f"needs {counted(name, amount)} for {pods_wanted(candidate.demand)}"
    said = f"{wanted}; the node lends {text(name, lent)}"
    return Rejection(SHARE_TOO_SMALL, said, permanent=True, gist=said)


def hours(candidate: Candidate) -> Rejection | None:
    """Reject a node that lends nothing at the moment."""
    offered = candidate.node.terms
    return (
        Rejection(NOT_OFFERED_NOW, offered.closed, gist=offered.closed)
        if offered is not None and offered.closed
        else None
    )


def exhausted(candidate: Candidate) -> Rejection | None:
    """Whether it is the share that keeps the job off machines which have room for it, and how much is left of it."""
    room, need = candidate.room, candidate.offer.need or ()
    whole = room.left_to_lend
    if whole is None or pods_on(whole, need) >= candidate.least:
        return None
    if candidate.fit.on_machines + room.withheld_pods(need, candidate.offer.kinds) < candidate.least:
        return None
    name, amount, left = _scarcest(candidate, whole)
    lent = (candidate.node.terms.share or {}).get(name, 0) if candidate.node.terms is not None else 0
    said = (
        f"needs {counted(name, amount)} for {pods_wanted(candidate.demand)}; of {text(name, lent)} that the node lends"
        f" {text(name, left)} is left"
    )
    return Rejection(SHARE_EXHAUSTED, said, gist=said)


def _scarcest(candidate: Candidate, lent: tuple[int, ...]) -> tuple[str, int, int]:
    """The resource of which the fewest pods are covered: its name, what the job needs of it, and what is lent."""
    room, need = candidate.room, candidate.offer.need or ()
    names = {axis: name for name, axis in room.axes.items()}
    axis, each = min(need, key=lambda pair: (max(lent[pair[0]], 0) // pair[1], names[pair[0]]))
    return names[axis], each * candidate.least, max(lent[axis], 0)
