"""One run: fill the hub, start it anew, and let an hour's worth of events pass."""

import asyncio
import os
from contextlib import AsyncExitStack
from time import perf_counter

from burst.load import Load, follow_jobs
from burst.process import peak_mebibytes, resident_mebibytes
from burst.sightings import Sightings
from isthmus.api.names import LABEL_JOB_UID
from isthmus.clusters import DISPATCHES, Client, Informer
from start.figures import Figures, Hour, Start, Usage
from start.filling import fill
from start.machines import HEARTBEATS_AN_HOUR, beat
from start.stage import Stage
from start.work import LONG_SECONDS, client_of, create
from testbed.processortime import cpu_seconds

READY_SECONDS = 600.0
DECISION_SECONDS = 300.0
BATCH_SECONDS = 300.0
QUIET_SECONDS = 300.0
# The hub is quiet once it used less than this part of a core for so many seconds.
QUIET_SHARE = 0.4
QUIET_FOR_SECONDS = 5.0


class Trial:
    """Runs against what is on the stage."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def run(self, ended: int, running: int, events: int) -> Figures:
        """The figures of one run. TimeoutError or DeadlineError where something takes beyond all bounds."""
        began = perf_counter()
        await fill(self._stage, ended, running)
        print(f"start: filled within {perf_counter() - began:.0f} s", flush=True)
        load = os.getloadavg()[0]
        async with client_of(self._stage.hub) as hub:
            start = await self._start(hub, f"first-{perf_counter():.0f}")
            hour = await self._hour(hub, events)
        return Figures(
            ended=ended,
            running=running,
            nodes=len(self._stage.names),
            start=start,
            hour=hour,
            machine={**self._stage.machine(), "loadAverageBefore": round(load, 1)},
        )

    async def _start(self, hub: Client, name: str) -> Start:
        """Start the hub's process, with a job of that name waiting for it."""
        waits = await create(hub, name, run_seconds=LONG_SECONDS)
        began = perf_counter()
        async with asyncio.TaskGroup() as group:
            decided = group.create_task(_decision(hub, waits["metadata"]["uid"]))
            await asyncio.to_thread(self._stage.federation.process.start, deadline_seconds=READY_SECONDS)
            ready = perf_counter() - began
            decision = await decided - began
            at_decision = self._usage()
        quiet = await self._until_quiet() - began
        return Start(ready, decision, at_decision, quiet, self._usage())

    async def _hour(self, hub: Client, events: int) -> Hour:
        """As many jobs come and end, and as many heartbeats are written, as within an hour."""
        before, began, beats = self._usage(), perf_counter(), 0
        sightings, load = Sightings(), Load(hub)
        async with AsyncExitStack() as stack:
            members = [await stack.enter_async_context(client_of(member)) for member in self._stage.members]
            group = await stack.enter_async_context(asyncio.TaskGroup())
            following = await follow_jobs(group, hub, sightings)
            for number in range(HEARTBEATS_AN_HOUR):
                await load.all_at_once(f"hour-{began:.0f}-{number:02}", events // HEARTBEATS_AN_HOUR, sightings)
                beats += await beat(members)
                await sightings.all_ended(BATCH_SECONDS)
            following.cancel()
        seconds = await self._until_quiet() - began
        return Hour(events // HEARTBEATS_AN_HOUR * HEARTBEATS_AN_HOUR, beats, seconds, before, self._usage())

    async def _until_quiet(self) -> float:
        """The instant from which on the hub used next to no processor time."""
        pid = self._stage.federation.process.pid
        async with asyncio.timeout(QUIET_SECONDS):
            while True:
                at, used = perf_counter(), cpu_seconds(pid)
                await asyncio.sleep(QUIET_FOR_SECONDS)
                if cpu_seconds(pid) - used < QUIET_SHARE * QUIET_FOR_SECONDS:
                    return at

    def _usage(self) -> Usage:
        pid = self._stage.federation.process.pid
        return Usage(cpu_seconds(pid), resident_mebibytes(pid), peak_mebibytes(pid))


async def _decision(hub: Client, uid: str) -> float:
    """The instant at which the job's Dispatch is seen."""
    seen: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def shown(_kind: str, _old: object, _new: object) -> None:
        if not seen.done():
            seen.set_result(perf_counter())

    informer = Informer(hub, DISPATCHES, type=dict, labels=f"{LABEL_JOB_UID}={uid}", on_change=shown)
    watching = asyncio.create_task(informer.run())
    try:
        async with asyncio.timeout(DECISION_SECONDS):
            return await seen
    finally:
        watching.cancel()
