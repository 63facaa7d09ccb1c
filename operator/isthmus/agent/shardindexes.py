"""What has become of a shard's indexes, as its member shows it, counted as the whole job counts them. Pure.

A member counts the pods of a part of a job from 0. What it says of indexes is input: a text that can't be read, or an
index that is none of the shard's, is passed over.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from isthmus.api.core import Job, Pod
from isthmus.api.dispatch import Dispatch
from isthmus.api.indexes import INDEX_LIMIT, IndexSet, claimed

from .indexfailures import failures_of, written
from .jobconditions import failings

INDEX = "batch.kubernetes.io/job-completion-index"
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class IndexTally:
    """Global indexes of one shard. What was told before is in it: nothing is taken back."""

    indexes: IndexSet
    """All of the shard's."""
    completed: IndexSet
    failed: IndexSet
    failures: dict[str, str] | None
    """As the Dispatch's `indexFailures`; None where indexes have no limit of their own."""

    @property
    def all_completed(self) -> bool:
        """Whether none is missing."""
        return len(self.completed) == len(self.indexes)

    @property
    def completed_text(self) -> str | None:
        """As the Dispatch's `completedIndexes`."""
        return self.completed.encoded() or None

    @property
    def failed_text(self) -> str | None:
        """As the Dispatch's `failedIndexes`."""
        return self.failed.encoded() or None


def shard_indexes(dispatch: Dispatch) -> IndexSet | None:
    """The global indexes of the shard; None where its pods are not numbered, or beyond what can be told of them.

    Raises ValueError where the hub wrote indexes that are none.
    """
    spec = dispatch.spec.manifest["spec"]
    completions = spec.get("completions")
    if spec.get("completionMode") != "Indexed" or completions is None:
        return None
    if dispatch.spec.indexes is not None:
        return _parsed(dispatch.spec.indexes)
    return IndexSet.span(completions) if completions <= INDEX_LIMIT else None


def global_index(indexes: IndexSet, pod: Pod) -> int | None:
    """The index of a pod as the whole job counts it; None where the pod has none of the shard's."""
    text = pod.metadata.annotations.get(INDEX, "")
    if not (text.isascii() and text.isdigit()) or len(text) > _DIGITS:
        return None
    try:
        return indexes.at(int(text))
    except IndexError:
        return None


def tally(dispatch: Dispatch, job: Job | None, pods: Iterable[Pod]) -> IndexTally | None:
    """What was told before, what the Job counts, and what its pods show beyond; None where nothing is numbered.

    Pods are seen to succeed before their Job counts them, and stay when it is gone.
    """
    indexes = shard_indexes(dispatch)
    if indexes is None:
        return None
    known, told = list(pods), dispatch.status
    succeeded = IndexSet.of(
        index for pod in known if pod.status.phase == "Succeeded" and (index := global_index(indexes, pod)) is not None
    )
    completed, failed = succeeded | claimed(told.completed_indexes), claimed(told.failed_indexes)
    if job is not None:
        completed |= indexes.select(claimed(job.status.completed_indexes))
        if not _kills(job):
            failed |= indexes.select(claimed(job.status.failed_indexes))
    completed &= indexes
    failed = failed & indexes - completed
    failures = None
    if dispatch.spec.manifest["spec"].get("backoffLimitPerIndex") is not None:
        rules = (dispatch.spec.manifest["spec"].get("podFailurePolicy") or {}).get("rules") or []
        numbered = ((index, pod) for pod in known if (index := global_index(indexes, pod)) is not None)
        before = {count: claimed(text) for count, text in (told.index_failures or {}).items()}
        failures = written(failures_of(numbered, rules, before), indexes - completed - failed)
    return IndexTally(indexes, completed, failed, failures)


def _kills(job: Job) -> bool:
    """Whether the Job is being deleted, or stopped at its limit: its controller may count what that kills as failed."""
    return job.metadata.deletion_timestamp is not None or any(
        condition.reason == "DeadlineExceeded" for condition in failings(job)
    )


@lru_cache(maxsize=256)
def _parsed(text: str) -> IndexSet:
    """A shard's indexes: 512 ranges at most, asked for at each look at the shard."""
    return IndexSet.parse(text)
