"""A node that an earlier attempt must not go back to."""

from isthmus.placement.candidate import Candidate
from isthmus.placement.verdict import Rejection

AVOIDED = "Avoided"


def avoided(candidate: Candidate) -> Rejection | None:
    """Reject a node that the job's earlier attempts rule out."""
    if candidate.node.name in candidate.demand.avoid:
        return Rejection(AVOIDED, "an earlier attempt of the job was refused or lost here", permanent=True)
    return None
