"""Whether a cluster can be a node's member: not where it is the hub, another node's, or not the one it was. Pure."""

from collections.abc import Collection, Iterable

from .fleetnode import FleetNode
from .nodestatus import Problem


def misfit(
    known: FleetNode, nodes: Iterable[FleetNode], cluster_uid: str, *, hub_uid: str, clusters: Collection[str]
) -> Problem | None:
    """Why the cluster can't be the member of `known`, whose shards stand in `clusters`; None where it can.

    Of two nodes for one cluster the one that came first keeps it, and after a restart of the hub the older one.
    """
    local = known.node.spec.access.local is not None
    if cluster_uid == hub_uid and not local:
        return (
            "PointsAtHub",
            "the kubeconfig leads to the hub itself; use access.local to lend the hub's own machines",
        )
    if set(clusters) - {cluster_uid}:
        message = "the kubeconfig leads to another cluster than the one where shards of this node stand"
        return "MemberChanged", f"{message}; give back the former one, or make a new ComputeNode for this one"
    for other in nodes:
        if other is known:
            continue
        mate = other.node.metadata["name"]
        if cluster_uid == (other.facts.cluster_uid or (_older(other, known) and other.claimed())):
            return "DuplicateMember", f"ComputeNode {mate} is this cluster already; delete one of the two"
        if _older(other, known) and other.node.spec.identity.code == known.node.spec.identity.code:
            return "DuplicateIdentity", f"ComputeNode {mate} has the same spec.identity.code; codes are unique"
    return None


def _older(other: FleetNode, known: FleetNode) -> bool:
    left, right = other.node.metadata, known.node.metadata
    return (left["creationTimestamp"], left["name"]) < (right["creationTimestamp"], right["name"])
