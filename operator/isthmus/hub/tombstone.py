"""A Dispatch that has ended and rests until its job is deleted: packed, with the few things that are asked of many."""

import zlib
from typing import Self

import msgspec
from msgspec import Struct

from isthmus.api.dispatch import Dispatch, DispatchState
from isthmus.api.names import ANNOTATION_CLUSTER

# What a Dispatch says twenty times compresses at any level; this one costs a tenth of a millisecond.
LEVEL = 1
_RAN = frozenset({DispatchState.SUCCEEDED, DispatchState.FAILED})


def rests(dispatch: Dispatch) -> bool:
    """Whether nothing is due for it before its job's deletion: it ran to its end, or the member has let it go."""
    leaving = dispatch.spec.desired_state == "Cancelled"
    return dispatch.status.released or (dispatch.status.state in _RAN and not leaving)


def cluster_of(dispatch: Dispatch) -> str:
    """UID of the cluster that may hold something of it; empty where that is not known, or nothing is left there."""
    written_for = (dispatch.metadata.get("annotations") or {}).get(ANNOTATION_CLUSTER, "")
    return "" if dispatch.status.released else str(written_for)


class Tombstone(Struct, gc=False, frozen=True):
    """Takes a twentieth of the Dispatch's memory, and of a millisecond to become it again."""

    uid: str
    version: int
    sequence: int
    """Its sequence on the node."""
    cluster: str
    """UID of the cluster that it was written for; empty where that is not known, or nothing is left there."""
    reading: int
    """Sequence of its last meter reading; 0 where it has none."""
    released: bool
    packed: bytes

    @classmethod
    def of(cls, dispatch: Dispatch) -> Self:
        """The Dispatch packed."""
        metadata, status = dispatch.metadata, dispatch.status
        return cls(
            uid=metadata["uid"],
            version=int(metadata["resourceVersion"]),
            sequence=dispatch.spec.sequence,
            cluster=cluster_of(dispatch),
            reading=status.reading.sequence if status.reading else 0,
            released=status.released,
            packed=zlib.compress(msgspec.json.encode(dispatch.to_manifest()), LEVEL),
        )

    def dispatch(self) -> Dispatch:
        """The Dispatch as it was."""
        return Dispatch.model_validate(msgspec.json.decode(zlib.decompress(self.packed)))
