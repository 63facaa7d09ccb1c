"""The node must carry every label of the job's nodeSelector."""

from isthmus.placement.candidate import Candidate
from isthmus.placement.verdict import Rejection

SELECTOR_MISMATCH = "NodeSelectorMismatch"


def node_selector(candidate: Candidate) -> Rejection | None:
    """Reject a ComputeNode that lacks a label, or has another value of it, than the job selects."""
    labels = candidate.node.labels
    for key, value in sorted(candidate.demand.node_selector.items()):
        here = labels.get(key)
        if here != value:
            has = "has no such label" if here is None else f"has {here}"
            return Rejection(SELECTOR_MISMATCH, f"wants label {key}={value}; the node {has}", permanent=True)
    return None
