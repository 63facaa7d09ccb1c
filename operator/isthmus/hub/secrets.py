"""The Secrets of the hub's own namespace, where members' kubeconfigs stand, by watch."""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any

from isthmus.api.core import Manifest
from isthmus.clusters import SECRETS, Informer, KubernetesApi

from .dispatches import OnConnection


class SecretStore:
    """One watch; `on_change(name)` follows each change."""

    def __init__(
        self,
        hub: KubernetesApi,
        namespace: str,
        on_change: Callable[[str], None],
        on_connection: OnConnection | None = None,
    ) -> None:
        self._namespace = namespace
        self._on_change = on_change
        self.informer: Informer[Any] = Informer(
            hub,
            SECRETS,
            type=dict,
            namespace=namespace,
            on_change=self._changed,
            on_connection=on_connection,
            longest_pause_seconds=5.0,
        )

    def get(self, name: str) -> Mapping[str, bytes] | None:
        """The content of a Secret, decoded, or None where it is not there."""
        secret = self.informer.get(self._namespace, name)
        if secret is None:
            return None
        try:
            return {key: base64.b64decode(text) for key, text in (secret.get("data") or {}).items()}
        except binascii.Error:  # the API server refuses such a Secret; whoever wrote it did not go through it
            return {}

    def _changed(self, _kind: str, old: Manifest | None, new: Manifest) -> None:
        if old is None or old.get("data") != new.get("data") or _kind == "DELETED":
            self._on_change(new["metadata"]["name"])
