"""Carries out one node's Dispatches: reads, decides by `steps`, does the one step, and reports.

The order of writes is the protocol (DESIGN.md §5): Accepted before the Job is created, the final reading before a
pod's finalizer goes. Every write of a Dispatch status names the resourceVersion that the decision was made on.
"""

from collections.abc import Callable
from typing import Protocol

import structlog

from isthmus.api.core import Job, Manifest
from isthmus.api.dispatch import TERMINAL, Dispatch, DispatchState, DispatchStatus, PodProblem
from isthmus.api.names import FINALIZER_POD
from isthmus.clusters import DISPATCHES, Forbidden, Invalid, KubernetesApi, NotFound

from .execution import Execution
from .memberjobs import MemberJobs
from .meter import ShardMeter
from .observe import observe, pod_ended
from .steps import Facts, Step, next_step
from .view import MemberView

logger = structlog.get_logger(__name__)

# Progress is told at most this often: a status write a second a shard, and none between for short work.
REPORT_SECONDS = 1.0
# Cost so far of long work moves at least this often.
READING_SECONDS = 60.0
# Pods that ended are let go at least this often while their Job goes on, and at once where something deletes them.
SETTLE_SECONDS = 5.0
# The watch shows a Job within moments of its creation; after this long without it, the API is asked.
WATCH_LAG_SECONDS = 5.0


class DispatchView(Protocol):
    """The node's Dispatches as the hub's API last showed them."""

    def get(self, name: str) -> Dispatch | None:
        """The Dispatch of that name."""
        ...


