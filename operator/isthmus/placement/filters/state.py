"""The node must be ready, neither cordoned nor drained, and have published machines that take pods."""

from isthmus.placement.candidate import Candidate
from isthmus.placement.verdict import Rejection

CORDONED = "Cordoned"
DRAINED = "Drained"
NOT_READY = "NotReady"
NO_PROFILE = "NoProfile"
NO_MACHINES = "NoMachines"


def state(candidate: Candidate) -> Rejection | None:
    """Reject a node that is cordoned, drained, not ready (with its own reason), or has no machine to offer."""
    node = candidate.node
    if node.scheduling_state == DRAINED:
        return Rejection(DRAINED, "the node is drained of its work and takes no new work")
    if node.scheduling_state != "Active":
        return Rejection(CORDONED, "the node is cordoned and takes no new work")
    if not node.ready:
        said = node.not_ready_message or "the node is not ready"
        return Rejection(node.not_ready_reason or NOT_READY, said)
    if node.profile is None:
        return Rejection(NO_PROFILE, "the node has not published its capacity yet")
    if not candidate.room.kinds:
        return Rejection(NO_MACHINES, "the node has no machine that takes pods at the moment")
    return None
