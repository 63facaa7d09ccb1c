"""What is read of long work, and of work that nobody hears of for a while."""

import asyncio
from typing import Any

import pytest
from tests.unit.agent.world import Process, World, stamp

from isthmus.clusters import DISPATCHES

pytestmark = pytest.mark.simulated_time

HOUR = 3600
LONG = 1200


def _readings(world: World) -> list[int]:
    """Seconds counted by each reading that was ever written, in order."""
    found = []
    for change in world.hub._store.since(0):
        reading = (change.after or {}).get("status", {}).get("reading") if change.resource == DISPATCHES else None
        if reading is not None:
            total = {each["meter"]: each["quantity"] for each in reading.get("total", ())}
            found.append(total.get("MillicoreSeconds", 0) // 1000)
    return found


async def _bookmarks(world: World) -> None:
    """What an API server sends about once a minute."""
    while True:
        await asyncio.sleep(60)
        world.member.bookmark()


async def test_long_work_is_read_every_minute(worlds: Any) -> None:
    """Cost so far moves about every minute while nothing happens, and never falls or runs ahead."""
    async with worlds(run_seconds=LONG) as world:
        name = world.dispatch(completions=1)
        marks = asyncio.create_task(_bookmarks(world))
        process = Process(world)
        await world.until(lambda: world.state(name) == "Succeeded", 2 * LONG)
        readings = _readings(world)
        assert readings == sorted(readings)
        assert len(set(readings)) >= LONG // 130
        assert readings[-1] == world.pod_seconds() == LONG
        marks.cancel()
        await process.kill()


@pytest.mark.parametrize("told", [True, False], ids=["the link is cut", "the link is silent"])
async def test_nothing_is_read_beyond_the_last_word(worlds: Any, told: bool) -> None:
    """A pod that ends while its member is not heard of was never counted beyond its end."""
    async with worlds(run_seconds=100) as world:
        name = world.dispatch()
        marks = asyncio.create_task(_bookmarks(world))
        process = Process(world)
        await world.until(lambda: world.state(name) == "Running")
        await asyncio.sleep(90)
        if told:
            process.member.disconnect()
        else:
            world.member._store._watchers.clear()
        await asyncio.sleep(80)  # the pods end in this time
        before = world.read_seconds(name)
        process.member.heal()
        await world.until(lambda: world.state(name) == "Succeeded", 600)
        assert before <= world.pod_seconds()
        assert world.read_seconds(name) == world.pod_seconds() == 200
        assert _readings(world) == sorted(_readings(world))
        marks.cancel()
        await process.kill()


async def test_nothing_is_read_beyond_a_stall(worlds: Any) -> None:
    """A process that was stopped counts no pod beyond that before it has read what became of it meanwhile."""
    async with worlds(run_seconds=HOUR) as world:
        name = world.dispatch(completions=3)
        process = Process(world)
        await world.until(lambda: world.state(name) == "Running")
        await asyncio.sleep(20)
        ended_at = stamp()
        asyncio.get_running_loop().freeze(40)  # type: ignore[attr-defined]  # a simulated loop's
        world.finish(name, "0", ended_at)
        await world.until(lambda: world.shown(name).status.succeeded == 1)
        before = world.read_seconds(name)
        for index in ("1", "2"):  # the news of their ends was on its way
            world.finish(name, index, ended_at)
        await world.until(lambda: world.state(name) == "Succeeded")
        assert before <= world.pod_seconds() == world.read_seconds(name)
        await process.kill()


async def test_restarted_agents_read_the_same(worlds: Any) -> None:
    """However often the process is killed in between, long work is read to the second."""
    async with worlds(run_seconds=300) as world:
        name = world.dispatch(completions=2)
        for _ in range(6):
            process = Process(world)
            await asyncio.sleep(47)
            await process.kill()
        process = Process(world)
        await world.until(lambda: world.state(name) == "Succeeded", HOUR)
        assert world.read_seconds(name) == world.pod_seconds() == 600
        assert _readings(world) == sorted(_readings(world))
        await process.kill()
