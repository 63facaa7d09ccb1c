"""Shards of jobs that have ended: nothing is done for them, and little is kept, until there is something to do."""

import asyncio
from typing import Any

import pytest
from tests.unit.agent.world import SPACE, Process, World

from isthmus.api.names import FINALIZER_POD
from isthmus.clusters import DISPATCHES, PODS

pytestmark = pytest.mark.simulated_time


async def _ended(world: World, process: Process) -> str:
    """The name of a Dispatch that has run to its end, and whose job has ended with it."""
    name = world.dispatch()
    await world.until(lambda: world.state(name) == "Succeeded")
    await world.until(lambda: all(not pod["metadata"].get("finalizers") for pod in world.objects(PODS)))
    assert process.store is not None
    process.store.rest("uid-1")
    return name


async def _at_rest(world: World, *, restart: bool) -> tuple[str, Process]:
    """A Dispatch that has ended, after a while, and the agent's process or the one that took its place."""
    process = Process(world)
    name = await _ended(world, process)
    if restart:
        await process.kill()
        process = Process(world)
    await asyncio.sleep(5)
    return name, process


async def test_nothing_is_kept_of_a_shard_that_has_ended(worlds: Any) -> None:
    """What the agent remembers of a shard goes with the last that is due for it."""
    async with worlds() as world:
        process = Process(world)
        await _ended(world, process)
        assert process.agent is not None
        await world.until(lambda: process.agent is not None and not process.agent._executor._executions)
        await process.kill()


@pytest.mark.parametrize("restart", [False, True])
async def test_a_shard_at_rest_costs_no_request(worlds: Any, restart: bool) -> None:
    """Neither a lost watch nor a new process has the agent ask for or write anything about it."""
    async with worlds() as world:
        name, process = await _at_rest(world, restart=restart)
        before = len(process.writes), world.shown(name)
        assert process.agent is not None
        process.agent.look_at_all()
        await asyncio.sleep(5)
        assert (len(process.writes), world.shown(name)) == before
        assert process.agent._executor.at_rest(name)
        assert not process.agent._executor._executions
        await process.kill()


@pytest.mark.parametrize("restart", [False, True])
async def test_a_shard_at_rest_is_cleared_away(worlds: Any, restart: bool) -> None:
    """When its job is deleted, its Job and pods go, and the hub is told."""
    async with worlds() as world:
        name, process = await _at_rest(world, restart=restart)
        world.desire(name, "Cancelled")
        await world.until(lambda: world.shown(name).status.released)
        assert world.left() == []
        await process.kill()


async def test_a_pod_that_comes_to_light_wakes_its_shard(worlds: Any) -> None:
    """A pod of ours that is still held is read and let go, though its shard has long ended."""
    async with worlds() as world:
        process = Process(world)
        name = await _ended(world, process)
        read = world.read_seconds(name)
        ended = world.objects(PODS)[0]
        metadata = {key: ended["metadata"][key] for key in ("namespace", "labels", "annotations", "ownerReferences")}
        again = {**ended, "metadata": {**metadata, "name": f"{name}-late", "finalizers": [FINALIZER_POD]}}
        world.member.put(PODS, again)
        await world.until(lambda: all(not pod["metadata"].get("finalizers") for pod in world.objects(PODS)))
        assert world.hub.object(DISPATCHES, name, SPACE) is not None
        assert world.read_seconds(name) > read
        await process.kill()
