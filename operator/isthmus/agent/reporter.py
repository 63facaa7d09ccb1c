"""Tells the hub of one node's shards: what the member shows of each, where that is worth a write now."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from isthmus.api.core import Job, Pod
from isthmus.api.dispatch import Dispatch, DispatchState, DispatchStatus, PodProblem
from isthmus.api.names import LABEL_QUEUE
from isthmus.clusters import KubernetesApi, earliest

from .activetime import active_seconds
from .contact import Contact
from .due import READING_SECONDS, REPORT_SECONDS, has_news, seconds_until_due
from .execution import Execution
from .failedpods import STOPPED_BY_PAUSE, failed_by_pause
from .fence import FENCED, as_lost, stopped_by_fence
from .guard import Guard
from .jobconditions import ends
from .memberjobs import MemberJobs
from .memberqueue import MemberQueue
from .meter import ShardMeter
from .observe import awaits_controller, awaits_pods, has_stopped, observe
from .queued import is_held, is_queued, rests, waits, wanted_pods
from .restarts import restarts_of
from .shardindexes import tally
from .statuswriter import StatusWriter
from .view import MemberView

# The Job controller makes pods within moments; without any for so long, something is in its way.
PODLESS_SECONDS = 30.0
# A queue with room lets a Job begin within a second or two. Why one waits is asked for anew so often.
QUEUED_SECONDS = 5.0
QUEUE_LOOK_SECONDS = 60.0
# It does the rest of its work within moments too; with many pods in its queue what it has to do keeps changing.
CONTROLLER_SECONDS = 30.0
_FENCED = "the member stopped the shard, because its limit was not put off in time"
_PAUSED = "pods of it were stopped for a pause or a drain, and a FailJob rule of the template took that for a failure"


class Reporter:
    """Of one agent; `clock` is monotonic, in seconds. Raises ClusterError."""

    def __init__(
        self,
        hub: KubernetesApi,
        *,
        view: MemberView,
        jobs: MemberJobs,
        queue: MemberQueue,
        meter: ShardMeter,
        writer: StatusWriter,
        guard: Guard,
        contact: Contact,
        clock: Callable[[], float],
    ) -> None:
        self._hub = hub
        self._view = view
        self._jobs = jobs
        self._queue = queue
        self._meter = meter
        self._writer = writer
        self._guard = guard
        self._contact = contact
        self._clock = clock

    async def report(self, dispatch: Dispatch, execution: Execution, job: Job) -> float | None:
        """Write what the member shows, where it is worth a write now; when, in seconds, to look again."""
        name = dispatch.metadata["name"]
        shown = await self._shown(dispatch, execution, job)
        if shown is None:
            return REPORT_SECONDS
        job, pods = shown
        seen = observe(job, pods, dispatch.status, tally(dispatch, job, pods), self._jobs.server_time())
        if seen.ended:
            pods = tuple(await self._meter.complete(dispatch, execution, job, pods))
            seen = observe(job, pods, dispatch.status, tally(dispatch, job, pods))
        now = self._clock()
        old = dispatch.status
        advance = self._meter.advance(old.reading, pods, execution, final=seen.ended)
        stopped = seen.state is DispatchState.SUSPENDED and _stays(dispatch, job) and has_stopped(job, pods)
        landing = execution.resumable_seconds(job, now) if stopped and not old.stopped else 0.0
        status = DispatchStatus(
            state=seen.state,
            reason=seen.reason,
            message=seen.message,
            job_uid=job.metadata.uid,
            active=seen.active,
            succeeded=seen.succeeded,
            failed=seen.failed,
            restarts=restarts_of(dispatch, job, pods),
            completed_indexes=seen.completed_indexes,
            failed_indexes=seen.failed_indexes,
            index_failures=seen.index_failures,
            start_time=seen.start_time or old.start_time,
            completion_time=seen.completion_time,
            active_seconds=old.active_seconds,
            reading=old.reading,
            pod_problem=seen.problem or await self._hindered(dispatch, execution, job, pods),
            stopped=stopped and landing <= 0,
            armed=not seen.ended and self._guard.armed(dispatch, execution, job),
        )
        fenced = stopped_by_fence(dispatch, job)
        if fenced:
            status = as_lost(status, old, pods, FENCED, _FENCED)
        elif failed_by_pause(dispatch, job, pods):
            status = as_lost(status, old, pods, STOPPED_BY_PAUSE, _PAUSED)
        if seen.ended and not advance.complete:  # more pods than one reading can settle: the end is told with the last
            status = status.model_copy(update={"state": DispatchState.RUNNING, "completion_time": None})
        later = earliest(execution.arms_in, landing if landing > 0 else None)
        busy = self._hub.busy
        if not has_news(old, status, busy=busy):
            execution.noticed_at = None
        elif execution.noticed_at is None:
            execution.noticed_at = now
        wait = seconds_until_due(
            old,
            status,
            urgent=advance.urgent,
            backlog=bool(advance.release),
            since=now - execution.written_at,
            noticed=0.0 if execution.noticed_at is None else now - execution.noticed_at,
            busy=busy,
        )
        if advance.reading is not None and wait <= 0:
            status = status.model_copy(update={"reading": advance.reading})
        if wait > 0 or status == old:
            # What an earlier write settled is let go even so: its process may have stopped before it did.
            await self._meter.release(name, old.reading, execution)
            again = earliest(wait if wait > 0 else READING_SECONDS, later)
            watched = execution.podless_since is not None or execution.awaits
            return earliest(again, PODLESS_SECONDS if watched else None, self._queue_look(execution))
        # It is told with whatever is a reason to write, and is none itself; a loss is not charged.
        active = old.active_seconds if fenced else active_seconds(job, self._heard_time(), old.active_seconds)
        written = await self._writer.write(dispatch, execution, status.model_copy(update={"active_seconds": active}))
        await self._meter.release(name, written.status.reading, execution)
        return 0.0 if seen.ended and not advance.complete else earliest(READING_SECONDS, later)

    async def _shown(self, dispatch: Dispatch, execution: Execution, job: Job) -> tuple[Job, Sequence[Pod]] | None:
        """The Job and its pods as they are to be told; None where the watch has yet to show that the Job is gone.

        What the hub decides on a shard that has stopped rests on consistent reads: the watch may be behind, and show
        a suspension that is over.
        """
        pods = await self._meter.pods(dispatch, execution)
        if dispatch.status.stopped or not (_stays(dispatch, job) and has_stopped(job, pods)):
            return job, pods
        fresh = await self._jobs.find(dispatch)
        return (fresh, await self._meter.newest(dispatch, execution)) if fresh is not None else None

    def _heard_time(self) -> datetime | None:
        """The member's own time when it last told of its Jobs: what has become of them since, nobody here knows."""
        now = self._jobs.server_time()
        return now and now - timedelta(seconds=self._view.jobs_silence_seconds())

    async def _hindered(
        self, dispatch: Dispatch, execution: Execution, job: Job, pods: Sequence[Pod]
    ) -> PodProblem | None:
        """What keeps the Job itself from getting on."""
        return (
            await self._queued(dispatch, execution, job)
            or self._suspended(dispatch, execution, job)
            or self._unattended(execution, job, pods)
            or self._podless(execution, job, pods)
        )

    async def _queued(self, dispatch: Dispatch, execution: Execution, job: Job) -> PodProblem | None:
        """What to tell of a Job that a queue of the member keeps waiting, or has yet to stop, and for a while."""
        going = not ends(job) and job.metadata.deletion_timestamp is None
        to_stop = dispatch.spec.desired_state == "Suspended" and is_queued(job.metadata.labels) and not rests(job)
        to_go = dispatch.spec.desired_state == "Running" and is_held(job)
        if not (going and (waits(job) or to_stop or to_go)):
            execution.queued_since, execution.queue_asked_at = None, float("-inf")
            return None
        now = self._clock()
        if execution.queued_since is None:
            execution.queued_since = now
        if now - execution.queued_since < QUEUED_SECONDS:
            return None
        if now - execution.queue_asked_at >= QUEUE_LOOK_SECONDS:
            execution.queue_asked_at, execution.queue_said = now, await self._queue.why(job)
        queue = job.metadata.labels[LABEL_QUEUE]
        what = f"in the member's queue {queue} waits"
        if to_stop or to_go:
            what = f"the queue {queue} of the member has yet to {'stop' if to_stop else 'go on with'}"
        where = f"{what} Job {job.metadata.namespace}/{job.metadata.name}"
        return PodProblem(
            reason="QueuedInMember", message=f"{where}: {execution.queue_said}"[:1024], pods=wanted_pods(job)
        )

    def _queue_look(self, execution: Execution) -> float | None:
        """Seconds until a queue of the member, where one keeps the Job waiting, is to be asked why."""
        if execution.queued_since is None:
            return None
        due = max(execution.queued_since + QUEUED_SECONDS, execution.queue_asked_at + QUEUE_LOOK_SECONDS)
        return max(due - self._clock(), REPORT_SECONDS)

    @staticmethod
    def _suspended(dispatch: Dispatch, execution: Execution, job: Job) -> PodProblem | None:
        """What to tell of a Job that somebody in the member suspends whenever it is resumed."""
        undone = execution.resumes.undone and job.spec.suspend and dispatch.spec.desired_state == "Running"
        if not undone or is_queued(job.metadata.labels):
            return None
        where = f"{job.metadata.namespace}/{job.metadata.name}"
        why = "where a queue does it, such as Kueue, its label belongs into the node's offer"
        return PodProblem(reason="SuspendedByMember", message=f"the member suspends its Job {where} again; {why}")

    def _unattended(self, execution: Execution, job: Job, pods: Sequence[Pod]) -> PodProblem | None:
        """What to tell of a Job whose controller has done nothing for a while, and is all that could."""
        awaits = awaits_controller(job, pods)
        if awaits != execution.awaits:
            execution.awaits, execution.awaits_since = awaits, self._clock()
        if not awaits or self._clock() - execution.awaits_since < CONTROLLER_SECONDS:
            return None
        why = self._contact.controllers or "it may be down"
        where = f"{job.metadata.namespace}/{job.metadata.name}"
        return PodProblem(
            reason="ControllersSilent", message=f"the member's Job controller has yet to {awaits}, {where}: {why}"
        )

    def _podless(self, execution: Execution, job: Job, pods: Sequence[Pod]) -> PodProblem | None:
        """What to tell of a Job that has had no pod for a while: nothing but its own events in the member say why."""
        if not awaits_pods(job, pods):
            execution.podless_since = None
            return None
        if execution.podless_since is None:
            execution.podless_since = self._clock()
        if self._clock() - execution.podless_since < PODLESS_SECONDS:
            return None
        where = f"{job.metadata.namespace}/{job.metadata.name}"
        why = "its events there say why: a quota, PodSecurity, an admission policy, or controllers that are down"
        return PodProblem(reason="NoPods", message=f"the member has made no pod of its Job {where}; {why}")


def _stays(dispatch: Dispatch, job: Job) -> bool:
    """Whether the Job, once it has stopped, stays so until it is resumed by us.

    Of one with a limit, whose node may get out of reach, a queue that goes its own way must not decide.
    """
    return rests(job) and (dispatch.spec.fence is None or not is_queued(job.metadata.labels))
