"""The dead-man's limit of a shard: its Job's activeDeadlineSeconds, put off while we are there to do it. Pure.

The member's own Job controller stops a Job so many seconds after its start, with or without us (DESIGN.md §5). The
limit counts from the Job's `startTime`, which a resumption sets anew, so a limit of `now - startTime + fence` means
"the fence from now on", however late the write that asks for it is carried out. `now` is the member's own time, never
ahead of its clock: the hub's need not agree with it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from isthmus.api.core import Job, Lease, Pod
from isthmus.api.dispatch import TERMINAL, Dispatch, DispatchState, DispatchStatus

from .jobconditions import ends, failing_since, failings, says_suspended

FENCED = "Fenced"
UNFENCED = "Unfenced"
FORGOTTEN = "Forgotten"
NEVER_ACCEPTED = "NeverAccepted"
_UNTOLD = frozenset({FENCED, UNFENCED, FORGOTTEN})

# The Job controller acts on a limit within a second or so.
OVERDUE_SECONDS = 3.0
# A limit was made with a time that lags by up to a second, and then another second is cut off.
SLACK_SECONDS = 2.0
# A Job controller sees a new Job within moments.
UNSTARTED_SECONDS = 15.0
# A pod that ended is counted, and let go by the Job controller, within moments; with many in a queue it takes a while.
UNCOUNTED_SECONDS = 30.0
# A controller manager that is alive renews its Lease at an eighth of its duration; another takes over within one.
LEASES_MISSED = 3
# An API server carries out what it was asked to within so long, or never.
LANDING_SECONDS = 60.0

_TRACKING = "batch.kubernetes.io/job-tracking"
_LIMIT_REASON = "DeadlineExceeded"


@dataclass(frozen=True, slots=True)
class Limit:
    """What the limit of a running Job is to be."""

    left: float
    """Seconds until the Job is stopped, at least; below zero where the limit is over."""
    set_to: int | None
    """The value to write now, if another is due."""
    holds: bool
    """Whether the Job, as it stands, stops within the fence."""
    again: float
    """Seconds after which to look again."""


def own_limit(dispatch: Dispatch) -> int | None:
    """The user's own activeDeadlineSeconds of the shard."""
    value = dispatch.spec.manifest["spec"].get("activeDeadlineSeconds")
    return value if isinstance(value, int) else None


def first_limit(dispatch: Dispatch) -> int | None:
    """The limit with which the shard's Job is created or resumed: the fence, and never beyond the user's own."""
    own, fence = own_limit(dispatch), dispatch.spec.fence
    if fence is None:
        return own
    return fence.after_seconds if own is None else min(own, fence.after_seconds)


def seen_suspended(job: Job) -> bool:
    """Whether the Job's controller has seen that the Job is suspended."""
    return job.status.start_time is None or says_suspended(job)


def _begins_anew(job: Job) -> bool:
    """Whether the Job was resumed and its controller has yet to see that: its start may be that of the former run."""
    return not job.spec.suspend and says_suspended(job)


def resumed_limit(dispatch: Dispatch, job: Job, now: datetime | None) -> int | None:
    """The limit with which a suspended Job is resumed at `now`.

    A controller that keeps the former start until it begins anew would find the fence over at once; there it begins
    with one that is too long, does not hold, and is set right as soon as the new start is seen. The user's own limit is
    never made longer: that it can be over at once there is how such a controller treats every Job.
    """
    first, own, start = first_limit(dispatch), own_limit(dispatch), job.status.start_time
    if dispatch.spec.fence is None or first is None or start is None or now is None:
        return first
    longer = first + max(int((now - start).total_seconds()), 0)
    return longer if own is None else min(longer, own)


