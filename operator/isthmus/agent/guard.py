"""Keeps the dead-man's limits of one node's shards: puts them off, and knows whether they can be relied on."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from isthmus.api.core import Job, Pod
from isthmus.api.dispatch import TERMINAL, Dispatch
from isthmus.api.reference import reference
from isthmus.clusters import ApiError, ClusterError, Invalid, earliest

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
from .queued import is_queued

logger = structlog.get_logger(__name__)

# A write that failed, or that waits for the member to be heard again, is tried again after this part of the fence.
RETRY_PART = 10


class Guard:
    """Of one agent. `on_doubt()` is called when the member's controllers fall silent, and when they are back.

    `on_unheld(name)` is called when the limit of a shard is found that can't be relied on, though that was told.
    """

    def __init__(
        self,
        contact: Contact,
        *,
        jobs: MemberJobs,
        meter: ShardMeter,
        on_doubt: Callable[[], None],
        on_unheld: Callable[[str], None],
    ) -> None:
        self._contact = contact
        self._jobs = jobs
        self._meter = meter
        self._on_doubt = on_doubt
        self._on_unheld = on_unheld
        self._watched_since = contact.clock()
        """Since when all shards that were found in the member are watched."""

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
        limit = self._limit(dispatch, job)
        if limit is None:
            return again
        if limit.left > 0 and not limit.holds and not self._contact.unarmed(uid):
            self._contact.unarm(uid)
            if dispatch.status.armed:
                self._on_unheld(dispatch.metadata["name"])
        retry, began = max(dispatch.spec.fence.after_seconds / RETRY_PART, 0.5), self._contact.clock()
        try:
            if self._overdue(dispatch, job):
                execution.overdue = await self._enforce(dispatch)
                wait = retry
            elif limit.set_to is None:
                wait = limit.again
            elif self._contact.may_lengthen(uid):
                with self._contact.attempt(uid):
                    await self._put_off(dispatch, job, limit.set_to)
                self._contact.heard()
                wait = limit.again
            else:
                wait = retry
        except ClusterError as error:
            if not isinstance(error, ApiError):
                self._contact.failed(began)
            about = reference("Dispatch", dispatch.metadata)
            logger.info("limit not put off", **about, reason=error.reason, error=str(error))
            wait = retry
        return earliest(wait, again)

    async def _put_off(self, dispatch: Dispatch, job: Job, seconds: int) -> None:
        """Set the limit; where the Job is not as it was shown, because the watch is behind, as it is."""
        try:
            await self._jobs.set_limit(job, seconds)
        except Invalid:
            fresh = await self._jobs.find(dispatch)
            limit = self._limit(dispatch, fresh) if fresh is not None else None
            if fresh is None or limit is None or limit.set_to is None:
                return
            await self._jobs.set_limit(fresh, limit.set_to)

    def armed(self, dispatch: Dispatch, execution: Execution, job: Job) -> bool:
        """Whether the member can be relied on to stop the shard at its limit, without us.

        What was told stands until something speaks against it; to tell it anew takes a sign that the member's
        controllers are alive. A process that has just begun has yet to see them, and those that are dead give no sign.
        """
        uid, execution.arms_in = dispatch.metadata["uid"], None
        if dispatch.spec.fence is None:
            return False
        self._note_start(uid, execution, job)
        limit = self._limit_when_heard(dispatch, job)
        told = dispatch.status.armed and not self._contact.unarmed(uid)
        if limit is None:  # suspended, or on its way to an end, which its controller brings about
            armed = dispatch.status.armed and not job.spec.suspend and job.status.start_time is not None
        else:
            armed = limit.holds
        # A queue of the member may stop it and begin it anew at any time, and the limit with it.
        armed = armed and not self._contact.controllers and not is_queued(job.metadata.labels)
        if armed and not told and (wait := self._contact.trusted_in(self._watched_since, UNCOUNTED_SECONDS)) > 0:
            armed, execution.arms_in = False, max(wait, 1.0) if wait < float("inf") else None
        if armed:
            self._contact.rearm(uid)
        else:
            self._contact.unarm(uid)
        return armed

    def _note_start(self, uid: str, execution: Execution, job: Job) -> None:
        """Take note of a Job that has begun, or begun anew; one that was first found so tells nothing new."""
        begun = (job.metadata.uid, job.status.start_time)
        if job.status.start_time is None or execution.begun == begun:
            return
        seen = execution.begun is not None or execution.unstarted_since is not None or execution.created_at is not None
        execution.begun = begun
        self._contact.noted(uid)
        now = self._jobs.server_time()
        if seen and now is not None and now - job.status.start_time <= timedelta(seconds=UNCOUNTED_SECONDS):
            self._contact.acted()

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

    def _limit_when_heard(self, dispatch: Dispatch, job: Job) -> Limit | None:
        """The same as of the last answer of the member: what it has done since nobody here can know."""
        now = self._jobs.server_time()
        if now is None:
            return None
        return limit_of(dispatch, job, now - timedelta(seconds=self._contact.clock() - self._contact.heard_at))

    def _overdue(self, dispatch: Dispatch, job: Job) -> bool:
        """Whether the member, as it last answered, had not stopped a shard whose limit was over."""
        limit = self._limit_when_heard(dispatch, job)
        return limit is not None and limit.left < -OVERDUE_SECONDS and not self._contact.silent

    async def _enforce(self, dispatch: Dispatch) -> bool:
        """The limit is over and the member does nothing: stop the pods ourselves, if by a consistent read that is so.

        Whether it is.
        """
        job = await self._jobs.find(dispatch)
        limit = self._limit(dispatch, job) if job is not None else None
        if limit is None or limit.left >= -OVERDUE_SECONDS:
            return False
        pods = [pod for pod in await self._meter.listed(dispatch) if not pod_ended(pod)]
        logger.warning("stopping a shard past its limit", **reference("Dispatch", dispatch.metadata), pods=len(pods))
        await self._jobs.delete_pods(pods)
        return True

    def _judge_controllers(
        self, uid: str, dispatch: Dispatch, execution: Execution, job: Job | None, pods: Sequence[Pod]
    ) -> float | None:
        """Take note of what the shard shows of the member's Job controller; seconds until it shows more.

        Only what it has left undone up to its last answer counts, and only if it did nothing at all meanwhile: with
        many pods to count it is late with each, and not silent.
        """
        now, doubt = self._contact.clock(), ""
        self._note_watch(dispatch, execution, job)
        if job is not None:
            self._note_start(uid, execution, job)
        since: list[tuple[float, float, str]] = []
        if job is None or not unstarted(job):
            execution.unstarted_since = None
        else:
            execution.unstarted_since = now if execution.unstarted_since is None else execution.unstarted_since
            since.append((execution.unstarted_since, UNSTARTED_SECONDS, "a Job has waited for its controller"))
        counted = False
        if job is not None and dispatch.spec.fence is not None:
            waiting = uncounted(pods)
            counted = not execution.uncounted.keys() <= waiting
            execution.uncounted = {each: execution.uncounted.get(each, now) for each in waiting}
            if execution.uncounted:
                oldest = min(execution.uncounted.values())
                since.append((oldest, UNCOUNTED_SECONDS, "a pod that ended was not counted by its Job"))
            execution.overdue = execution.overdue and self._overdue(dispatch, job)
            if execution.overdue:
                doubt = "a Job was not stopped at its limit"
        acted = now if counted else self._contact.acted_at
        since = [(max(began, acted), patience, what) for began, patience, what in since]
        for began, patience, what in since:
            if self._contact.heard_at - began >= patience:
                doubt = f"{what} for {patience:.0f} s"
        changed = self._contact.doubt(uid, doubt)
        if counted:
            self._contact.acted()
        if changed:
            self._on_doubt()
        return min((max(began + patience - now, 1.0) for began, patience, _ in since), default=None)

    def _note_watch(self, dispatch: Dispatch, execution: Execution, job: Job | None) -> None:
        """What a shard that was there before us shows of the controllers counts from when it was first looked at."""
        if execution.watched:
            return
        execution.watched = True
        if job is not None and execution.created_at is None and dispatch.status.state not in TERMINAL:
            self._watched_since = self._contact.clock()
