"""Keeps the dead-man's limits of one node's shards: puts them off, and knows whether they can be relied on."""

from collections.abc import Callable, Sequence

import structlog

from isthmus.api.core import Job, Pod
from isthmus.api.dispatch import Dispatch
from isthmus.clusters import ApiError, ClusterError

from .contact import Contact
from .execution import Execution
from .fence import (
    OVERDUE_SECONDS,
    UNCOUNTED_SECONDS,
    UNSTARTED_SECONDS,
    Limit,
    limit_of,
    resumed_limit,
    seen_suspended,
    uncounted,
    unstarted,
)
from .memberjobs import MemberJobs
from .meter import ShardMeter
from .observe import pod_ended

logger = structlog.get_logger(__name__)

# A write that failed, or that waits for the member to be heard again, is tried again after this part of the fence.
RETRY_PART = 10


class Guard:
    """Of one agent. `on_doubt()` is called when the member's controllers fall silent, and when they are back."""

    def __init__(self, contact: Contact, *, jobs: MemberJobs, meter: ShardMeter, on_doubt: Callable[[], None]) -> None:
        self._contact = contact
        self._jobs = jobs
        self._meter = meter
        self._on_doubt = on_doubt

    async def tend(
        self, dispatch: Dispatch, execution: Execution, job: Job | None, pods: Sequence[Pod]
    ) -> float | None:
        """Do what is due for the limit; seconds after which to look again, None where nothing will be due.

        Raises no ClusterError: what else is due for the shard does not wait for this.
        """
        uid = dispatch.metadata["uid"]
        again = self._judge_controllers(uid, dispatch, execution, job, pods)
        if dispatch.spec.fence is None or job is None:
            return again
        begun = (job.metadata.uid, job.status.start_time)
        if job.status.start_time is not None and execution.begun != begun:
            execution.begun = begun
            self._contact.noted(uid)
        limit = self._limit(dispatch, job)
        if limit is None:
            return again
        retry, began = max(dispatch.spec.fence.after_seconds / RETRY_PART, 0.5), self._contact.clock()
        try:
            if limit.left < -OVERDUE_SECONDS:
                await self._enforce(dispatch)
                wait = retry
            elif limit.set_to is None:
                wait = limit.again
            elif self._contact.may_lengthen(uid):
                with self._contact.attempt(uid):
                    await self._jobs.set_limit(job, limit.set_to)
                self._contact.heard()
                wait = limit.again
            else:
                wait = retry
        except ClusterError as error:
            if not isinstance(error, ApiError):
                self._contact.failed(began)
            logger.info("limit not put off", dispatch=dispatch.metadata["name"], reason=error.reason, error=str(error))
            wait = retry
        return wait if again is None else min(wait, again)

    def armed(self, dispatch: Dispatch, job: Job) -> bool:
        """Whether the member can be relied on to stop the shard at its limit, without us."""
        uid = dispatch.metadata["uid"]
        if dispatch.spec.fence is None:
            return False
        limit = self._limit(dispatch, job)
        if limit is None:  # suspended, or on its way to an end, which its controller brings about
            armed = dispatch.status.armed and not job.spec.suspend and job.status.start_time is not None
        else:
            armed = limit.holds
        armed = armed and not self._contact.controllers
        if armed:
            self._contact.rearm(uid)
        else:
            self._contact.unarm(uid)
        return armed

    async def resume(self, dispatch: Dispatch, job: Job) -> bool:
        """Resume the Job, with its limit in the same write; False where it is too early for that.

        So it is while a verdict on the shard is being written, and until its controller has seen that it was suspended:
        before, its limit would count from the start that it had. What the Dispatch says of `armed` must be false by
        now. Raises ClusterError.
        """
        uid, fenced = dispatch.metadata["uid"], dispatch.spec.fence is not None
        if not self._contact.may_lengthen(uid) or (fenced and not seen_suspended(job)):
            return False
        self._contact.unarm(uid)
        with self._contact.attempt(uid):
            await self._jobs.resume(job, resumed_limit(dispatch, job, self._jobs.server_time()) if fenced else None)
        return True

    def _limit(self, dispatch: Dispatch, job: Job) -> Limit | None:
        now = self._jobs.server_time()
        return limit_of(dispatch, job, now) if now is not None else None

    async def _enforce(self, dispatch: Dispatch) -> None:
        """The limit is over and the member does nothing: stop the pods ourselves, once that is certain."""
        job = await self._jobs.find(dispatch)
        limit = self._limit(dispatch, job) if job is not None else None
        if limit is None or limit.left >= -OVERDUE_SECONDS:
            return
        pods = [pod for pod in await self._meter.listed(dispatch) if not pod_ended(pod)]
        logger.warning("stopping a shard past its limit", dispatch=dispatch.metadata["name"], pods=len(pods))
        await self._jobs.delete_pods(pods)

    def _judge_controllers(
        self, uid: str, dispatch: Dispatch, execution: Execution, job: Job | None, pods: Sequence[Pod]
    ) -> float | None:
        """Take note of what the shard shows of the member's Job controller; seconds until it shows more."""
        now, wait, doubt = self._contact.clock(), None, ""
        if job is None or not unstarted(job):
            execution.unstarted_since = None
        else:
            execution.unstarted_since = execution.unstarted_since or now
            wait = execution.unstarted_since + UNSTARTED_SECONDS - now
            if wait <= 0:
                doubt, wait = f"a Job has waited for its controller for {UNSTARTED_SECONDS:.0f} s", None
        if job is not None and dispatch.spec.fence is not None:
            left = uncounted(pods)
            execution.uncounted = {each: execution.uncounted.get(each, now) for each in left}
            if left:
                oldest = min(execution.uncounted.values()) + UNCOUNTED_SECONDS - now
                if oldest <= 0:
                    doubt = f"a pod that ended was not counted by its Job for {UNCOUNTED_SECONDS:.0f} s"
                else:
                    wait = oldest if wait is None else min(wait, oldest)
            limit = self._limit(dispatch, job)
            if limit is not None and limit.left < -OVERDUE_SECONDS:
                doubt = "a Job was not stopped at its limit"
        if self._contact.doubt(uid, doubt):
            self._on_doubt()
        return wait
