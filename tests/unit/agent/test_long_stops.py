"""Pods that take their time to stop, and how often the member is asked about them."""

import asyncio
from typing import Any

import pytest
from tests.unit.agent.shards import give_up
from tests.unit.agent.world import Process, World

from isthmus.clusters import JOBS, PODS

pytestmark = pytest.mark.simulated_time
GRACE = 1800


def _accounted(world: World, name: str) -> bool:
    reading = world.shown(name).status.reading
    return reading is not None and reading.final


def _linger(world: Any) -> list[bool]:
    """Have pods that are deleted run on, until what is returned is cleared."""
    plain, stopping = world._run_pod, [True]

    def lingering(pod: dict[str, Any]) -> None:
        if not (stopping and "deletionTimestamp" in pod["metadata"]):
            plain(pod)

    world._run_pod = lingering
    return stopping


def _lists(process: Process, before: int) -> int:
    calls = process.member.calls[before:]
    return sum(1 for call in calls if call.verb == "list" and call.resource == PODS)


@pytest.mark.parametrize("given_up", [True, False], ids=["given up by the hub", "its Job gone"])
async def test_long_grace(worlds: Any, given_up: bool) -> None:
    """While pods use up a long grace, they are listed seldom; once they have ended, at once."""
    async with worlds(run_seconds=10_000) as world:
        name = world.dispatch(fence=60 if given_up else None)
        process = Process(world)
        await world.until(lambda: world.state(name) == "Running" and world.shown(name).status.active == 2)
        stopping = _linger(world)
        if given_up:
            give_up(world, name)
        else:
            world.delete_job(name)
        await asyncio.sleep(10)
        before = len(process.member.calls)
        await asyncio.sleep(GRACE)
        assert 10 < _lists(process, before) < GRACE / 30
        stopping.clear()
        await world.until(lambda: _accounted(world, name), 5)
        assert world.state(name) == "Lost"
        await process.kill()
        process.check()


async def test_long_grace_of_a_late_pod(worlds: Any) -> None:
    """A pod that comes to light after the end and takes long to stop is listed as seldom, and read when it has."""
    async with worlds(run_seconds=3) as world:
        name = world.dispatch(completions=1)
        process = Process(world)
        await world.until(lambda: world.state(name) == "Succeeded" and not world.held())
        stopping, world.run_seconds = _linger(world), 10_000
        world._make_pod(world.objects(JOBS)[0], "0")
        world._run_pod(world.held()[0])
        await asyncio.sleep(10)
        before = len(process.member.calls)
        await asyncio.sleep(GRACE)
        assert 10 < _lists(process, before) < GRACE / 30
        stopping.clear()
        await world.until(lambda: not world.held(), 5)
        assert world.read_seconds(name) == world.pod_seconds() > GRACE
        await process.kill()
        process.check()
