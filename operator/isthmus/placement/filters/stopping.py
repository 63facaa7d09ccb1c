"""A job that is to be rerun after its node was lost must stop there within the time that the node allows for it."""

from isthmus.placement.candidate import Candidate
from isthmus.placement.verdict import Rejection

ALLOWANCE_TOO_SHORT = "StopAllowanceTooShort"


def stopping(candidate: Candidate) -> Rejection | None:
    """Reject a node where the job's pods may still run once they are counted as stopped."""
    grace, allowance = candidate.demand.grace_seconds, candidate.node.stop_allowance_seconds
    if grace is None or grace <= allowance:
        return None
    gist = f"its pods may take {grace} s to stop"
    said = (
        f"{gist}, onNodeLost Rerun goes by {allowance} s here; lower terminationGracePeriodSeconds to that, or have "
        "the node's stopAllowanceSeconds raised"
    )
    return Rejection(ALLOWANCE_TOO_SHORT, said, permanent=True, gist=gist)