class Executor:
    """The reconciler of one node's Dispatches; `clock` is monotonic, in seconds."""

    def __init__(
        self,
        hub: KubernetesApi,
        namespace: str,
        *,
        dispatches: DispatchView,
        view: MemberView,
        jobs: MemberJobs,
        meter: ShardMeter,
        clock: Callable[[], float],
    ) -> None:
        self._hub = hub
        self._namespace = namespace
        self._dispatches = dispatches
        self._view = view
        self._jobs = jobs
        self._meter = meter
        self._clock = clock
        self._executions: dict[str, Execution] = {}

    def current(self, name: str) -> Dispatch | None:
        """The newest known form of a Dispatch: the watch's, or the answer to our own last write."""
        shown = self._dispatches.get(name)
        execution = self._executions.get(name)
        if shown is None or execution is None or execution.latest is None:
            return shown
        written = execution.latest
        newer = int(written.metadata["resourceVersion"]) > int(shown.metadata["resourceVersion"])
        return written if newer and written.metadata["uid"] == shown.metadata["uid"] else shown

    async def reconcile(self, name: str) -> float | None:
        """Do what is due for the Dispatch; the answer is when, in seconds, to look again. Raises ClusterError."""
        dispatch = self.current(name)
        if dispatch is None:
            return await self._sweep(name)
        execution = self._executions.setdefault(name, Execution())
        job = self._view.job(name)
        if job is not None:
            execution.seen = True
            execution.job_uid = job.metadata.uid
        pods = self._view.pods(name)
        facts = Facts(
            dispatch=dispatch,
            job=job,
            pods=sum(1 for pod in pods if FINALIZER_POD in pod.metadata.finalizers),
            accepted_here=execution.accepted_here,
            awaiting_watch=execution.awaiting_watch(self._clock(), WATCH_LAG_SECONDS),
        )
        return await self._do(next_step(facts), dispatch, execution, job)

    async def _do(self, step: Step, dispatch: Dispatch, execution: Execution, job: Job | None) -> float | None:  # noqa: C901, PLR0911 - one arm a step
        match step:
            case Step.ACCEPT:
                return await self._accept(dispatch, execution)
            case Step.WITHDRAW:
                await self._end(dispatch, execution, DispatchState.CANCELLED, "Cancelled", "", released=True)
            case Step.CREATE:
                return await self._create(dispatch, execution)
            case Step.RECOVER:
                return await self._recover(dispatch, execution)
            case Step.SUSPEND | Step.RESUME:
                await self._jobs.set_suspended(dispatch, suspended=step is Step.SUSPEND)
            case Step.DELETE:
                await self._jobs.delete(dispatch, job)
            case Step.LOSE:
                await self._lose(dispatch, execution)
            case Step.REPORT if job is not None:
                return await self._report(dispatch, execution, job)
            case Step.RELEASE:
                await self._meter.release(dispatch.metadata["name"], dispatch.status.reading)
            case Step.CLEAR:
                return await self._clear(dispatch, execution)
            case _:
                return WATCH_LAG_SECONDS if dispatch.status.state not in TERMINAL else None
        return None

    async def _accept(self, dispatch: Dispatch, execution: Execution) -> float | None:
        accepted = await self._write(dispatch, execution, DispatchStatus(state=DispatchState.ACCEPTED))
        execution.accepted_here = True
        return await self._create(accepted, execution)

    async def _create(self, dispatch: Dispatch, execution: Execution) -> float | None:
        try:
            execution.job_uid = await self._jobs.create(dispatch)
        except (Invalid, Forbidden) as error:
            if self._jobs.terminating(error):
                raise
            await self._end(
                dispatch, execution, DispatchState.REFUSED, f"Member{error.reason}", error.message, released=True
            )
            return None
        execution.created_at = self._clock()
        return WATCH_LAG_SECONDS

    async def _recover(self, dispatch: Dispatch, execution: Execution) -> float | None:
        """Accepted, but the watch shows no Job: it was never created, or it is gone."""
        name = dispatch.metadata["name"]
        cancelled = dispatch.spec.desired_state == "Cancelled"
        if await self._jobs.find(dispatch) is not None:
            return REPORT_SECONDS  # the watch is behind
        if not (dispatch.status.job_uid or execution.job_uid) and await self._jobs.hold_name(dispatch):
            return REPORT_SECONDS  # the placeholder, or the Job that came after all, arrives by watch
        if any(not pod_ended(pod) for pod in self._view.pods(name)):
            await self._jobs.delete_pods(self._view.pods(name))
            return REPORT_SECONDS
        if cancelled:
            await self._end(dispatch, execution, DispatchState.CANCELLED, "Cancelled", "", released=True)
        else:
            message = "the member's Job is gone, and it was not Isthmus that deleted it"
            await self._end(dispatch, execution, DispatchState.LOST, "JobVanished", message)
        return 0.0

    async def _lose(self, dispatch: Dispatch, execution: Execution) -> None:
        if dispatch.spec.desired_state == "Cancelled":
            await self._end(dispatch, execution, DispatchState.CANCELLED, "Cancelled", "")
            return
        message = "the agent stopped between accepting the shard and creating its Job; nothing of it ever ran"
        await self._end(dispatch, execution, DispatchState.LOST, "NeverCreated", message)

    async def _report(self, dispatch: Dispatch, execution: Execution, job: Job) -> float | None:
        """Write what the member shows, where it is worth a write now."""
        name = dispatch.metadata["name"]
        pods = self._view.pods(name)
        seen = observe(job, pods)
        if seen.ended:
            pods = tuple(await self._meter.complete(name, job, pods))
            seen = observe(job, pods)
        now = self._clock()
        old = dispatch.status
        advance = self._meter.advance(old.reading, pods, execution, final=seen.ended)
        status = DispatchStatus(
            state=seen.state,
            reason=seen.reason,
            message=seen.message,
            job_uid=job.metadata.uid,
            active=seen.active,
            succeeded=seen.succeeded,
            failed=seen.failed,
            completed_indexes=seen.completed_indexes,
            failed_indexes=seen.failed_indexes,
            start_time=seen.start_time or old.start_time,
            completion_time=seen.completion_time,
            reading=old.reading,
            pod_problem=seen.problem,
        )
        if seen.ended and not advance.complete:  # more pods than one reading can settle: the end is told with the last
            status = status.model_copy(update={"state": DispatchState.RUNNING, "completion_time": None})
        wait = self._until_due(execution, old, status, settle=advance.urgent, backlog=bool(advance.release), now=now)
        if wait > 0:
            return wait
        if advance.reading is not None:
            status = status.model_copy(update={"reading": advance.reading})
        if status == old:
            return READING_SECONDS if not seen.ended else None
        written = await self._write(dispatch, execution, status)
        await self._meter.release(name, written.status.reading)
        return 0.0 if seen.ended and not advance.complete else READING_SECONDS

    @staticmethod
    def _until_due(
        execution: Execution, old: DispatchStatus, new: DispatchStatus, *, settle: bool, backlog: bool, now: float
    ) -> float:
        """Seconds until a write is due; zero or less when it is now."""
        since = now - execution.written_at
        if new.state in TERMINAL:
            return 0.0
        if settle or new.state is not old.state or _progress(new) != _progress(old):
            return REPORT_SECONDS - since
        if backlog:
            return SETTLE_SECONDS - since
        return READING_SECONDS - since

    async def _clear(self, dispatch: Dispatch, execution: Execution) -> float | None:
        """The watch shows nothing of the shard any more: make sure by a consistent read, then say so."""
        if await self._jobs.find(dispatch) is not None:
            return REPORT_SECONDS
        await self._write(dispatch, execution, dispatch.status.model_copy(update={"released": True}))
        return None

    async def _sweep(self, name: str) -> float | None:
        """The Dispatch is gone: so must its Job and pods. Only after a consistent read of the hub says it is."""
        self._executions.pop(name, None)
        job, pods = self._view.job(name), self._view.pods(name)
        if job is None and not pods:
            return None
        try:
            await self._hub.get(DISPATCHES, name, self._namespace)
        except NotFound:
            if job is not None and job.metadata.deletion_timestamp is None:
                await self._jobs.delete_orphan(job)
            await self._jobs.release([pod for pod in pods if pod_ended(pod)])
            if job is None:
                await self._jobs.delete_pods([pod for pod in pods if not pod_ended(pod)])
        return REPORT_SECONDS

    async def _end(
        self,
        dispatch: Dispatch,
        execution: Execution,
        state: DispatchState,
        reason: str,
        message: str,
        *,
        released: bool = False,
    ) -> None:
        """Write a terminal state with the last reading, which takes in all pods still held."""
        name = dispatch.metadata["name"]
        pods = self._view.pods(name)
        reading = dispatch.status.reading
        advance = self._meter.advance(reading, pods, execution, final=True)
        status = dispatch.status.model_copy(
            update={
                "state": state,
                "reason": reason,
                "message": message[:1024],
                "active": 0,
                "reading": advance.reading or reading,
                "released": released and not pods,
                "pod_problem": None,
            }
        )
        written = await self._write(dispatch, execution, status)
        await self._meter.release(name, written.status.reading)

    async def _write(self, dispatch: Dispatch, execution: Execution, status: DispatchStatus) -> Dispatch:
        """Write the whole status on the version that was decided on. Raises Conflict where that is not the newest."""
        new: Manifest = status.to_manifest()
        for field in dispatch.status.to_manifest():
            new.setdefault(field, None)  # a merge patch removes what is null
        name = dispatch.metadata["name"]
        body = {"metadata": {"resourceVersion": dispatch.metadata["resourceVersion"]}, "status": new}
        answer = await self._hub.patch(DISPATCHES, name, self._namespace, body, subresource="status")
        written = Dispatch.model_validate(answer)
        execution.latest = written
        execution.live = dict(execution.measured)
        execution.written_at = self._clock()
        logger.debug("reported", dispatch=name, state=status.state)
        return written


def _progress(status: DispatchStatus) -> tuple[int, int, int, PodProblem | None]:
    return status.active, status.succeeded, status.failed, status.pod_problem
