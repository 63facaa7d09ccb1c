"""Suspends and resumes the Jobs of one node's Dispatches, as the hub desires; where that can't be done, it is told."""

from collections.abc import Callable

import structlog

from isthmus.api.core import Job
from isthmus.api.dispatch import Dispatch
from isthmus.api.reference import reference
from isthmus.clusters import ApiError, earliest

from .due import REPORT_SECONDS
from .execution import Execution
from .fence import seen_suspended
from .guard import Guard
from .memberjobs import MemberJobs
from .memberqueue import DENIALS
from .queued import is_queued
from .reporter import Reporter
from .statuswriter import StatusWriter
from .tries import Tries

logger = structlog.get_logger(__name__)


class Pausing:
    """Of one agent; `clock` is monotonic, in seconds. What the member refuses is tried more and more seldom."""

    def __init__(
        self, jobs: MemberJobs, guard: Guard, reporter: Reporter, writer: StatusWriter, clock: Callable[[], float]
    ) -> None:
        self._jobs = jobs
        self._guard = guard
        self._reporter = reporter
        self._writer = writer
        self._clock = clock

    async def suspend(self, dispatch: Dispatch, execution: Execution, job: Job) -> float | None:
        """Suspend the Job; when, in seconds, to look again where its queue does not let us. Raises ClusterError."""
        execution.resumes = Tries()
        if execution.suspensions.pause(self._clock()) <= 0:
            try:
                if await self._jobs.suspend(job):
                    return None
            except DENIALS as error:
                self._denied(dispatch, execution, job, error)
            execution.suspensions.sent(self._clock())
        pause = execution.suspensions.pause(self._clock())
        return earliest(await self._reporter.report(dispatch, execution, job), pause)

    async def resume(self, dispatch: Dispatch, execution: Execution, job: Job) -> float | None:
        """Resume the Job; before it is, the hub is told to rely no longer on that it has stopped, or on its limit.

        The latter counts from a new start. One that somebody suspends again and again is resumed more and more seldom.
        Raises ClusterError.
        """
        execution.suspensions = Tries()
        pause = execution.resumes.pause(self._clock())
        if pause > 0:
            return earliest(await self._reporter.report(dispatch, execution, job), pause)
        if dispatch.status.armed or dispatch.status.stopped:
            dispatch = await self._writer.write(
                dispatch, execution, dispatch.status.model_copy(update={"armed": False, "stopped": False})
            )
        told = not seen_suspended(job)
        try:
            if await self._guard.resume(dispatch, job):
                execution.resumes.sent(self._clock())
                return None
        except DENIALS as error:
            self._denied(dispatch, execution, job, error)
            execution.resumes.sent(self._clock())
            told = True
        finally:
            execution.resumable = (job.metadata.resource_version, self._clock())
        if told:  # it does not come to that
            await self._reporter.report(dispatch, execution, job)
        return REPORT_SECONDS

    def _denied(self, dispatch: Dispatch, execution: Execution, job: Job, error: ApiError) -> None:
        """The Job's queue can't be told what is desired: why is kept for the hub. Raises where there is no queue."""
        if not is_queued(job.metadata.labels):
            raise error
        logger.warning("its queue can't be told", **reference("Dispatch", dispatch.metadata), error=str(error))
        execution.queue_said, execution.queue_asked_at = str(error), self._clock()
