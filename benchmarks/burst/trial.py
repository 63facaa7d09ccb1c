"""One round: a burst to member Jobs, single jobs on the idle system, then a burst that runs to its end at once.

In life each member's control plane has processors of its own. Here all of them share two, so the members' controllers
make no pods until the last Job of the first burst is there; they do that burst's work after it. The second burst runs
against controllers that work from the start.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from burst.figures import Figures
from burst.load import Load, follow_jobs, follow_members
from burst.process import peak_mebibytes
from burst.processors import milliseconds_a_job, processor_seconds
from burst.sightings import Sightings
from burst.stage import Stage
from burst.writes import creation_instants, writes_until_dispatched
from demo.audit import writes_by
from federation.federation import OPERATOR
from isthmus.clusters import Client, Credentials
from testbed import AuditEntry, Cluster
from testbed.processortime import cpu_seconds

END_SECONDS = 600.0
SINGLE_END_SECONDS = 60.0
# After the last write about the burst nothing more comes of it; what is still to come is a node's figures.
QUIET_SECONDS = 3.0


class Trial:
    """Runs against what is on the stage."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def run(self, jobs: int, single: int) -> Figures:
        """The figures of one round. TimeoutError where it takes beyond all bounds; RuntimeError where a job fails."""
        async with self._client(self._stage.hub) as hub:
            load = Load(hub)
            burst = Sightings()
            began, used = datetime.now(UTC), cpu_seconds(self._stage.pid)
            before = processor_seconds(self._stage)
            async with self._following(burst, hub):
                with self._stage.members_idle():
                    names = await load.all_at_once("burst", jobs, burst)
                    await burst.all_dispatched(END_SECONDS)
                    dispatched = processor_seconds(self._stage)
                await burst.all_ended(END_SECONDS)
            _check(burst)
            await asyncio.sleep(QUIET_SECONDS)
            used = cpu_seconds(self._stage.pid) - used
            entries = [entry for entry in self._stage.hub.audit_entries() if entry.time >= began]
            member = self._member_entries(began)
            alone = Sightings()
            async with self._following(alone, hub):
                await load.one_a_second("single", single, alone)
                await alone.all_ended(SINGLE_END_SECONDS)
            _check(alone)
            whole, whole_began = Sightings(), processor_seconds(self._stage)
            async with self._following(whole, hub):
                await load.all_at_once("whole", jobs, whole)
                await whole.all_ended(END_SECONDS)
                ended = processor_seconds(self._stage)
            _check(whole)
        instants = creation_instants(OPERATOR, member)
        dispatches = burst.dispatches()
        owners = {**{name: uid for uid, name in names.items()}, **{name: uid for uid, name in dispatches.items()}}
        existing = {uid: instants[name] for uid, name in dispatches.items()}
        return Figures(
            jobs=jobs,
            seconds_to_last_dispatch=burst.seconds_to_last_dispatch(),
            seconds_to_last_end=whole.seconds_to_last_end(),
            burst_seconds=burst.dispatch_seconds(),
            single_seconds=alone.dispatch_seconds(),
            hub_writes=writes_by(OPERATOR, entries),
            hub_writes_until_dispatched=writes_until_dispatched(OPERATOR, entries, owners, existing),
            member_writes=writes_by(OPERATOR, member),
            cpu_seconds=used,
            dispatch_milliseconds=milliseconds_a_job(before, dispatched, jobs),
            life_milliseconds=milliseconds_a_job(whole_began, ended, jobs),
            peak_mebibytes=peak_mebibytes(self._stage.pid),
            machine=self._stage.machine(),
        )

    def _member_entries(self, began: datetime) -> list[AuditEntry]:
        clusters = self._stage.members.values()
        return [entry for cluster in clusters for entry in cluster.audit_entries() if entry.time >= began]

    @asynccontextmanager
    async def _client(self, cluster: Cluster) -> AsyncIterator[Client]:
        credentials = Credentials.from_kubeconfig_path(cluster.kubeconfig())
        client = await Client.connect(credentials, name=cluster.name)
        async with client:
            yield client

    @asynccontextmanager
    async def _following(self, sightings: Sightings, hub: Client) -> AsyncIterator[None]:
        """Watches on the members' Jobs and the hub's ComputeJobs, which stand before the first job is created."""
        async with asyncio.TaskGroup() as group:
            clients = [await self._connected(cluster) for cluster in self._stage.members.values()]
            tasks = [*await follow_members(group, clients, sightings), await follow_jobs(group, hub, sightings)]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                for client in clients:
                    await client.close()

    async def _connected(self, cluster: Cluster) -> Client:
        return await Client.connect(Credentials.from_kubeconfig_path(cluster.kubeconfig()), name=cluster.name)


def _check(sightings: Sightings) -> None:
    wrong = sightings.not_succeeded()
    if wrong:
        raise RuntimeError(f"{len(wrong)} jobs did not succeed: {list(wrong.items())[:5]}")
