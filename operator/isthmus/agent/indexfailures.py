"""How often the pods of each index have failed, as its limit counts: for an index that is to go on elsewhere. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from isthmus.api.core import Pod
from isthmus.api.indexes import IndexSet

from .failedpods import action_of, may_be_stopped

FAILURE_COUNT = "batch.kubernetes.io/job-index-failure-count"
DISTINCT_LIMIT = 64
"""How many different counts are told."""

_DIGITS = 6


def failures_of(
    pods: Iterable[tuple[int, Pod]], rules: Sequence[Mapping[str, Any]], told: Mapping[str, IndexSet]
) -> dict[int, int]:
    """Failures by global index, where there are any: what was `told`, and what the pods show beyond that.

    The Job controller writes on each new pod how many of its index failed before it; `rules` are the Job's
    podFailurePolicy, by which one that failed since is counted or not. One that failed only after somebody asked for
    its deletion is not: whoever stops a shard would make failures of pods that had none.
    """
    failures = {index: int(count) for count, indexes in told.items() if count.isdecimal() for index in indexes}
    for index, pod in pods:
        text = pod.metadata.annotations.get(FAILURE_COUNT, "")
        count = int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else 0
        if pod.status.phase == "Failed" and not may_be_stopped(pod) and action_of(pod, rules) != "Ignore":
            count += 1
        if count > failures.get(index, 0):
            failures[index] = count
    return failures


def written(failures: Mapping[int, int], unfinished: IndexSet) -> dict[str, str]:
    """The failures of unfinished indexes as a Dispatch tells them: sets of indexes by count.

    Of more than DISTINCT_LIMIT different counts the highest are told as the highest that is left.
    """
    chosen = {index: count for index, count in failures.items() if index in unfinished}
    told = sorted(set(chosen.values()))[:DISTINCT_LIMIT]
    groups: dict[int, list[int]] = defaultdict(list)
    for index, count in chosen.items():
        groups[min(count, told[-1])].append(index)
    return {str(count): IndexSet.of(indexes).encoded() for count, indexes in sorted(groups.items())}
