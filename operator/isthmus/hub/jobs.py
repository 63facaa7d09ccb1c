"""The reconciler of ComputeJobs: gathers what is known of one, decides, applies, writes its status."""

from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from isthmus.api.core import Manifest
from isthmus.api.dispatch import TERMINAL, Dispatch
from isthmus.api.names import FINALIZER_JOB
from isthmus.api.reference import reference
from isthmus.clusters import COMPUTEJOBS, ClusterError, Conflict, KubernetesApi, NotFound, WorkQueue, earliest
from isthmus.placement import Unplaced

from .admission import TemplateJudge
from .booking import Booking
from .dispatches import DispatchStore
from .events import EventWriter
from .fencing import Fencing, GiveUp
from .fleet import Fleet
from .instruments import Instruments
from .jobrecord import EndedJob, JobRecord
from .jobstatuswriter import KEPT_BACK_SECONDS, JobStatusWriter
from .jobstore import JobStore
from .latency import Latency
from .preemptor import Preemptor
from .progress import progress_of
from .scheduler import Scheduler
from .shards import Shards
from .steering import Steering

logger = structlog.get_logger(__name__)

# How long a deletion waits for a member out of reach, which is swept on its return; of others it is told after that.
DELETION_SECONDS = 60.0
# A verdict that could not be written is thought over after so long.
LOOK_AGAIN_SECONDS = 1.0


