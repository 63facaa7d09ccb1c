"""Writes the status of ComputeJobs: what somebody waits for at once, the rest in as few writes as do."""

from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from isthmus.agent import timestamp
from isthmus.api.dispatch import Dispatch
from isthmus.clusters import COMPUTEJOBS, Conflict, KubernetesApi, NotFound

from .booking import Booking
from .draining import leaving
from .events import EventWriter
from .fleet import Fleet
from .jobrecord import JobRecord
from .jobsize import placement_of, size_of
from .jobstatus import Facts, job_status, status_patch, urgent
from .jobstore import JobStore
from .progress import Progress

logger = structlog.get_logger(__name__)

# What nobody waits for is kept back for so long: more may follow, and work that ends within it is told in one write.
KEPT_BACK_SECONDS = 1.0
# While the hub's API is busy, what brings jobs on their way goes before telling of them.
KEPT_BACK_BUSY_SECONDS = 10.0


class JobStatusWriter:
    """Gathers what a job's status is made from. `now` is the time of day in UTC."""

    def __init__(
        self,
        hub: KubernetesApi,
        store: JobStore,
        *,
        fleet: Fleet,
        booking: Booking,
        events: EventWriter,
        now: Callable[[], datetime],
    ) -> None:
        self._hub = hub
        self._store = store
        self._fleet = fleet
        self._booking = booking
        self._events = events
        self._now = now

    async def write(
        self, record: JobRecord, dispatches: Sequence[tuple[str, Dispatch]], progress: Progress
    ) -> float | None:
        """Write what has changed, unless it can wait; the answer is when, in seconds, to look again."""
        before = record.job  # the watch may show our own write before its answer is here
        new = job_status(self._facts(record, dispatches, progress))
        patch = status_patch(before.status, new)
        if patch is None:
            record.noticed_at = None
            return None
        wait = 0.0 if urgent(before.status, new) else self._kept_back(record)
        if wait > 0:
            return wait
        namespace, name = record.key
        body = {"metadata": {"uid": record.uid}, "status": patch}
        try:
            answer = await self._hub.patch(COMPUTEJOBS, name, namespace, body, subresource="status")
            record.noticed_at = None
        except (NotFound, Conflict):
            return 0.2 if await self._store.still_there(record) else None
        logger.debug("job status written", **record.reference, phase=new.phase, fields=sorted(patch))
        self._events.of_transition(before, new)
        self._store.learn(answer)
        return 0.0 if record.finished else None

    def _kept_back(self, record: JobRecord) -> float:
        """Seconds for which news of the job, first noticed now or before, are still to be kept back."""
        now = self._now().timestamp()
        if record.noticed_at is None:
            record.noticed_at = now
        longest = KEPT_BACK_BUSY_SECONDS if self._hub.busy else KEPT_BACK_SECONDS
        wait = record.noticed_at + longest - now
        return wait if wait <= longest else 0.0  # the clock was set back meanwhile

    def _facts(self, record: JobRecord, dispatches: Sequence[tuple[str, Dispatch]], progress: Progress) -> Facts:
        known = record.admitted or dispatches
        completions, gpus = size_of(record.job, dispatches, progress.live) if known else (None, 0)
        explanation, estimate = placement_of(dispatches, record.unplaced)
        return Facts(
            job=record.job,
            work=record.work,
            dispatches=dispatches,
            progress=progress,
            refusal=record.refusal,
            admitted=record.admitted,
            unplaced=record.unplaced,
            problem=record.problem,
            cost=self._booking.cost(record.uid) if dispatches else None,
            explanation=explanation,
            estimate=estimate,
            completions=completions,
            gpus=gpus,
            unreachable=self._fleet.unreachable(node for node, _ in dispatches),
            uncleared=record.uncleared,
            waits=record.waits,
            leaving=leaving(record.work, [(node, d) for node, d in progress.live if self._fleet.drained(node)]),
            now=timestamp(self._now()) or "",
        )
