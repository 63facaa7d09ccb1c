"""What an informer's cache keeps of an object that is held elsewhere: enough to tell its forms apart."""

from collections.abc import Callable
from functools import partial
from typing import Any, Self

from msgspec import Struct

from isthmus.api.core import Identity, Manifest
from isthmus.clusters import ClusterError, Informer, KubernetesApi, Resource


class Kept(Struct, gc=False, frozen=True):
    """Stands for an object: thousands of finished jobs are held once, as their reconciler needs them."""

    metadata: Identity

    @classmethod
    def of(cls, hand_on: Callable[[Manifest], None], obj: Manifest) -> Self:
        """Hand the object on, and keep its identity; whatever `hand_on` raises, the cache says of the object."""
        hand_on(obj)
        metadata = obj["metadata"]
        namespace = metadata.get("namespace", "")
        return cls(Identity(namespace, metadata["name"], metadata["uid"], metadata["resourceVersion"]))


def keeping_informer(
    hub: KubernetesApi,
    resource: Resource,
    *,
    hand_on: Callable[[Manifest], None],
    on_change: Callable[[str, Kept | None, Any], None],
    on_connection: Callable[[ClusterError | None], None] | None,
) -> Informer[Any]:
    """An informer on the hub's API that hands each form of an object on once, and keeps no more than its identity."""
    return Informer(
        hub,
        resource,
        type=dict,
        transform=partial(Kept.of, hand_on),
        on_change=on_change,
        on_connection=on_connection,
        longest_pause_seconds=5.0,
    )
