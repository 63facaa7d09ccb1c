"""The node must be of a tier that the job allows."""

from isthmus.placement.candidate import Candidate
from isthmus.placement.verdict import Rejection

TIER_MISMATCH = "TierMismatch"


def tier(candidate: Candidate) -> Rejection | None:
    """Reject a node of another tier than those the job names."""
    tiers = candidate.demand.tiers
    if not tiers or candidate.node.tier in tiers:
        return None
    return Rejection(TIER_MISMATCH, f"wants tier {' or '.join(tiers)}; this is {candidate.node.tier}", permanent=True)
