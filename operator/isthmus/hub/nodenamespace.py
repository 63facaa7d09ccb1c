"""The hub namespace that holds one node's Dispatches."""

from collections.abc import Callable

from isthmus.api.names import LABEL_MANAGED_BY, LABEL_NODE, MANAGED_BY, node_namespace
from isthmus.clusters import NAMESPACES, AlreadyExists, Conflict, Invalid, KubernetesApi

from .accounts import NamespaceView


class NamespaceGoing(Conflict):
    """A former namespace of that name is still being deleted."""

    reason = "NamespaceTerminating"


def node_namespace_stands(seen: Callable[[str], NamespaceView | None], node: str) -> bool:
    """Whether the namespace, as the watch has `seen` those of the hub by name, is the node's and stays."""
    found = seen(node_namespace(node))
    return found is not None and found.metadata.labels.get(LABEL_NODE) == node and not found.metadata.deletion_timestamp


async def ensure_node_namespace(hub: KubernetesApi, node: str) -> None:
    """Make the namespace where it is not there. Raises NamespaceGoing while a former one is being deleted."""
    name = node_namespace(node)
    metadata = {"name": name, "labels": {LABEL_NODE: node, LABEL_MANAGED_BY: MANAGED_BY}}
    try:
        await hub.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    except AlreadyExists:
        present = await hub.get(NAMESPACES, name)
        if (present["metadata"].get("labels") or {}).get(LABEL_NODE) != node:
            raise Invalid(409, "NamespaceTaken", f"namespace {name} is there without the label {LABEL_NODE}") from None
        if present["metadata"].get("deletionTimestamp"):
            raise NamespaceGoing(409, "Terminating", f"a former namespace {name} is still being deleted") from None
