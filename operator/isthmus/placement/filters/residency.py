"""The node must be cleared for a jurisdiction in which the job's data may be. It fails closed, as clearance does."""

from isthmus.placement.candidate import Candidate
from isthmus.placement.verdict import Rejection

RESIDENCY_MISMATCH = "ResidencyMismatch"


def residency(candidate: Candidate) -> Rejection | None:
    """Reject a node that names none of the jurisdictions where the data may be."""
    allowed = candidate.demand.residency
    if not allowed or not candidate.node.jurisdictions.isdisjoint(allowed):
        return None
    gist = f"data that may be in {' or '.join(allowed)}"
    here = ", ".join(sorted(candidate.node.jurisdictions)) or "none"
    said = f"{gist}; the node is cleared for {here}"
    return Rejection(RESIDENCY_MISMATCH, said, permanent=True, gist=gist)
