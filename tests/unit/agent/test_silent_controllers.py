"""Shards that wait for a member's Job controller that does nothing, while the member is within reach."""

import asyncio
from typing import Any

import pytest
from tests.unit.agent.world import Process, World

from isthmus.clusters import PODS

pytestmark = pytest.mark.simulated_time


def _problem(world: World, name: str) -> str:
    problem = world.shown(name).status.pod_problem
    return problem.reason if problem is not None else ""


@pytest.mark.parametrize("fence", [None, 60])
async def test_pods_that_are_never_counted(worlds: Any, fence: int | None) -> None:
    """All pods have ended and the Job does not count them: that is told, until it does."""
    async with worlds(run_seconds=1000) as world:
        name = world.dispatch(fence=fence)
        process = Process(world)
        await world.until(lambda: world.shown(name).status.active == 2 and world.state(name) == "Running")
        world.controllers_run = False
        for pod in world.objects(PODS):
            pod["metadata"]["finalizers"] = [*pod["metadata"]["finalizers"], "batch.kubernetes.io/job-tracking"]
            world.member.put(PODS, pod)
        world.finish(name, "0")
        await asyncio.sleep(100)
        assert _problem(world, name) == "", "another pod still runs"
        world.finish(name, "1")
        await asyncio.sleep(20)
        assert _problem(world, name) == ""
        await world.until(lambda: _problem(world, name) == "ControllersSilent", 60)
        world.controllers_run = True
        await world.until(lambda: world.state(name) == "Succeeded")
        assert _problem(world, name) == ""
        await process.kill()
        process.check()


async def test_a_resumption_that_waits(worlds: Any) -> None:
    """A controller that has not seen the suspension keeps the shard from being resumed: that is told, until it has."""
    async with worlds(run_seconds=1000) as world:
        name = world.dispatch(fence=60)
        process = Process(world)
        await world.until(lambda: world.shown(name).status.armed)
        world.controllers_run = False
        world.desire(name, "Suspended")
        await asyncio.sleep(5)
        world.desire(name, "Running")
        await world.until(lambda: _problem(world, name) == "ControllersSilent", 100)
        world.controllers_run = True
        await world.until(lambda: world.shown(name).status.armed and not _problem(world, name))
        await process.kill()
        process.check()
