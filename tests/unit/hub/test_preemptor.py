"""Preemption as the hub carries it out: told first, stopped when due, spared where not needed, found again."""

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from tests.unit.hub.members import dispatches, report
from tests.unit.hub.world import BEGIN, GIBIBYTE, Process, World

from isthmus.api.indexes import IndexSet
from isthmus.api.names import ANNOTATION_PREEMPTION
from isthmus.capacity import Profile, Shape
from isthmus.hub.preemptor import SETTLE_SECONDS
from isthmus.ledger import Ledger
from isthmus.placement import Snapshot

pytestmark = pytest.mark.simulated_time
INDEXED = {"completions": 8, "parallelism": 4, "completionMode": "Indexed"}
CORES = 4
Object = dict[str, Any]


class Hub(Process):
    """A process over nodes of one machine of four cores, whose offers promise a notice."""

    notice = 0

    def __init__(self, world: World, ledger: Ledger) -> None:
        super().__init__(world, ledger)
        plain = self.fleet.snapshot

        def noticed(now: datetime) -> Snapshot:
            seen = plain(now)
            nodes = tuple(replace(node, preemption_notice_seconds=self.notice) for node in seen.nodes)
            return replace(seen, nodes=nodes)

        self.fleet.snapshot = noticed  # type: ignore[method-assign]

    def room(self, node: str, cores: int, *, sequence: int = 0) -> None:
        """Figures of a machine on which so many cores are free, and as much of all else."""
        cores = min(cores, CORES)
        whole = {"cpu": CORES * 1000, "memory": CORES * GIBIBYTE, "pods": CORES}
        free = {"cpu": cores * 1000, "memory": cores * GIBIBYTE, "pods": cores}
        self.fleet.observed(node, Profile(BEGIN, 1, whole, free, (), (Shape(1, free, whole),), sequence))
        self.scheduler.wake()


def of_job(world: World, name: str) -> list[Object]:
    """A job's Dispatches."""
    return [each for each in dispatches(world) if each["spec"]["job"]["name"] == name]


def marked(world: World) -> list[str]:
    """The jobs of all Dispatches that bear the mark."""
    return [
        each["spec"]["job"]["name"]
        for each in dispatches(world)
        if (each["metadata"].get("annotations") or {}).get(ANNOTATION_PREEMPTION)
    ]


def wish(world: World, name: str) -> str:
    """What the first Dispatch of a job is to be."""
    return str(of_job(world, name)[0]["spec"].get("desiredState", "Running"))


async def full(world: World, hub: Hub, name: str = "low", *, preemptible: bool = True) -> None:
    """Have a job of low priority run with all that the node has, and two of its indexes done."""
    world.job(name, fields=INDEXED, placement={"preemptible": preemptible})
    await world.until(lambda: of_job(world, name))
    (dispatch,) = of_job(world, name)
    report(world, dispatch, "Running", IndexSet.span(2), active=4, startTime="2026-11-22T12:00:00Z")
    hub.room("n1", 0, sequence=dispatch["spec"]["sequence"])
    await world.until(lambda: world.condition("Placed", name) == ("True", "Dispatched"))


async def contested(world: World, hub: Hub) -> None:
    """Have a job run on each of two nodes, of which the one on the first has less to lose, and then an urgent one."""
    hub.room("n2", 0)
    await full(world, hub)
    hub.room("n2", 4)
    world.job("other", fields=INDEXED, placement={"preemptible": True})
    await world.until(lambda: of_job(world, "other"))
    report(world, of_job(world, "other")[0], "Running", active=4, startTime="2026-11-22T11:00:00Z")
    hub.room("n2", 0, sequence=1)
    await asyncio.sleep(1)
    world.job("urgent", priority=5, fields={"parallelism": 4, "completions": 4})


async def test_what_is_stopped_makes_room_for_its_job_alone(ledger: Ledger) -> None:
    """The shard is marked and cancelled, its room goes to the job, and what it had not finished runs when that ends."""
    world = World("n1")
    hub = Hub(world, ledger)
    await full(world, hub)
    world.job("urgent", fields={**INDEXED, "completions": 4}, priority=5)
    await world.until(lambda: wish(world, "low") == "Cancelled", 5)
    assert world.condition("Preempted", "low") == ("True", "Preempted")
    await world.until(lambda: world.condition("Placed", "urgent") == ("False", "Preempting"))
    hub.room("n1", 3, sequence=1)
    await asyncio.sleep(5)
    assert len(dispatches(world)) == 1, "three of four cores are free, and kept"
    report(world, of_job(world, "low")[0], "Cancelled", active=0)
    hub.room("n1", 4, sequence=1)
    await world.until(lambda: of_job(world, "urgent"), 5)
    assert len(of_job(world, "low")) == 1
    (urgent,) = of_job(world, "urgent")
    report(world, urgent, "Running", active=4)
    hub.room("n1", 0, sequence=2)
    await asyncio.sleep(60)
    assert world.condition("Preempted", "low") == ("True", "Preempted")
    report(world, urgent, "Succeeded", active=0)
    hub.room("n1", 4, sequence=2)
    await world.until(lambda: len(of_job(world, "low")) == 2, 5)
    assert of_job(world, "low")[1]["spec"]["indexes"] == "2-7"
    await world.until(lambda: world.condition("Preempted", "low") == ("False", "Progressing"))
    message = world.shown("low")["status"]["shards"][0]["message"]
    assert message.startswith("stopped from ")
    assert message.endswith("for a job of priority 5")
    await hub.kill()


