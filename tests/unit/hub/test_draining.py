"""How work that can't be run in part leaves a drained node, or stays."""

import asyncio
from typing import Any

import pytest
from tests.unit.hub.members import dispatches, node_of
from tests.unit.hub.test_progress import COUNTED, INDEXED, QUEUE, shard
from tests.unit.hub.world import Process, World, process

from isthmus.api.dispatch import Dispatch
from isthmus.clusters import DISPATCHES
from isthmus.clusters.fake import Call
from isthmus.hub.draining import leaves, leaving
from isthmus.hub.work import work_of
from isthmus.ledger import Ledger

Object = dict[str, Any]
PEERS = {**INDEXED, "template": {"spec": {"subdomain": "peers", "containers": [{"name": "main"}]}}}


def made(state: str | None, desired: str = "Running", **status: Any) -> Dispatch:
    """A Dispatch that is to be that."""
    _, dispatch = shard(state, **status)
    return dispatch.model_copy(update={"spec": dispatch.spec.model_copy(update={"desired_state": desired})})


@pytest.mark.parametrize(
    ("template", "dispatch", "wish", "expected"),
    [
        pytest.param(INDEXED, made("Running"), "Running", "Cancelled", id="by-index"),
        pytest.param(INDEXED, made("Suspended", "Suspended"), "Suspended", "Cancelled", id="by-index-suspended"),
        pytest.param(COUNTED, made("Running", succeeded=3), "Running", "Cancelled", id="by-count"),
        pytest.param(QUEUE, made(None), "Running", "Cancelled", id="not-taken-yet"),
        pytest.param(QUEUE, made("Accepted"), "Running", "Suspended", id="about-to-begin"),
        pytest.param(QUEUE, made("Running"), "Running", "Suspended", id="nothing-told-yet"),
        pytest.param(QUEUE, made("Running", "Suspended"), "Running", "Suspended", id="not-suspended-yet"),
        pytest.param(QUEUE, made("Suspended", "Suspended"), "Running", "Suspended", id="not-stopped-yet"),
        pytest.param(QUEUE, made("Suspended", "Suspended", stopped=True), "Running", "Cancelled", id="nothing-done"),
        pytest.param(QUEUE, made("Suspended", "Running", stopped=True), "Running", "Suspended", id="a-former-pause"),
        pytest.param(
            QUEUE, made("Suspended", "Suspended", stopped=True, succeeded=1), "Running", "Running", id="something-done"
        ),
        pytest.param(QUEUE, made("Running", succeeded=1), "Running", "Running", id="known-to-stay"),
        pytest.param(PEERS, made("Running", succeeded=1), "Running", "Running", id="unsplittable-stays"),
        pytest.param(
            QUEUE, made("Suspended", "Suspended", succeeded=1), "Suspended", "Suspended", id="the-users-pause"
        ),
        pytest.param(
            QUEUE, made("Suspended", "Suspended", stopped=True), "Suspended", "Cancelled", id="paused-with-nothing-done"
        ),
    ],
)
def test_leaves(template: Object, dispatch: Dispatch, wish: str, expected: str) -> None:
    """Only what is certain to have nothing done is cancelled; what has goes by its user's wish."""
    assert leaves(work_of(template), dispatch, wish) == expected


def test_what_is_told() -> None:
    """Users read why their job is stopped, or why it stays; of what moves at once there is nothing to tell."""
    assert "is stopped there" in leaving(work_of(QUEUE), [("n1", made("Running"))])["n1"]
    assert "stays there" in leaving(work_of(QUEUE), [("n1", made("Running", succeeded=1))])["n1"]
    assert leaving(work_of(INDEXED), [("n1", made("Running"))]) == {}


async def running_queue(world: World) -> Object:
    """A work queue of which nothing is told to be done, on some node."""
    world.job(fields={"parallelism": 2})
    await world.until(lambda: dispatches(world))
    tell(world, state="Running", active=2)
    await world.until(lambda: world.shown().get("status", {}).get("phase") == "Running")
    return only(world)


def only(world: World) -> Object:
    """The job's one Dispatch."""
    (found,) = dispatches(world)
    return found


def tell(world: World, **status: Any) -> None:
    """Have the agent of the last Dispatch write its status."""
    found = dispatches(world)[-1]
    world.hub.put(DISPATCHES, {**found, "status": {**found.get("status", {}), **status}})


