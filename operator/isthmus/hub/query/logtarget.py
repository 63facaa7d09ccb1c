"""Whose log is asked for: from a job and an index to the shard that has it, and to one of the shard's pods. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from isthmus.agent.shardindexes import INDEX, shard_indexes
from isthmus.api.core import Pod
from isthmus.api.dispatch import Dispatch
from isthmus.api.indexes import IndexSet
from isthmus.api.names import LABEL_DISPATCH, LABEL_HUB
from isthmus.hub.work import Work

from .refusals import bad_request

_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Target:
    """A shard, and what numbers the pod there; None where pods have no numbers."""

    node: str
    dispatch: Dispatch
    local: int | None

    def labels(self, hub_uid: str) -> str:
        """The selector of the pods in the member that may be meant."""
        pairs = {LABEL_HUB: hub_uid, LABEL_DISPATCH: self.dispatch.metadata["name"]}
        if self.local is not None:
            pairs[INDEX] = str(self.local)
        return ",".join(f"{key}={value}" for key, value in pairs.items())


def checked_index(work: Work, index: int | None) -> int | None:
    """The index that is meant; None where the job's pods have none. Raises Refused (400)."""
    if not work.indexed:
        if index is not None:
            raise bad_request("the job's pods have no indexes (its completionMode is not Indexed); leave index out")
        return None
    completions = work.completions or 1
    if index is None:
        if completions > 1:
            raise bad_request(f"the job has {completions} indexes; say which by index=0 to index={completions - 1}")
        return 0
    if index >= completions:
        raise bad_request(f"the job has no index {index}; its last is {completions - 1}")
    return index


def targets(dispatches: Sequence[tuple[str, Dispatch]], index: int | None) -> list[Target]:
    """The shards that have, or had, the index, the last one first; `dispatches` with the first attempt first."""
    found = []
    for node, dispatch in reversed(dispatches):
        if index is None:
            found.append(Target(node, dispatch, None))
            continue
        indexes = shard_indexes(dispatch)
        if indexes is None:  # the whole job, with more indexes than are told of one by one
            found.append(Target(node, dispatch, index))
        elif index in indexes:
            # A shard that is the whole job is rendered as it is, and one that is a part counts from 0.
            local = index if dispatch.spec.indexes is None else position(indexes, index)
            found.append(Target(node, dispatch, local))
    return found


def position(indexes: IndexSet, index: int) -> int:
    """Where the index stands among the others, from 0. Raises ValueError where it is none of them."""
    before = 0
    for first, end in indexes.ranges:
        if first <= index < end:
            return before + index - first
        before += end - first
    raise ValueError(index)


def chosen(pods: Iterable[Pod], *, numbered: bool) -> Pod | None:
    """The pod whose log is meant: of an index's the last that was made; else one that runs goes before the others."""
    return max(pods, key=lambda pod: (not numbered and pod.status.phase == "Running", _created(pod)), default=None)


def _created(pod: Pod) -> tuple[datetime, str]:
    return pod.metadata.creation_timestamp or _EPOCH, pod.metadata.name
