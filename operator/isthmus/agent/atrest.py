"""Jobs and pods of a member that have ended, packed: they stay there by the thousand until their ComputeJob goes."""

import zlib
from typing import Self, TypeVar

import msgspec
from msgspec import Struct

from isthmus.api.core import Identity, Job, Pod
from isthmus.api.names import FINALIZER_POD

from .observe import job_verdict, pod_ended

# Names and UIDs stand in it several times; any level finds them.
LEVEL = 1
T = TypeVar("T", Job, Pod)


class AtRest(Struct, gc=False, frozen=True):
    """Takes a fifth of the object's memory, and some tens of microseconds to become it again."""

    metadata: Identity
    dispatch: str
    """The Dispatch that it belongs to; empty where that is none of the node's, and then nothing is packed."""
    packed: bytes

    @classmethod
    def of(cls, obj: Job | Pod, dispatch: str) -> Self:
        """The object packed."""
        metadata = obj.metadata
        identity = Identity(metadata.namespace, metadata.name, metadata.uid, metadata.resource_version)
        return cls(identity, dispatch, zlib.compress(msgspec.msgpack.encode(obj), LEVEL) if dispatch else b"")

    def unpacked(self, type_: type[T]) -> T:
        """The object as it was."""
        return msgspec.msgpack.decode(zlib.decompress(self.packed), type=type_)


def pod_rests(pod: Pod) -> bool:
    """Whether it has ended and nobody waits for its reading."""
    return pod_ended(pod) and FINALIZER_POD not in pod.metadata.finalizers


def job_rests(job: Job) -> bool:
    """Whether it has ended and stays."""
    return job.metadata.deletion_timestamp is None and job_verdict(job) is not None