class Jobs:
    """All ComputeJobs. `now` is the time of day in UTC, `monotonic` never jumps, in seconds."""

    def __init__(
        self,
        hub: KubernetesApi,
        *,
        dispatches: DispatchStore,
        fleet: Fleet,
        scheduler: Scheduler,
        judge: TemplateJudge,
        booking: Booking,
        fencing: Fencing,
        events: EventWriter,
        account_of: Callable[[str], str],
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        instruments: Instruments | None = None,
    ) -> None:
        self._hub = hub
        self._dispatches = dispatches
        self._fleet = fleet
        self._scheduler = scheduler
        self._judge = judge
        self._booking = booking
        self._fencing = fencing
        self._shards = Shards(hub, dispatches, fleet, booking)
        self.store = JobStore(hub, self._vanished)
        instruments = instruments or Instruments()
        self.preemptor = Preemptor(
            hub,
            self.store,
            dispatches,
            fleet,
            now=now,
            monotonic=monotonic,
            look=lambda uid: self.queue.add(uid),  # noqa: PLW0108 - made below
            wake=scheduler.wake,
            instruments=instruments,
        )
        scheduler.preempting = self.preemptor
        self._steering = Steering(
            self._shards,
            fleet,
            scheduler,
            account_of=account_of,
            now=now,
            again=lambda uid, seconds: self.queue.add(uid, seconds),  # noqa: PLW0108 - made below
            preemptor=self.preemptor,
        )
        self._statuses = JobStatusWriter(hub, self.store, fleet=fleet, booking=booking, events=events, now=now)
        self._now = now
        self.latency = Latency(self.store, instruments, monotonic, now)
        self.queue: WorkQueue[str] = WorkQueue(
            self.reconcile, name="jobs", workers=64, retry_limit_seconds=5.0, about=self.about
        )

    def about(self, uid: str) -> dict[str, str]:
        """How a log line names the job of that UID."""
        known = self.store.get(uid) or self.store.ended(uid)
        return known.reference if known is not None else reference("ComputeJob", {"uid": uid})

    def observed(self, body: Manifest, *, gone: bool) -> None:
        """A watch showed the job, or its end."""
        uid = body["metadata"]["uid"]
        if gone:
            self.store.drop(uid)
            return
        new = self.store.get(uid) is None
        self.store.learn(body)
        if new and (record := self.store.get(uid)) is not None:
            self.latency.seen(record)
        ended = self.store.ended(uid)
        if ended is None or not self._dispatches.all_rest(uid):
            self.queue.add(uid)
        elif (wait := ended.seconds_left(self._now())) is not None:  # nothing else is due, for thousands at a start
            self.queue.add(uid, wait)

    def _vanished(self, uid: str) -> None:
        self._scheduler.withdraw(uid)
        self.queue.add(uid)

    def dispatch_changed(self, dispatch: Dispatch) -> None:
        """A Dispatch of a job changed: its end is told at once, progress after a while."""
        ended = dispatch.status.state in TERMINAL
        self.queue.add(dispatch.spec.job.uid, 0.0 if ended or dispatch.status.state is None else 0.2)

    def booked(self, uid: str) -> None:
        """More of the job is in the ledger. Of one that has ended it is told after a while: more may follow."""
        self.queue.add(uid, 0.0 if self.store.ended(uid) is None else KEPT_BACK_SECONDS)

    def unplaced(self, uid: str, verdict: Unplaced) -> None:
        """A scheduling cycle found no node for the job."""
        record = self.store.get(uid)
        if record is not None and record.unplaced != verdict:
            record.unplaced = verdict
            self.queue.add(uid, 0.2)

    async def reconcile(self, uid: str) -> float | None:
        """Do what is due for the job; the answer is when, in seconds, to look again. Raises ClusterError."""
        ended = self.store.ended(uid)
        if ended is not None:
            return await self._tend_ended(ended)
        record = self.store.get(uid)
        dispatches = self._dispatches.of_job(uid)
        if record is None:
            return await self._without_job(uid, dispatches)
        if record.deleting:
            return await self._delete(record, dispatches)
        if record.finished:  # while it is being dispatched, the dispatcher calls back
            if record.dispatching:
                return None
            self._booking.settle(uid, record.job.status.cost)
            return await self._tend_ended(self.store.rest(record))
        return await self._advance(record, dispatches)

    async def _advance(self, record: JobRecord, dispatches: tuple[tuple[str, Dispatch], ...]) -> float | None:
        """Judge, place and steer a job that has not ended, and tell of it."""
        if not dispatches and not record.admitted and record.refusal is None:
            try:
                record.refusal = await self._judge.judge(record.job)
            except ClusterError as error:
                record.problem = (error.reason, f"the template could not be judged: {error}")
                await self._statuses.write(record, dispatches, progress_of(record.work, dispatches))
                raise
            record.admitted, record.problem = record.refusal is None, None
        look = await self._judge_lost(record, dispatches)
        dispatches = self._dispatches.of_job(record.uid)
        progress = progress_of(record.work, dispatches)
        await self._steering.steer(record, dispatches, progress)
        if record.dispatching and (record.job.spec.cancel or progress.ending):
            return look  # a shard may be on its way; the dispatcher calls back when that is known
        booked = all(self._booking.is_booked(dispatch) for _, dispatch in dispatches)
        if not booked and (len(progress.live) <= 1 or progress.ending is not None):
            return look  # the booking calls back; no ending is told ahead of the bill
        again = await self._statuses.write(record, dispatches, progress)
        return earliest(look, again, record.late_in(self._now()))

    async def _judge_lost(self, record: JobRecord, dispatches: Sequence[tuple[str, Dispatch]]) -> float | None:
        """Give up shards that have certainly stopped where they can't be reached; when to look again, in seconds."""
        record.waits, again = {}, None
        for node, dispatch in dispatches:
            verdict = self._fencing.verdict(node, dispatch, record.job)
            if dispatch.status.state not in TERMINAL and (left := self._fleet.lost_in(node)):
                again = earliest(again, left)
            if isinstance(verdict, GiveUp):
                if await self._fencing.give_up(node, dispatch, record.job):
                    continue
                again = LOOK_AGAIN_SECONDS
            elif verdict is not None:
                record.waits[dispatch.metadata["name"]] = verdict.why
                again = earliest(again, verdict.seconds)
        return again

    async def _tend_ended(self, ended: EndedJob) -> float | None:
        """Stop what of the job came late, and delete it when its time to live is over."""
        self._scheduler.withdraw(ended.uid)
        await self._shards.stop(self._dispatches.live_of_job(ended.uid))
        self._dispatches.rest(ended.uid)
        if not await self._bill(ended):
            return None
        wait = ended.seconds_left(self._now())
        if wait is None or wait > 0:
            return wait
        namespace, name = ended.key
        if await self.store.still_there(ended):
            await self._hub.delete(COMPUTEJOBS, name, namespace, uid=ended.uid, propagation="Background")
        return None

    async def _bill(self, ended: EndedJob) -> bool:
        """Have the status of the job show what was booked since it ended; False where it is gone, or being deleted.

        That comes to light when a member that was lost is back; the job is read anew for it.
        """
        cost = self._booking.cost(ended.uid)
        if cost is None:
            return True
        found = await self.store.fresh(ended)
        if found is None or self.store.ended(ended.uid) is None:
            return False
        shown = cost.to_manifest()
        if (found.get("status") or {}).get("cost") != shown:
            namespace, name = ended.key
            body = {"metadata": {"uid": ended.uid}, "status": {"cost": shown}}
            self.store.learn(await self._hub.patch(COMPUTEJOBS, name, namespace, body, subresource="status"))
            logger.info("cost of an ended job written", **ended.reference, amount=cost.amount)
        self._booking.settle(ended.uid, cost)
        return True

    async def _delete(self, record: JobRecord, dispatches: tuple[tuple[str, Dispatch], ...]) -> float | None:
        """Have all shards stopped and cleared away, then let the job go; a dead member is not waited for for ever."""
        self._scheduler.withdraw(record.uid)
        if record.dispatching:
            return 0.5
        left = await self._shards.clear(dispatches)
        asked = datetime.fromisoformat(record.job.metadata["deletionTimestamp"])
        unreachable = self._fleet.unreachable(left)
        overdue = (self._now() - asked).total_seconds() - DELETION_SECONDS
        if left and not (overdue >= 0 and unreachable.keys() == set(left)):
            record.uncleared = tuple(sorted(set(left))) if overdue >= 0 else ()
            if record.uncleared or unreachable:
                dispatches = self._dispatches.of_job(record.uid)
                await self._statuses.write(record, dispatches, progress_of(record.work, dispatches))
            return earliest(max(-overdue, 1.0), *(self._fleet.lost_in(node) or None for node in left))
        if record.held:
            namespace, name = record.key
            rest = [f for f in record.job.metadata["finalizers"] if f != FINALIZER_JOB]
            body = {"metadata": {"uid": record.uid, "finalizers": rest}}
            try:
                await self._hub.patch(COMPUTEJOBS, name, namespace, body)
            except (NotFound, Conflict):
                return 0.2 if await self.store.still_there(record) else None
        return None

    async def _without_job(self, uid: str, dispatches: tuple[tuple[str, Dispatch], ...]) -> float | None:
        """Dispatches whose job the watch does not show: cleared away once a consistent read says that it is gone."""
        if not dispatches:
            return None
        reference = dispatches[0][1].spec.job
        try:
            body = await self._hub.get(COMPUTEJOBS, reference.name, reference.namespace)
        except NotFound:
            body = None
        if body is not None and body["metadata"]["uid"] == uid:
            self.store.learn(body)
            return 0.001
        left = await self._shards.clear(dispatches)
        return 5.0 if left else None
