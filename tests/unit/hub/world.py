"""A hub's API in memory, and hub processes on it, from ComputeJob to Dispatch, that can be killed and started."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from isthmus.agent import Clocks
from isthmus.agent.contact import Contacts
from isthmus.api.computenode import ComputeNode
from isthmus.api.core import Manifest
from isthmus.api.dispatch import TERMINAL, Dispatch
from isthmus.api.names import node_namespace
from isthmus.capacity import Profile, Shape
from isthmus.clusters import COMPUTEJOBS, DISPATCHES, NAMESPACES, ClusterError, FakeCluster, Informer, TimedOut
from isthmus.clusters.fake import Call
from isthmus.hub.admission import TemplateJudge
from isthmus.hub.booking import Booking
from isthmus.hub.dispatcher import Dispatcher
from isthmus.hub.dispatches import DispatchStore
from isthmus.hub.events import EventWriter
from isthmus.hub.fencing import Fencing
from isthmus.hub.fleet import Fleet
from isthmus.hub.jobs import Jobs
from isthmus.hub.scheduler import Scheduler
from isthmus.ledger import Ledger

BEGIN = datetime(2026, 11, 22, 12, tzinfo=UTC)
HUB_UID = "5e1fd2b4-0000-4000-8000-000000000001"
SYSTEM = "isthmus-system"
TEAM = "team-a"
GIBIBYTE = 1024**3
LATE_SECONDS = 20.0
TARIFF = {"version": "1", "currency": "CNY", "prices": {"coreSecond": "0.0001", "gibibyteSecond": "0.00001"}}


def now() -> datetime:
    """The time of day in the simulation."""
    return BEGIN + timedelta(seconds=asyncio.get_running_loop().time())


def compute_node(name: str) -> ComputeNode:
    """A node with a tariff."""
    spec = {
        "identity": {"code": f"CN-{name}"},
        "tier": "Core",
        "region": {"code": "cn-east"},
        "access": {"local": {}},
        "tariff": TARIFF,
    }
    return ComputeNode.model_validate(
        {"metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": "1"}, "spec": spec}
    )


def profile(cores: int, *, sequence: int = 0) -> Profile:
    """One machine of 64 cores of which so many are free."""
    whole = {"cpu": 64_000, "memory": 256 * GIBIBYTE, "pods": 110}
    free = {**whole, "cpu": cores * 1000}
    return Profile(BEGIN, 1, whole, free, (), (Shape(1, free, whole),), sequence)


class World:
    """The hub's API with the namespaces of `nodes`."""

    def __init__(self, *nodes: str) -> None:
        self.hub = FakeCluster("hub", clock=now)
        self.nodes = nodes
        for namespace in (SYSTEM, TEAM, *(node_namespace(node) for node in nodes)):
            self.hub.put(NAMESPACES, {"metadata": {"name": namespace}})
        self._late: list[asyncio.Task[None]] = []

    def job(self, name: str = "train", *, fields: Manifest | None = None, **spec: Any) -> str:
        """Have a user make a ComputeJob, with these `fields` of its JobSpec; its UID."""
        container = {"name": "main", "image": "work", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}
        template = {**(fields or {}), "template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}
        body = {"metadata": {"name": name, "namespace": TEAM}, "spec": {"template": template, **spec}}
        return str(self.hub.put(COMPUTEJOBS, body)["metadata"]["uid"])

    def shown(self, name: str = "train") -> Manifest:
        """The ComputeJob as it stands."""
        found = self.hub.object(COMPUTEJOBS, name, TEAM)
        assert found is not None
        return found

    def change(self, name: str = "train", **spec: Any) -> None:
        """Have the user change its spec."""
        found = self.shown(name)
        self.hub.put(COMPUTEJOBS, {**found, "spec": {**found["spec"], **spec}})

    def condition(self, kind: str, name: str = "train") -> tuple[str, str] | None:
        """Status and reason of one of its conditions."""
        conditions = self.shown(name).get("status", {}).get("conditions", ())
        return next(((c["status"], c["reason"]) for c in conditions if c["type"] == kind), None)

    def written(self) -> dict[tuple[str, int], set[str]]:
        """The namespaces of all Dispatches that ever were, by job and attempt."""
        found: dict[tuple[str, int], set[str]] = defaultdict(set)
        for change in self.hub._store.since(0):
            if change.resource == DISPATCHES and change.after is not None:
                spec = change.after["spec"]
                found[spec["job"]["uid"], spec["attempt"]].add(change.key[0])
        return found

    def late(self, call: Call) -> None:
        """A fault: the call times out, and what it asked for is carried out when its sender has gone on."""
        assert isinstance(call.body, dict)
        self._late.append(asyncio.create_task(self._land(call, call.body)))
        raise TimedOut("no answer in 10 s")

    async def _land(self, call: Call, body: Manifest) -> None:
        await asyncio.sleep(LATE_SECONDS)
        with suppress(ClusterError):
            self.hub._lifecycle.created(DISPATCHES, body, call.namespace, dry_run=False)

    async def until(self, holds: Callable[[], object], seconds: float = 300) -> None:
        """Return when it holds, looking ten times a second of simulated time."""
        end = asyncio.get_running_loop().time() + seconds
        while not holds():
            assert asyncio.get_running_loop().time() < end, "not in time"
            await asyncio.sleep(0.1)


class Process:
    """What of a hub process stands between a ComputeJob and its Dispatch."""

    def __init__(self, world: World, ledger: Ledger) -> None:
        self.world = world
        hub, loop = world.hub, asyncio.get_running_loop()
        self.store = DispatchStore(hub, self._dispatch_changed)
        self.fleet = Fleet("CNY", self.store.node, loop.time)
        self.booking = Booking(ledger, "CNY", lambda _, __: None, lambda _: False, monotonic=loop.time)
        self.scheduler = Scheduler(
            self.fleet,
            now=now,
            monotonic=loop.time,
            on_assigned=lambda assignments: self.dispatcher.assigned(assignments),  # noqa: PLW0108 - made below
            on_unplaced=lambda uid, verdict: self.jobs.unplaced(uid, verdict),  # noqa: PLW0108 - made below
        )
        self.jobs = Jobs(
            hub,
            dispatches=self.store,
            fleet=self.fleet,
            scheduler=self.scheduler,
            judge=TemplateJudge(hub, SYSTEM),
            booking=self.booking,
            fencing=Fencing(
                hub,
                dispatches=self.store,
                fleet=self.fleet,
                contacts=Contacts(loop.time),
                clocks=Clocks(loop.time, now),
                look=lambda _: None,
            ),
            events=EventWriter(hub, now, HUB_UID),
            account_of=lambda namespace: namespace,
            now=now,
            monotonic=loop.time,
        )
        self.dispatcher = Dispatcher(
            hub, HUB_UID, jobs=self.jobs, dispatches=self.store, fleet=self.fleet, booking=self.booking
        )
        self._watch: Informer[Any] = Informer(hub, COMPUTEJOBS, type=dict, on_change=self._job_changed)
        for name in world.nodes:
            node = compute_node(name)
            facts = self.fleet.put(node).facts
            facts.connected, facts.problem, facts.observed = True, None, True
            # The ledger's thread knows no simulated time, so what it would answer is asked of it here.
            tariff, identity = node.spec.tariff, node.spec.identity
            assert tariff is not None
            self.booking._tariffs[name] = (tariff, identity, ledger.record_tariff(tariff, name, identity))
            self.room(name, 64)
        self._task = asyncio.create_task(self._run())

    def room(self, node: str, cores: int, *, sequence: int = 0) -> None:
        """The node's session finds nothing in the way, and its agent so many free cores with Dispatches up to that."""
        known = self.fleet.get(node)
        assert known is not None
        known.facts.hindrance = None
        self.fleet.observed(node, profile(cores, sequence=sequence))
        self.scheduler.wake()

    def state(self, node: str, scheduling_state: str) -> None:
        """The node's owner sets its schedulingState."""
        known = self.fleet.get(node)
        assert known is not None
        spec = known.node.spec.model_copy(update={"scheduling_state": scheduling_state})
        known.node = known.node.model_copy(update={"spec": spec})
        for dispatch in self.store.node(node).live():
            self.jobs.queue.add(dispatch.spec.job.uid)
        self.scheduler.wake()

    def assumed(self) -> dict[str, list[int]]:
        """The sequences of what is subtracted from each node's room."""
        views = self.fleet.snapshot(now()).nodes
        return {view.name: [each.sequence for each in view.assumed] for view in views if view.assumed}

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.store.informer.run())
            await self.store.informer.wait_synced()
            group.create_task(self._watch.run())
            group.create_task(self.scheduler.run())

    def _dispatch_changed(self, node: str, dispatch: Dispatch, gone: bool) -> None:
        if gone or dispatch.status.state in TERMINAL:
            self.fleet.forget(node, dispatch.spec.sequence)
            self.scheduler.wake()
        self.jobs.preemptor.observed(dispatch, gone=gone)
        self.jobs.dispatch_changed(dispatch)

    def _job_changed(self, kind: str, _old: Manifest | None, new: Manifest) -> None:
        self.jobs.observed(new, gone=kind == "DELETED")

    async def kill(self) -> None:
        """End it at once, and raise what ended it before, where that was not a kill."""
        ended = self._task.done()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self.dispatcher.queue.close()
        await self.jobs.preemptor.queue.close()
        await self.jobs.queue.close()
        if ended:
            self._task.result()


@asynccontextmanager
async def process(world: World, ledger: Ledger) -> AsyncIterator[Process]:
    """A process that is killed at the end."""
    running = Process(world, ledger)
    try:
        yield running
    finally:
        await running.kill()