def wishes(world: World) -> list[str]:
    """What the first Dispatch was to be, one after another."""
    found: list[str] = []
    for change in world.hub._store.since(0):
        if change.resource == DISPATCHES and change.after is not None and change.after["spec"]["attempt"] == 1:
            wish = change.after["spec"].get("desiredState", "Running")
            if not found or found[-1] != wish:
                found.append(wish)
    return found


async def wished(world: World, wish: str) -> None:
    """Wait until that is what the first Dispatch is to be."""
    await world.until(lambda: wishes(world)[-1] == wish)


pytestmark = pytest.mark.simulated_time


@pytest.mark.parametrize("restart", [False, True])
async def test_what_was_finished_meanwhile_is_kept(ledger: Ledger, restart: bool) -> None:
    """A queue that has finished something since it last told stays and goes on; that is said, and all is quiet."""
    world = World("n1", "n2")
    running = Process(world, ledger)
    first = node_of(await running_queue(world))
    running.state(first, "Drained")
    await wished(world, "Suspended")
    tell(world, state="Suspended", active=1)
    await world.until(lambda: world.condition("Placed") == ("True", "Draining"))
    if restart:
        await running.kill()
        running = Process(world, ledger)
        running.state(first, "Drained")
    await asyncio.sleep(30)
    tell(world, succeeded=1, active=0, stopped=True)
    await wished(world, "Running")
    tell(world, state="Running", active=2, stopped=False)
    await asyncio.sleep(60)
    assert wishes(world) == ["Running", "Suspended", "Running"]
    assert world.condition("Placed") == ("True", "Draining")
    assert "stays there" in str(world.shown()["status"]["conditions"])
    tell(world, state="Succeeded", active=0, succeeded=2)
    await world.until(lambda: world.condition("Complete"))
    await running.kill()


@pytest.mark.parametrize("restart", [False, True])
async def test_what_has_nothing_done_is_moved(ledger: Ledger, restart: bool) -> None:
    """A queue that has finished nothing when it has stopped runs elsewhere."""
    world = World("n1", "n2")
    running = Process(world, ledger)
    first = node_of(await running_queue(world))
    running.state(first, "Drained")
    await wished(world, "Suspended")
    if restart:
        await running.kill()
        running = Process(world, ledger)
        running.state(first, "Drained")
    tell(world, state="Suspended", active=0, stopped=True)
    await wished(world, "Cancelled")
    tell(world, state="Cancelled", stopped=False, released=True)
    await world.until(lambda: len(dispatches(world)) == 2)
    assert node_of(dispatches(world)[-1]) != first
    assert wishes(world) == ["Running", "Suspended", "Cancelled"]
    tell(world, state="Running", active=2)
    await world.until(lambda: world.condition("Placed") == ("True", "Dispatched"))
    await running.kill()


async def test_a_drain_that_is_called_off(ledger: Ledger) -> None:
    """A queue that was stopped for a drain goes on when the node is Active again."""
    world = World("n1", "n2")
    async with process(world, ledger) as running:
        first = node_of(await running_queue(world))
        running.state(first, "Drained")
        await wished(world, "Suspended")
        running.state(first, "Active")
        await wished(world, "Running")


async def test_a_users_pause_is_the_users(ledger: Ledger) -> None:
    """A drain does not resume what its user has suspended, and leaves alone what is resumed with something done."""
    world = World("n1", "n2")
    async with process(world, ledger) as running:
        first = node_of(await running_queue(world))
        world.change(suspend=True)
        await wished(world, "Suspended")
        tell(world, state="Suspended", active=0, succeeded=1, stopped=True)
        running.state(first, "Drained")
        await asyncio.sleep(30)
        assert wishes(world) == ["Running", "Suspended"]
        world.change(suspend=False)
        await wished(world, "Running")
        tell(world, state="Running", active=1, stopped=False)
        await asyncio.sleep(30)
        assert wishes(world) == ["Running", "Suspended", "Running"]


async def test_what_is_taken_just_then_is_not_cancelled(ledger: Ledger) -> None:
    """A shard that its node has taken since it was looked at is not taken back on the word of before."""
    world = World("n1", "n2")
    async with process(world, ledger) as running:
        world.job(fields={"parallelism": 2})
        await world.until(lambda: world.condition("Placed") == ("True", "Dispatched"))

        def accept(_: Call) -> None:
            tell(world, state="Running", active=2)

        world.hub.before("patch", DISPATCHES, accept)
        running.state(node_of(only(world)), "Drained")
        await wished(world, "Suspended")
        assert wishes(world) == ["Running", "Suspended"]
