"""The node must be cleared for the class of the job's data. It fails closed: what is not stated is not cleared."""

from isthmus.placement.candidate import Candidate
from isthmus.placement.verdict import Rejection

NOT_CLEARED = "NotCleared"


def classification(candidate: Candidate) -> Rejection | None:
    """Reject a node that does not name the data's class among its clearances."""
    wanted = candidate.demand.classification
    if wanted is None or wanted in candidate.node.classifications:
        return None
    gist = f"data of class {wanted}"
    here = ", ".join(sorted(candidate.node.classifications)) or "none"
    return Rejection(NOT_CLEARED, f"{gist}; the node is cleared for {here}", permanent=True, gist=gist)
