"""Takes stock of a shard that the hub gave up while its member was away: what ended well unseen, and what still runs.

An index that succeeded out of sight is told, and its pod's time apart: another attempt may have run it as well.
"""

from collections.abc import Callable, Sequence

from isthmus.api.core import Job, Pod
from isthmus.api.dispatch import Dispatch, DispatchStatus
from isthmus.api.indexes import IndexSet
from isthmus.manifests import is_placeholder

from .execution import Execution
from .fence import FENCED
from .memberjobs import MemberJobs
from .meter import ShardMeter
from .observe import job_verdict, pod_ended, succeeded_in
from .shardindexes import global_index, shard_indexes, tally

# A suspended Job whose controller does not say so is taken to have no pods any more after so long without one.
SILENT_SECONDS = 60.0


async def take_stock(
    dispatch: Dispatch,
    execution: Execution,
    *,
    jobs: MemberJobs,
    meter: ShardMeter,
    clock: Callable[[], float],
) -> DispatchStatus | None:
    """The status to write, or None while something of the shard is still being stopped. Raises ClusterError.

    The Job is suspended, not deleted: its counts are to be read once its pods have ended. All reads are consistent.
    """
    execution.stock_since = execution.stock_since or clock()
    job = await jobs.find(dispatch)
    if job is not None and is_placeholder(job.metadata.labels):
        job = None
    over = job is None or job_verdict(job) is not None or job.metadata.deletion_timestamp is not None
    if job is not None and not over and not job.spec.suspend:
        await jobs.suspend(job)
        return None
    pods = await meter.listed(dispatch)
    running = [pod for pod in pods if not pod_ended(pod)]
    if running:
        await jobs.delete_pods(running)
        return None
    if not over and not _suspended(job) and clock() - execution.stock_since < SILENT_SECONDS:
        return None
    return _told(dispatch, execution, job, pods, meter)


def _suspended(job: Job | None) -> bool:
    return job is not None and any(c.type == "Suspended" and c.status == "True" for c in job.status.conditions)


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
        late = numbered.completed - known
        late_pods = [pod for pod in pods if pod.status.phase == "Succeeded" and global_index(indexes, pod) in late]
        update = {
            "succeeded": len(numbered.completed),
            "completed_indexes": numbered.completed_text,
            "late_indexes": late.encoded() or None,
        }
    # Time after a verdict that did not wait for the end of everything is a duplicate's.
    untold = meter.untold(old.reading, late_pods) if old.reason == FENCED else None
    metered = meter.advance(old.reading, pods, execution, final=True, late=untold)
    reading = metered.reading or old.reading
    if reading is not None and not metered.complete:  # more pods than one reading can settle
        reading = reading.model_copy(update={"final": False})
    return old.model_copy(update={**update, "reading": reading})


def _age(pod: Pod) -> float:
    """Orders pods, the one that ended last first."""
    ends = [s.state.terminated.finished_at for s in pod.status.container_statuses if s.state.terminated is not None]
    return -max((end.timestamp() for end in ends if end is not None), default=0.0)
