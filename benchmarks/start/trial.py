"""One run: fill the hub, start it anew, and let an hour's worth of events pass."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any

from burst.load import Load, follow_jobs
from burst.process import cpu_seconds, peak_mebibytes, resident_mebibytes
from burst.sightings import Sightings
from federation import compute_job, job_spec
from isthmus.agent.observe import job_verdict
from isthmus.api.core import Job
from isthmus.api.names import LABEL_JOB_UID
from isthmus.clusters import COMPUTEJOBS, COMPUTENODES, DISPATCHES, JOBS, Client, Credentials, Informer
from start.figures import Figures, Usage
from start.kept import Kept, Pattern
from start.machines import HEARTBEATS_AN_HOUR, beat
from start.stage import NAMESPACE, NODE_LABEL, Stage
from testbed import Cluster

# A day: whoever keeps finished jobs for so long keeps the timers that end them, too.
KEPT_SECONDS = 86_400
RUN_SECONDS = "86400"
READY_SECONDS = 600.0
DECISION_SECONDS = 300.0
RUNNING_SECONDS = 900.0
COMPLETE_SECONDS = 1200.0
BATCH_SECONDS = 300.0
QUIET_SECONDS = 300.0
# All of it shares two cores: an answer may take its time.
REQUEST_SECONDS = 120.0
# The hub is quiet once it used less than this part of a core for so many seconds.
QUIET_SHARE = 0.15
QUIET_FOR_SECONDS = 5.0


class Trial:
    """Runs against what is on the stage."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def run(self, finished: int, in_members: int, running: int, events: int) -> Figures:
        """The figures of one run. TimeoutError or DeadlineError where something takes beyond all bounds."""
        await self.fill(finished, in_members, running)
        return await self.measure(finished, in_members, running, events)

    async def fill(self, finished: int, in_members: int, running: int) -> None:
        """Run one job to its end and the running ones for real, stop the hub, and write the finished ones."""
        async with self._client(self._stage.hub) as hub:
            await self._create(hub, "pattern", run_seconds="1")
            self._stage.federation.wait_job("pattern", seconds=DECISION_SECONDS)
            slots = asyncio.Semaphore(16)

            async def begin(number: int) -> None:
                async with slots:
                    node = self._stage.names[number % len(self._stage.names)]
                    await self._create(hub, f"running-{number:05}", run_seconds=RUN_SECONDS, node=node)

            await asyncio.gather(*(begin(number) for number in range(running)))
            await self._until_running(hub, running)
            await asyncio.to_thread(self._stage.federation.process.stop)
            nodes = [n for n in (await hub.list(COMPUTENODES)).items if n["metadata"]["name"] in self._stage.names]
            pattern = Pattern(self._stage.federation.job("pattern"), self._pattern_dispatch(), nodes)
            ledger = self._stage.federation.process.ledger
            async with self._members() as members:
                by_node = {name: members[number % len(members)] for number, name in enumerate(self._stage.names)}
                await Kept(hub, by_node.__getitem__, ledger, pattern).make("finished", finished, in_members)
                await self._until_complete(members, in_members)

    async def measure(self, finished: int, in_members: int, running: int, events: int) -> Figures:
        """Start the hub and take the figures."""
        stage = self._stage
        process = stage.federation.process
        async with self._client(stage.hub) as hub:
            before = await self._create(hub, f"first-{perf_counter():.0f}", run_seconds=RUN_SECONDS)
            began = perf_counter()
            async with asyncio.TaskGroup() as group:
                decided = group.create_task(self._decision(hub, before["metadata"]["uid"]))
                await asyncio.to_thread(process.start, deadline_seconds=READY_SECONDS)
                ready = perf_counter() - began
                decision = await decided - began
                at_decision = self._usage()
            quiet = await self._until_quiet() - began
            at_quiet = self._usage()
            began, beats = perf_counter(), 0
            async with self._members() as members:
                sightings, load = Sightings(), Load(hub)
                async with asyncio.TaskGroup() as group:
                    following = await follow_jobs(group, hub, sightings)
                    for number in range(HEARTBEATS_AN_HOUR):
                        prefix = f"hour-{began:.0f}-{number:02}"
                        await load.all_at_once(prefix, events // HEARTBEATS_AN_HOUR, sightings)
                        beats += await beat(members)
                        await sightings.all_ended(BATCH_SECONDS)
                    following.cancel()
            passed = await self._until_quiet() - began
        return Figures(
            finished=finished,
            in_members=in_members,
            running=running,
            nodes=len(stage.names),
            events=events // HEARTBEATS_AN_HOUR * HEARTBEATS_AN_HOUR,
            heartbeats=beats,
            seconds_to_ready=ready,
            seconds_to_decision=decision,
            seconds_to_quiet=quiet,
            at_decision=at_decision,
            at_quiet=at_quiet,
            seconds_of_events=passed,
            after_events=self._usage(),
            machine=stage.machine(),
        )

    async def _create(self, hub: Client, name: str, *, run_seconds: str, node: str | None = None) -> dict[str, Any]:
        template = job_spec(run_seconds=run_seconds, cpu="100m", memory="128Mi")
        placement = {"nodeSelector": {NODE_LABEL: node}} if node is not None else {}
        manifest = compute_job(name, template, ttlSecondsAfterFinished=KEPT_SECONDS, placement=placement)
        created: dict[str, Any] = await hub.create(COMPUTEJOBS, manifest, NAMESPACE)
        return created

    async def _decision(self, hub: Client, uid: str) -> float:
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

    async def _until_running(self, hub: Client, count: int) -> None:
        async with asyncio.timeout(RUNNING_SECONDS):
            while True:
                jobs = (await hub.list(COMPUTEJOBS)).items
                if sum(job.get("status", {}).get("phase") == "Running" for job in jobs) >= count:
                    return
                await asyncio.sleep(5)

    async def _until_complete(self, members: Sequence[Client], count: int) -> None:
        """Until the members have run so many Jobs to their end."""
        async with asyncio.timeout(COMPLETE_SECONDS):
            while True:
                lists = [(await member.list(JOBS, type=Job)).items for member in members]
                if sum(job_verdict(job) is not None for jobs in lists for job in jobs) >= count:
                    return
                await asyncio.sleep(5)

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

    def _pattern_dispatch(self) -> dict[str, Any]:
        uid = self._stage.federation.job("pattern")["metadata"]["uid"]
        found = [d for d in self._stage.federation.items("dispatches") if d["spec"]["job"]["uid"] == uid]
        return found[0]

    async def _connected(self, cluster: Cluster) -> Client:
        credentials = Credentials.from_kubeconfig_path(cluster.kubeconfig())
        return await Client.connect(credentials, name=cluster.name, timeout_seconds=REQUEST_SECONDS)

    @asynccontextmanager
    async def _members(self) -> AsyncIterator[list[Client]]:
        members = [await self._connected(cluster) for cluster in self._stage.members]
        try:
            yield members
        finally:
            for member in members:
                await member.close()

    @asynccontextmanager
    async def _client(self, cluster: Cluster) -> AsyncIterator[Client]:
        client = await self._connected(cluster)
        async with client:
            yield client
