"""How often the pods of each index have failed, as its limit counts: for an index that is to go on elsewhere. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from isthmus.api.core import ContainerStatus, Pod
from isthmus.api.indexes import IndexSet

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
        if pod.status.phase == "Failed" and not _stopped(pod) and not _ignored(pod, rules):
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


def _stopped(pod: Pod) -> bool:
    """Whether the pod may have failed because it was deleted: it has no end, or one since then.

    The deletionTimestamp is when the deletion was asked for and the grace period after it, also where either is
    shortened later.
    """
    deletion = pod.metadata.deletion_timestamp
    if deletion is None:
        return False
    asked = deletion - timedelta(seconds=pod.metadata.deletion_grace_period_seconds or 0)
    ends = [status.state.terminated for status in pod.status.container_statuses]
    finishes = [end.finished_at for end in ends if end is not None and end.finished_at is not None]
    return not finishes or max(finishes) >= asked


def _ignored(pod: Pod, rules: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the first rule that the failed pod meets says so (KEP-3329)."""
    for rule in rules:
        if _meets(pod, rule):
            return rule.get("action") == "Ignore"
    return False


def _meets(pod: Pod, rule: Mapping[str, Any]) -> bool:
    codes = rule.get("onExitCodes")
    if codes is not None:
        statuses = (*pod.status.container_statuses, *pod.status.init_container_statuses)
        return any(_exited(status, codes) for status in statuses)
    wanted = {(each.get("type"), each.get("status", "True")) for each in rule.get("onPodConditions") or ()}
    return any((condition.type, condition.status) in wanted for condition in pod.status.conditions)


def _exited(status: ContainerStatus, codes: Mapping[str, Any]) -> bool:
    ended = status.state.terminated
    if ended is None or ended.exit_code == 0 or codes.get("containerName") not in (None, status.name):
        return False
    return (ended.exit_code in (codes.get("values") or ())) == (codes.get("operator") == "In")