def limit_of(dispatch: Dispatch, job: Job, now: datetime) -> Limit | None:
    """What is due for the limit at `now`, a lower bound of the member's time; None where there is nothing to limit."""
    fence, start = dispatch.spec.fence, job.status.start_time
    if fence is None or start is None or not _runs(dispatch, job):
        return None
    after, own, current = fence.after_seconds, own_limit(dispatch), job.spec.active_deadline_seconds
    elapsed = max((now - start).total_seconds(), 0.0)
    wanted = int(elapsed) + after if own is None else min(int(elapsed) + after, own)
    anew = _begins_anew(job)
    if current is None or anew:  # what is set now would count from a start that is still to come
        return Limit(left=after, set_to=None if anew else wanted, holds=False, again=after / 2)
    left = current - (now - start).total_seconds()  # a hand may have set more than there are dates for
    if left > after + SLACK_SECONDS:  # somebody's hand, or a clock that was set back
        return Limit(left, wanted if wanted < current else None, holds=False, again=after / 2)
    if left <= 0:
        return Limit(left, None, holds=left > -OVERDUE_SECONDS, again=max(left + OVERDUE_SECONDS, 0.5))
    if current == own:
        return Limit(left, None, holds=True, again=left + OVERDUE_SECONDS)
    due = left <= after / 2 and wanted > current
    return Limit(left, wanted if due else None, holds=True, again=after / 2 if due else max(left - after / 2, 0.5))


def _runs(dispatch: Dispatch, job: Job) -> bool:
    """Whether the shard runs and shall go on."""
    going = ends(job) or job.spec.suspend or job.metadata.deletion_timestamp is not None
    wanted = dispatch.spec.desired_state == "Running" and dispatch.status.state not in {None, *TERMINAL}
    return wanted and not going


def stopped_by_fence(dispatch: Dispatch, job: Job) -> bool:
    """Whether the Job fails for the fence, and not for what its pods did or for the user's own limit.

    Whatever its controller says: one that was away while pods were stopped at the fence may find too many failures
    before it looks at the time. So what is found once the limit is over is the fence's. An end by the limit is in any
    case, but once the user's own is over too: the limit that is set now may have come when the Job was stopped already.
    Times are the member's, in whole seconds.
    """
    limit, own, start = job.spec.active_deadline_seconds, own_limit(dispatch), job.status.start_time
    if dispatch.spec.fence is None or limit is None or not failings(job):
        return False
    by_time, found = any(condition.reason == _LIMIT_REASON for condition in failings(job)), failing_since(job)
    if start is None or found is None:
        return by_time and (own is None or limit < own)
    after = (found - start).total_seconds()
    return (own is None or after < own) and (by_time or after >= limit)


def as_lost(
    status: DispatchStatus, told: DispatchStatus, pods: Iterable[Pod], reason: str, message: str
) -> DispatchStatus:
    """The status of a shard that fails because it was stopped: lost and not failed, and what was killed is no failure.

    Failures are those told before, or those of pods that nothing deleted, whichever are more.
    """
    failed = sum(1 for pod in pods if pod.status.phase == "Failed" and pod.metadata.deletion_timestamp is None)
    update: dict[str, object] = {
        "failed": max(told.failed, failed),
        "failed_indexes": told.failed_indexes,
        "index_failures": told.index_failures,
    }
    if status.state is DispatchState.FAILED:
        update |= {"state": DispatchState.LOST, "reason": reason, "message": message}
    return status.model_copy(update=update)


def unaccounted(status: DispatchStatus) -> bool:
    """Whether the hub gave the shard up, and the member has not told since what became of it."""
    final = status.reading is not None and status.reading.final
    return status.state is DispatchState.LOST and status.reason in _UNTOLD and not (final or status.released)


def unstarted(job: Job) -> bool:
    """Whether the Job's controller has yet to see it, or that it was resumed."""
    if job.spec.suspend or job.metadata.deletion_timestamp is not None or ends(job):
        return False
    return job.status.start_time is None or _begins_anew(job)


def uncounted(pods: Iterable[Pod]) -> set[str]:
    """UIDs of pods that ended and that the Job controller has not taken notice of: its own finalizer says so."""
    ended = (pod.metadata for pod in pods if pod.status.phase in {"Succeeded", "Failed"})
    return {metadata.uid for metadata in ended if _TRACKING in metadata.finalizers}


def lease_stale(lease: Lease, now: datetime) -> str:
    """Why the controller manager is taken for dead by its Lease, for people; empty where it is not."""
    renewed, duration = lease.spec.renew_time, lease.spec.lease_duration_seconds
    if renewed is None or duration is None or (now - renewed).total_seconds() <= LEASES_MISSED * duration:
        return ""
    return f"the member's controller manager has not renewed its Lease for {LEASES_MISSED * duration} s"