async def test_the_notice_is_kept(ledger: Ledger) -> None:
    """The job is told when its shard will be stopped, and it runs until then."""
    world = World("n1")
    hub = Hub(world, ledger)
    hub.notice = 30
    await full(world, hub)
    world.job("urgent", fields={"parallelism": 4, "completions": 4}, priority=5)
    await world.until(lambda: world.condition("Preempted", "low") == ("True", "Preempted"), 5)
    await asyncio.sleep(25)
    assert wish(world, "low") == "Running"
    await world.until(lambda: wish(world, "low") == "Cancelled", 6)
    await hub.kill()


@pytest.mark.parametrize("change", ["cancelled", "suspended"])
async def test_what_is_not_needed_any_more_is_spared(ledger: Ledger, change: str) -> None:
    """Where the job that wants room is not to run any more, the mark is taken off and nothing is stopped."""
    world = World("n1")
    hub = Hub(world, ledger)
    hub.notice = 30
    await full(world, hub)
    world.job("urgent", priority=5, fields={"parallelism": 4, "completions": 4})
    await world.until(lambda: marked(world) == ["low"], 5)
    world.change("urgent", **({"cancel": True} if change == "cancelled" else {"suspend": True}))
    await world.until(lambda: not marked(world), 60)
    await asyncio.sleep(60)
    assert wish(world, "low") == "Running"
    assert world.condition("Preempted", "low") == ("False", "Progressing")
    await hub.kill()


@pytest.mark.parametrize("seconds", [0, 1, 29, 40])
async def test_a_hub_that_is_killed_finds_it_again(ledger: Ledger, seconds: int) -> None:
    """Killed between the mark and the end, the next process stops what was marked when that is due, and no more."""
    world = World("n1", "n2")
    hub = Hub(world, ledger)
    hub.notice = 30
    await contested(world, hub)
    await world.until(lambda: marked(world), 5)
    assert marked(world) == ["low"], "of the two it has done less since its last index"
    await asyncio.sleep(seconds)
    await hub.kill()
    hub = Hub(world, ledger)
    hub.notice = 30
    for node in world.nodes:
        hub.room(node, 0, sequence=1)
    await world.until(lambda: wish(world, "low") == "Cancelled", 35)
    report(world, of_job(world, "low")[0], "Cancelled", active=0)
    hub.room("n1", 4, sequence=1)
    await world.until(lambda: of_job(world, "urgent"), 10)
    assert (marked(world), wish(world, "other")) == (["low"], "Running")
    await hub.kill()


async def test_nothing_more_is_stopped_before_figures_show_what_was(ledger: Ledger) -> None:
    """When the shard has ended, its room is waited for; where it never shows, another node's work is stopped."""
    world = World("n1", "n2")
    hub = Hub(world, ledger)
    await contested(world, hub)
    await world.until(lambda: wish(world, "low") == "Cancelled", 5)
    report(world, of_job(world, "low")[0], "Cancelled", active=0)
    await asyncio.sleep(SETTLE_SECONDS - 2)
    assert wish(world, "other") == "Running"
    await world.until(lambda: wish(world, "other") == "Cancelled", 10)
    await hub.kill()


@pytest.mark.parametrize(
    ("preemptible", "priority"),
    [pytest.param(False, 5, id="what is not preemptible"), pytest.param(True, 0, id="of the same priority")],
)
async def test_what_is_left_alone(ledger: Ledger, preemptible: bool, priority: int) -> None:
    """A job waits for such work to end."""
    world = World("n1")
    hub = Hub(world, ledger)
    await full(world, hub, preemptible=preemptible)
    world.job("urgent", fields={"parallelism": 4, "completions": 4}, priority=priority)
    await world.until(lambda: world.condition("Placed", "urgent") == ("False", "InsufficientCapacity"))
    await asyncio.sleep(60)
    assert not marked(world)
    assert wish(world, "low") == "Running"
    await hub.kill()
