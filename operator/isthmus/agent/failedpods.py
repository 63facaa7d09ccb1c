"""Pods that failed: by whose doing, and what their Job's podFailurePolicy says of them. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from isthmus.api.core import ContainerStatus, Job, Pod
from isthmus.api.dispatch import Dispatch

from .jobconditions import failings, resumed_at, says_suspended

STOPPED_BY_PAUSE = "StoppedByPause"
_BY_RULE = "PodFailurePolicy"


def may_be_stopped(pod: Pod) -> bool:
    """Whether the pod may have failed because it was deleted: it has no end, or one since then."""
    asked = _asked(pod)
    if asked is None:
        return False
    ends = [status.state.terminated for status in pod.status.container_statuses]
    finishes = [end.finished_at for end in ends if end is not None and end.finished_at is not None]
    return not finishes or max(finishes) >= asked


def action_of(pod: Pod, rules: Sequence[Mapping[str, Any]]) -> str:
    """That of the first rule which the failed pod meets (KEP-3329); empty where it meets none."""
    return next((str(rule.get("action")) for rule in rules if _meets(pod, rule)), "")


def failed_by_pause(dispatch: Dispatch, job: Job, pods: Iterable[Pod]) -> bool:
    """Whether a FailJob rule failed the Job only for pods that its own suspension stopped.

    A container that ends by SIGTERM has an exit code like any other. A pod that failed before it was to be deleted
    stays, as its Job does, so that where one of those met the rule, it is seen here.
    """
    resumed = resumed_at(job)
    if not any(condition.reason == _BY_RULE for condition in failings(job)):
        return False
    if not (says_suspended(job) or resumed):
        return False
    rules = (dispatch.spec.manifest["spec"].get("podFailurePolicy") or {}).get("rules") or []
    failed = [pod for pod in pods if pod.status.phase == "Failed" and action_of(pod, rules) == "FailJob"]
    return bool(failed) and all(may_be_stopped(pod) and _before(_asked(pod), resumed) for pod in failed)


def _asked(pod: Pod) -> datetime | None:
    """When the pod's deletion was asked for.

    The deletionTimestamp is that and the grace period after it, also where either is shortened later.
    """
    deletion = pod.metadata.deletion_timestamp
    return deletion and deletion - timedelta(seconds=pod.metadata.deletion_grace_period_seconds or 0)


def _before(asked: datetime | None, resumed: datetime | None) -> bool:
    return resumed is None or (asked is not None and asked <= resumed)


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
