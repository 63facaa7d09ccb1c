"""Creates ComputeJobs as fast as asked, and watches what becomes of them."""

import asyncio
from collections.abc import Iterable
from time import perf_counter

from msgspec import Struct, field

from burst.sightings import Sightings
from burst.stage import NAMESPACE
from federation import compute_job, job_spec
from isthmus.api.core import Metadata
from isthmus.api.names import LABEL_HUB, LABEL_JOB_UID
from isthmus.clusters import COMPUTEJOBS, JOBS, Client, Informer

CONCURRENCY = 32
INTERVAL_SECONDS = 1.0


class Status(Struct):
    """What is read of a ComputeJob's status."""

    phase: str | None = None


class Seen(Struct):
    """A member's Job or a ComputeJob, no more of it than is asked for: the watcher shares the processors."""

    metadata: Metadata
    status: Status = field(default_factory=Status)


class Load:
    """ComputeJobs with one pod that runs for a second, all of one template."""

    def __init__(self, hub: Client) -> None:
        self._hub = hub
        self._slots = asyncio.Semaphore(CONCURRENCY)
        self._template = job_spec(run_seconds="1", cpu="100m", memory="128Mi")

    async def all_at_once(self, prefix: str, count: int, sightings: Sightings) -> dict[str, str]:
        """Create all with so many calls under way; the names by UID."""
        names = [f"{prefix}-{number:05}" for number in range(count)]
        uids = await asyncio.gather(*(self._create(name, sightings) for name in names))
        return dict(zip(uids, names, strict=True))

    async def one_a_second(self, prefix: str, count: int, sightings: Sightings) -> None:
        """Create one each second."""
        for number in range(count):
            await self._create(f"{prefix}-{number:05}", sightings)
            await asyncio.sleep(INTERVAL_SECONDS)

    async def _create(self, name: str, sightings: Sightings) -> str:
        async with self._slots:
            at = perf_counter()
            created = await self._hub.create(COMPUTEJOBS, compute_job(name, self._template), NAMESPACE, type=Seen)
        sightings.created(created.metadata.uid, at)
        return created.metadata.uid


async def follow_members(
    group: asyncio.TaskGroup, clients: Iterable[Client], sightings: Sightings
) -> list[asyncio.Task[None]]:
    """Tell of each Job of the hub in a member, in tasks that are returned once all watches stand."""

    def seen(_kind: str, _old: Seen | None, job: Seen) -> None:
        sightings.in_member(job.metadata.labels[LABEL_JOB_UID], job.metadata.name, perf_counter())

    informers = [Informer(client, JOBS, type=Seen, labels=LABEL_HUB, on_change=seen) for client in clients]
    return [await _begun(group, informer) for informer in informers]


async def follow_jobs(group: asyncio.TaskGroup, hub: Client, sightings: Sightings) -> asyncio.Task[None]:
    """Tell of the phases of ComputeJobs, in a task that is returned once the watch stands."""

    def seen(_kind: str, _old: Seen | None, job: Seen) -> None:
        sightings.ended(job.metadata.uid, job.status.phase or "", perf_counter())

    return await _begun(group, Informer(hub, COMPUTEJOBS, type=Seen, namespace=NAMESPACE, on_change=seen))


async def _begun(group: asyncio.TaskGroup, informer: Informer[Seen]) -> asyncio.Task[None]:
    task = group.create_task(informer.run())
    await informer.wait_synced()
    return task
