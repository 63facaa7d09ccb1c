"""Answers why a job stands where it does: gathers what was decided, and how all nodes stand now where that is asked."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

import msgspec
from aiohttp import web

from isthmus.api.computejob import FINISHED, ComputeJob
from isthmus.hub.dispatches import DispatchStore
from isthmus.hub.fleet import Fleet
from isthmus.hub.progress import Rest
from isthmus.hub.scheduler import Scheduler
from isthmus.hub.steering import split_of
from isthmus.hub.work import work_of
from isthmus.placement import Demand, Examination, Remedy, Snapshot, demand_of, examine, remedies

from .explanation import decision_of, document
from .jobs import JobReader
from .refusals import too_many
from .server import json_response

# Nodes are judged beside the event loop, in a thread; more than two at once would only take each other's turn.
AT_ONCE = 2
WAITING = 64
# One namespace leaves room for all others.
OF_NAMESPACE = 2


class Explanations:
    """`account_of` gives a namespace's account, `now` the time of day in UTC."""

    def __init__(
        self,
        jobs: JobReader,
        *,
        dispatches: DispatchStore,
        fleet: Fleet,
        scheduler: Scheduler,
        account_of: Callable[[str], str],
        now: Callable[[], datetime],
    ) -> None:
        self._jobs = jobs
        self._dispatches = dispatches
        self._fleet = fleet
        self._scheduler = scheduler
        self._account_of = account_of
        self._now = now
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._pending: Counter[str] = Counter()

    async def answer(self, _: web.Request, namespace: str, name: str) -> web.StreamResponse:
        """The explanation. Raises Refused."""
        job = await self._jobs.read(namespace, name)
        uid = str(job.metadata["uid"])
        waiting = self._scheduler.waiting(uid)
        decision = decision_of(self._dispatches.read_of_job(uid), waiting=waiting is not None)
        examined: Examination | None = None
        changes: tuple[Remedy, ...] = ()
        demand = waiting or self._demand(job, placed=decision is not None)
        if demand is not None:
            waits = waiting is not None or decision is None
            examined, changes = await self._examine(demand, job, namespace, waits=waits)
        answer = document(job, decision, examined, self._now(), waiting=waiting is not None, remedies=changes)
        return json_response(answer)

    def _demand(self, job: ComputeJob, *, placed: bool) -> Demand | None:
        """The whole job as it would be offered; None where it never will be, or its template is none."""
        if job.status.phase in FINISHED and not placed:
            return None
        work = work_of(job.spec.template)
        split = None
        if job.spec.placement.split == "ByIndex" and work.by_index:
            width = min(work.parallelism, work.completions or work.parallelism)
            split = split_of(job.spec.placement, work, Rest(width), 0)
        try:
            return demand_of(job, self._account_of(job.metadata["namespace"]), split=split)
        except (msgspec.ValidationError, ValueError):
            return None

    async def _examine(
        self, demand: Demand, job: ComputeJob, namespace: str, *, waits: bool
    ) -> tuple[Examination, tuple[Remedy, ...]]:
        async with self._turn(namespace):
            snapshot = replace(self._fleet.snapshot(self._now()), reservations=self._scheduler.reservations)
            return await asyncio.to_thread(_judged, snapshot, demand, job if waits else None)

    @asynccontextmanager
    async def _turn(self, namespace: str) -> AsyncIterator[None]:
        if self._pending[namespace] >= OF_NAMESPACE:
            raise too_many(
                f"{OF_NAMESPACE} explanations for namespace {namespace} are being worked out; try again in a moment"
            )
        if self._pending.total() >= WAITING:
            raise too_many(f"{WAITING} explanations are being worked out already; try again in a moment")
        self._pending[namespace] += 1
        try:
            async with self._turns:
                yield
        finally:
            self._pending[namespace] -= 1
            if not self._pending[namespace]:
                del self._pending[namespace]


def _judged(snapshot: Snapshot, demand: Demand, waits: ComputeJob | None) -> tuple[Examination, tuple[Remedy, ...]]:
    """Every node, and of a job that waits what would have to change."""
    examined = examine(snapshot, demand)
    if waits is None:
        return examined, ()
    work = work_of(waits.spec.template)
    return examined, remedies(snapshot, demand, splittable=work.indexed and work.by_index)
