"""The hub namespace that holds one node's Dispatches."""

from isthmus.api.names import LABEL_MANAGED_BY, LABEL_NODE, MANAGED_BY, node_namespace
from isthmus.clusters import NAMESPACES, AlreadyExists, Conflict, KubernetesApi


async def ensure_node_namespace(hub: KubernetesApi, node: str) -> None:
    """Make the namespace where it is not there. Raises Conflict while a former one of that name is being deleted."""
    name = node_namespace(node)
    metadata = {"name": name, "labels": {LABEL_NODE: node, LABEL_MANAGED_BY: MANAGED_BY}}
    try:
        await hub.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    except AlreadyExists:
        present = await hub.get(NAMESPACES, name)
        if present["metadata"].get("deletionTimestamp"):
            raise Conflict(409, "Terminating", f"namespace {name} of a former node is still being deleted") from None
