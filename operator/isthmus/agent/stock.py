"""Takes stock of a shard that the hub gave up while its member was away: what ended well unseen, and what still runs.

An index that succeeded out of sight is told, and its pod's time apart: another attempt may have run it as well. So is
the time of whatever ran on after the verdict.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from isthmus.api.core import Job, Pod
from isthmus.api.dispatch import Dispatch, DispatchStatus
from isthmus.api.indexes import IndexSet
from isthmus.manifests import is_placeholder
from isthmus.metering import Meters

from .execution import Execution
from .fence import FENCED
from .jobconditions import says_suspended
from .memberjobs import MemberJobs
from .memberqueue import DENIALS
from .meter import ShardMeter, counted_until
from .observe import job_verdict, pod_ended, succeeded_in
from .queued import is_queued, rests
from .shardindexes import global_index, shard_indexes, tally

# A suspended Job whose controller does not say so is taken to have no pods any more after so long without one.
SILENT_SECONDS = 60.0


async def take_stock(
    dispatch: Dispatch,
    execution: Execution,
    *,
    jobs: MemberJobs,
    meter: ShardMeter,
    shown: Sequence[Pod],
    clock: Callable[[], float],
) -> DispatchStatus | None:
    """The status to write, or None while something of the shard is still being stopped. Raises ClusterError.

    `shown` are the pods that the watch shows: while these are yet to end, little is read. The Job is suspended, not
    deleted, where that can be: its counts are to be read once its pods have ended. All reads are consistent.
    """
    execution.stock_since = execution.stock_since or clock()
    if not execution.may_list(clock(), shown):
        return None
    job = await jobs.find(dispatch)
    if job is not None and is_placeholder(job.metadata.labels):
        job = None
    over = job is None or job_verdict(job) is not None or job.metadata.deletion_timestamp is not None
    if job is not None and not over and not rests(job):
        await _stop(dispatch, job, jobs)
        return None
    pods = await meter.newest(dispatch, execution)
    running = [pod for pod in pods if not pod_ended(pod)]
    if running:
        await jobs.delete_pods(running)
        return None
    if job is not None and not over and not says_suspended(job) and clock() - execution.stock_since < SILENT_SECONDS:
        return None
    return _told(dispatch, execution, job, pods, meter)


async def _stop(dispatch: Dispatch, job: Job, jobs: MemberJobs) -> None:
    """Suspend the Job; where its queue can't be told to leave it so, delete it: its pods stay until they are read."""
    try:
        suspended = await jobs.suspend(job)
    except DENIALS:
        if not is_queued(job.metadata.labels):
            raise
        suspended = False
    if not suspended:
        await jobs.delete(dispatch, job)


def _told(
    dispatch: Dispatch, execution: Execution, job: Job | None, pods: Sequence[Pod], meter: ShardMeter
) -> DispatchStatus:
    old = dispatch.status
    update: dict[str, object] = {}
    numbered, indexes = tally(dispatch, job, pods), shard_indexes(dispatch)
    if numbered is None or indexes is None:
        succeeded = max(old.succeeded, job.status.succeeded if job is not None else 0, succeeded_in(pods))
        ended_well = sorted((pod for pod in pods if pod.status.phase == "Succeeded"), key=_age)
        late_pods = ended_well[: succeeded - old.succeeded]
        update = {"succeeded": succeeded}
    else:
        known = IndexSet.parse(old.completed_indexes) - IndexSet.parse(old.late_indexes)
        found = numbered.completed - known
        late_pods = [pod for pod in pods if pod.status.phase == "Succeeded" and global_index(indexes, pod) in found]
        update = {
            "succeeded": len(numbered.completed),
            "completed_indexes": numbered.completed_text,
            "late_indexes": found.encoded() or None,
        }
    unseen = {pod.metadata.uid for pod in late_pods}
    late, overrun = _late_time(old, pods, unseen, meter)
    if indexes is not None:
        ran_on = IndexSet.of(index for pod in overrun if (index := global_index(indexes, pod)) is not None)
        update["overrun_indexes"] = (IndexSet.parse(old.overrun_indexes) | ran_on).encoded() or None
    metered = meter.advance(old.reading, pods, execution, final=True, late=late)
    reading = metered.reading or old.reading
    if reading is not None and not metered.complete:  # more pods than one reading can settle
        reading = reading.model_copy(update={"final": False})
    return old.model_copy(update={**update, "reading": reading})


def _late_time(
    old: DispatchStatus, pods: Sequence[Pod], unseen: set[str], meter: ShardMeter
) -> tuple[Meters | None, list[Pod]]:
    """What of the time is late at most (None: all that no reading has counted), and which pods ran on.

    A verdict by the fence waited until all had stopped, so that what ran before it is no duplicate's, but for pods
    whose success is told only now. Where the member did not stop them after all, what they ran after it is. One that
    did not wait vouches for nothing that no reading has counted.

    The bound is the instant that the verdict itself names, which is before any other attempt was made: by the member's
    clock, since that is what pods' times are by, and rather too early than too late: so no second that another attempt
    may have run as well is billed, at the cost of one or two before it that the member gave. The hub tells it by that
    clock; where it had not heard it, by its own, which is trusted not to have been set since.
    """
    told = counted_until(old.reading)
    if old.reason != FENCED or old.completion_time is None:
        return None, [pod for pod in pods if pod.metadata.uid not in unseen and meter.used_after(pod, told)]
    if old.verdict_time is not None:
        verdict = datetime.fromisoformat(old.verdict_time)
    else:
        verdict = meter.by_member(datetime.fromisoformat(old.completion_time))
    times = {pod.metadata.uid: meter.used_after(pod, told if pod.metadata.uid in unseen else verdict) for pod in pods}
    return Meters.total(times.values()), [p for p in pods if p.metadata.uid not in unseen and times[p.metadata.uid]]


def _age(pod: Pod) -> float:
    """Orders pods, the one that ended last first."""
    ends = [s.state.terminated.finished_at for s in pod.status.container_statuses if s.state.terminated is not None]
    return -max((end.timestamp() for end in ends if end is not None), default=0.0)
