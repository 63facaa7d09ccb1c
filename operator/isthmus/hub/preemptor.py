"""Preemption carried out: the shards chosen are marked, told, stopped when that is due, and spared where it is not."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import msgspec
import structlog

from isthmus.api.core import JobSpec
from isthmus.api.dispatch import TERMINAL, Dispatch
from isthmus.api.names import ANNOTATION_PREEMPTION, node_namespace
from isthmus.api.quantities import PODS
from isthmus.api.reference import reference
from isthmus.capacity import effective_request
from isthmus.clusters import DISPATCHES, Conflict, KubernetesApi, NotFound, WorkQueue
from isthmus.placement import Demand, Preemption, RunningShard, demand_in, demand_of

from .dispatches import DispatchStore
from .fleet import Fleet
from .instruments import Instruments
from .jobrecord import JobRecord
from .jobstore import JobStore
from .preemptionmark import Mark, making_room, mark_of
from .progress import progress_of, width_of
from .work import Work

logger = structlog.get_logger(__name__)

# What runs is looked through so often at most: where nothing may be stopped for a job, that is not asked every cycle.
LOOK_SECONDS = 0.5
# A node's figures show what was stopped within some seconds; before that nothing more is stopped for the same job.
SETTLE_SECONDS = 10.0
# While a job is being given nodes, whether it needs more room will be known in a moment.
LOOK_AGAIN_SECONDS = 1.0


@dataclass(slots=True)
class _Claim:
    """What is stopped for one attempt of a job: the shards, and when one of them was last seen to hold its room."""

    attempt: int
    seen: float
    shards: dict[str, RunningShard] = field(default_factory=dict)


class Preemptor:
    """Whom `Scheduler` asks what may be stopped, and `Steering` what is to be. `monotonic` never jumps, in seconds."""

    def __init__(
        self,
        hub: KubernetesApi,
        store: JobStore,
        dispatches: DispatchStore,
        fleet: Fleet,
        *,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        look: Callable[[str], None],
        wake: Callable[[], None],
        instruments: Instruments,
    ) -> None:
        self._hub = hub
        self._store = store
        self._dispatches = dispatches
        self._fleet = fleet
        self._now = now
        self._monotonic = monotonic
        self._look = look
        self._wake = wake
        self._instruments = instruments
        self._claims: dict[str, _Claim] = {}
        self._unmarked: dict[str, tuple[str, Mark]] = {}
        self._demands: dict[str, Demand] = {}
        self._shown: dict[str, tuple[Dispatch, RunningShard]] = {}
        self._finished: dict[str, tuple[int, datetime]] = {}
        self._looked = float("-inf")
        self._any = False
        self._next_look: asyncio.TimerHandle | None = None
        self.queue: WorkQueue[str] = WorkQueue(self._mark, name="preemption", workers=16, retry_limit_seconds=5.0)

    def observed(self, dispatch: Dispatch, *, gone: bool) -> None:
        """A Dispatch changed: when the last of its pods was done tells how much there is to lose."""
        name, done = dispatch.metadata["name"], dispatch.status.succeeded
        self._shown.pop(name, None)
        if gone or dispatch.status.state in TERMINAL:
            self._finished.pop(name, None)
            self._demands.pop(name, None)
        elif done and self._finished.get(name, (0, None))[0] != done:
            self._finished[name] = done, self._now()

    def running(self, waiting: Sequence[Demand]) -> tuple[RunningShard, ...]:
        """What may be stopped for one of these jobs, and what is being; nothing where that was asked a moment ago.

        Another cycle follows when it may be asked again. While a claim stands it is always told.
        """
        highest = max((demand.priority for demand in waiting), default=None)
        if highest is None:
            return ()
        now, attempts = self._monotonic(), {demand.key: demand.attempt for demand in waiting}
        claimed = self._claimed(now, attempts)
        if now - self._looked < LOOK_SECONDS:
            if self._any:
                self._look_again(self._looked + LOOK_SECONDS - now)
            return claimed
        preemptible = [record for record in self._store.records() if record.job.spec.placement.preemptible]
        self._looked, self._any = now, bool(preemptible)
        lower = [record for record in preemptible if record.job.spec.priority < highest and not record.halted]
        answers: dict[str, bool] = {}
        found = {shard.dispatch: shard for record in lower for shard in self._shards(record, answers)}
        for shard in found.values():
            if shard.claimed_by:
                claim = self._claims.setdefault(shard.claimed_by, _Claim(attempts.get(shard.claimed_by, 0), now))
                claim.shards[shard.dispatch], claim.seen = shard, now
        return (*(s for s in found.values() if not s.claimed_by), *self._claimed(now, attempts))

    def _claimed(self, now: float, attempts: Mapping[str, int]) -> tuple[RunningShard, ...]:
        """The shards that make room, or made it so lately that the figures may not show it.

        Once their job was sent there, a part of it that waits still is another attempt, which may claim others.
        """
        for uid, claim in list(self._claims.items()):
            if any(map(self._holds, claim.shards.values())):
                claim.seen = now
            elif now - claim.seen >= SETTLE_SECONDS or attempts.get(uid, claim.attempt) > claim.attempt:
                del self._claims[uid]
            else:
                self._look_again(claim.seen + SETTLE_SECONDS - now)
        return tuple(shard for claim in self._claims.values() for shard in claim.shards.values())

    def _holds(self, shard: RunningShard) -> bool:
        """Whether the shard still holds the room that it is to make, on a node that answers."""
        dispatch = self._dispatches.node(shard.node).live_one(shard.dispatch)
        known = self._fleet.get(shard.node)
        if dispatch is None or dispatch.status.stopped or known is None or known.facts.blocked() is not None:
            return False
        return shard.dispatch in self._unmarked or mark_of(dispatch) is not None

    def _look_again(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        if self._next_look is None or self._next_look.cancelled() or self._next_look.when() <= loop.time():
            self._next_look = loop.call_later(max(seconds, 0.01), self._wake)

    def _shards(self, record: JobRecord, answers: dict[str, bool]) -> Iterable[RunningShard]:
        """The job's shards that run; of those that are as they were when last asked nothing is worked out anew.

        `answers` says of nodes whether they can be reached, each asked once.
        """
        priority = record.job.spec.priority
        for node, dispatch in self._dispatches.live_of_job(record.uid):
            if node not in answers:
                known = self._fleet.get(node)
                answers[node] = known is not None and known.facts.blocked() is None
            if not answers[node] or dispatch.spec.desired_state == "Suspended":
                continue
            name = dispatch.metadata["name"]
            before, shard = self._shown.get(name, (None, None))
            if shard is None or before is not dispatch or shard.priority != priority:
                shard = self._shard(record, node, dispatch)
                if dispatch.status.start_time:
                    self._shown[name] = dispatch, shard
            yield shard

    def _shard(self, record: JobRecord, node: str, dispatch: Dispatch) -> RunningShard:
        mark, name = making_room(dispatch), dispatch.metadata["name"]
        since = [datetime.fromisoformat(dispatch.status.start_time)] if dispatch.status.start_time else []
        since += [self._finished[name][1]] if name in self._finished else []
        return RunningShard(
            dispatch=name,
            node=node,
            demand=self._demand(record, dispatch),
            width=width_of(dispatch),
            preemptible=dispatch.spec.desired_state == "Running" and movable(record.work, dispatch),
            since=max(since) if since else self._now(),
            claimed_by=mark.job if mark is not None else "",
        )

    def _demand(self, record: JobRecord, dispatch: Dispatch) -> Demand:
        """The shard's demand: its job's, with what its own pods ask for."""
        name, priority = dispatch.metadata["name"], record.job.spec.priority
        known = self._demands.get(name)
        if known is None:
            pod = msgspec.convert(dispatch.spec.manifest["spec"], JobSpec, strict=False).template.spec
            request = {**effective_request(pod), PODS: 1}
            whole = demand_of(record.job, dispatch.spec.account, width=width_of(dispatch))
            known = replace(demand_in(whole, dispatch.spec.variant), request=request)
        if known.priority != priority:
            known = replace(known, priority=priority)
        self._demands[name] = known
        return known

    def decided(self, preemptions: Iterable[Preemption]) -> None:
        """A cycle chose shards to be stopped: mark them, after which their jobs are told and see to it."""
        self._look_again(LOOK_SECONDS)  # one cycle sees to a few jobs only
        for each in preemptions:
            due = self._now().astimezone(UTC) + timedelta(seconds=each.notice_seconds)
            mark = Mark(each.demand.key, each.demand.priority, due.replace(microsecond=0))
            claim = self._claims.setdefault(mark.job, _Claim(each.demand.attempt, self._monotonic()))
            for shard in each.victims:
                claim.shards[shard.dispatch] = replace(shard, claimed_by=mark.job)
                self._unmarked[shard.dispatch] = shard.node, mark
                self.queue.add(shard.dispatch)
            logger.info(
                "preemption decided",
                **reference(
                    "ComputeJob",
                    {"namespace": each.demand.namespace, "name": each.demand.name, "uid": each.demand.key},
                ),
                node=each.node,
                shards=[shard.dispatch for shard in each.victims],
                notice_seconds=each.notice_seconds,
            )

    async def _mark(self, name: str) -> None:
        """Write the mark of one Dispatch, where it still stands and its room is still wanted."""
        if name not in self._unmarked:
            return
        node, mark = self._unmarked[name]
        dispatch = self._dispatches.node(node).live_one(name)
        if dispatch is not None and dispatch.spec.desired_state == "Running" and self._wanted(mark.job) is not False:
            if mark_of(dispatch) is None:
                await self._annotate(node, dispatch, mark)
                self._instruments.preemptions.inc()
            self._look(dispatch.spec.job.uid)
        del self._unmarked[name]

    async def _annotate(self, node: str, dispatch: Dispatch, mark: Mark | None) -> None:
        """Raises ClusterError, Conflict where there is another Dispatch of that name by now."""
        metadata = dispatch.metadata
        text = mark.text() if mark is not None else None
        body = {"metadata": {"uid": metadata["uid"], "annotations": {ANNOTATION_PREEMPTION: text}}}
        try:
            answer = await self._hub.patch(DISPATCHES, metadata["name"], node_namespace(node), body)
        except (NotFound, Conflict):
            return
        self._dispatches.put(node, Dispatch.model_validate(answer))

    async def due(self, record: JobRecord, live: Iterable[tuple[str, Dispatch]]) -> tuple[set[str], float | None]:
        """Those of the job's live shards that are to be stopped now to make room, and when to ask again, in seconds.

        A mark is taken off where the room is not needed any more, or the shard proved to be one that can't be moved.
        Raises ClusterError.
        """
        stopped: set[str] = set()
        again: float | None = None
        for node, dispatch in live:
            mark = mark_of(dispatch)
            if mark is None or dispatch.spec.desired_state == "Cancelled":
                continue
            wanted = self._wanted(mark.job)
            if wanted is False or not movable(record.work, dispatch):
                await self._annotate(node, dispatch, None)
                logger.info("preemption taken back", **record.reference, node=node)
                self._wake()
                continue
            left = (mark.due - self._now()).total_seconds()
            if wanted is None or left > 0:
                wait = max(left, LOOK_AGAIN_SECONDS if wanted is None else 0.05)
                again = wait if again is None else min(again, wait)
            else:
                stopped.add(dispatch.metadata["name"])
        return stopped, again

    def _wanted(self, uid: str) -> bool | None:
        """Whether the job still needs room, by what the API last showed of it; None where that is about to change."""
        record = self._store.get(uid)
        if record is None or record.halted or record.finished or record.refusal is not None:
            return False
        if record.dispatching:
            return None
        return progress_of(record.work, self._dispatches.of_job(uid)).rest is not None


def movable(work: Work, dispatch: Dispatch) -> bool:
    """Whether a shard can be stopped and lose no more than what its pods are at."""
    return work.by_index or work.by_count or not dispatch.status.succeeded
