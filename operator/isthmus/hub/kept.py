"""What an informer's cache keeps of an object that is held elsewhere: enough to tell its forms apart."""

from collections.abc import Callable
from typing import Self

from msgspec import Struct

from isthmus.api.core import Manifest


class Identity(Struct, gc=False, frozen=True):
    """The part of any object's metadata by which caches compare."""

    namespace: str
    name: str
    uid: str
    resource_version: str


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
