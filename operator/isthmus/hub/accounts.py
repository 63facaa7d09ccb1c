"""Which account pays for a namespace: its label, else its name."""

from isthmus.api.core import Metadata, Object
from isthmus.api.names import LABEL_ACCOUNT
from isthmus.clusters import NAMESPACES, Informer, KubernetesApi

from .dispatches import OnConnection


class NamespaceView(Object):
    """A namespace, as far as its account goes."""

    metadata: Metadata


class Accounts:
    """One watch on the hub's namespaces."""

    def __init__(self, hub: KubernetesApi, on_connection: OnConnection | None = None) -> None:
        self.informer: Informer[NamespaceView] = Informer(
            hub, NAMESPACES, type=NamespaceView, on_connection=on_connection, longest_pause_seconds=5.0
        )

    def namespace(self, name: str) -> NamespaceView | None:
        """A namespace as last seen."""
        return self.informer.get("", name)

    def of(self, namespace: str) -> str:
        """The account of a namespace."""
        found = self.namespace(namespace)
        return (found.metadata.labels.get(LABEL_ACCOUNT) if found else None) or namespace
