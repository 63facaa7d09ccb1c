"""The job must tolerate every taint of the node."""

from isthmus.api.computenode import Taint
from isthmus.api.placement import Toleration
from isthmus.placement.candidate import Candidate
from isthmus.placement.verdict import Rejection

UNTOLERATED = "UntoleratedTaint"


def taints(candidate: Candidate) -> Rejection | None:
    """Reject a ComputeNode with a taint that none of the job's tolerations matches."""
    for taint in candidate.node.taints:
        if not any(_matches(toleration, taint) for toleration in candidate.demand.tolerations):
            shown = f"{taint.key}={taint.value}" if taint.value else taint.key
            return Rejection(UNTOLERATED, f"the job does not tolerate the node's taint {shown}", permanent=True)
    return None


def _matches(toleration: Toleration, taint: Taint) -> bool:
    return toleration.key == taint.key and (toleration.operator == "Exists" or toleration.value == taint.value)
