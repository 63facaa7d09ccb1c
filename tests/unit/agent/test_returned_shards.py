"""Shards that the hub gave up, once their member is back."""

import asyncio
from datetime import datetime
from typing import Any

import pytest
from tests.unit.agent.shards import (
    FENCE,
    clock_seconds,
    give_up,
    late_seconds,
    running_pods,
)
from tests.unit.agent.world import BEGIN, INDEX, Process, World, now

from isthmus.clusters import JOBS, TimedOut
from isthmus.clusters.fake import matching
from isthmus.metering import LIVE_LAG

pytestmark = pytest.mark.simulated_time


def _counted(world: World, name: str) -> tuple[str | None, str | None, int]:
    status = world.shown(name).status
    return status.completed_indexes, status.late_indexes, status.succeeded


async def test_return_after_the_fence(worlds: Any) -> None:
    """What succeeded out of sight is told once, its time apart; all time is read; then nothing is left."""
    async with worlds(run_seconds=1000) as world:
        name = world.dispatch(fence=FENCE, completions=4)
        process = Process(world)
        await world.until(lambda: world.shown(name).status.armed and running_pods(world) == 4)
        world.finish(name, "0")
        await world.until(lambda: world.shown(name).status.completed_indexes == "0")
        await asyncio.sleep(70)  # an interim reading counts what runs
        process.member.disconnect()
        await asyncio.sleep(8)
        world.finish(name, "2")
        await world.until(lambda: not running_pods(world))
        give_up(world, name)
        process.member.heal()
        await world.until(lambda: world.shown(name).status.released)
        assert _counted(world, name) == ("0,2", "2", 2)
        status = world.shown(name).status
        assert (status.state, status.reason, status.failed) == ("Lost", "Fenced", 0)
        assert status.overrun_indexes is None
        late = late_seconds(world, name)
        assert 8 <= late <= 80
        assert world.read_seconds(name) + late == world.pod_seconds()
        assert world.left() == []
        await process.kill()


async def test_return_of_what_ran_on(worlds: Any) -> None:
    """What the member did not stop is billed up to the verdict; what ran after it is late time, as a duplicate's."""
    async with worlds(run_seconds=1000) as world:
        name = world.dispatch(fence=FENCE, completions=4)
        process = Process(world)
        await world.until(lambda: world.shown(name).status.armed and running_pods(world) == 4)
        world.finish(name, "0")
        await asyncio.sleep(70)
        world.member_limits = False
        process.member.disconnect()
        await asyncio.sleep(40)
        give_up(world, name)
        verdict = now()
        await asyncio.sleep(15)
        world.finish(name, "2")
        await asyncio.sleep(15)
        process.member.heal()
        await world.until(lambda: world.shown(name).status.released)
        status = world.shown(name).status
        assert _counted(world, name) == ("0,2", "2", 2)
        assert status.overrun_indexes == "1,3"
        assert world.read_seconds(name) + late_seconds(world, name) == world.pod_seconds()
        ran_on = sum((_end(pod) - verdict).total_seconds() for pod in world.pods_ever().values() if _end(pod) > verdict)
        # Of the one that succeeded at most all since the last reading, which counted up to some seconds before it.
        unseen = ran_on + 40 + 70 + LIVE_LAG.total_seconds()
        assert ran_on <= late_seconds(world, name) <= unseen
        billed = sum((min(_end(pod), verdict) - _begin(pod)).total_seconds() for pod in _of_index(world, "1", "3"))
        assert world.read_seconds(name) >= billed - 2 * 2, "what ran before the verdict is billed, but for its second"
        assert world.left() == []
        await process.kill()


def _of_index(world: World, *indexes: str) -> list[dict[str, Any]]:
    return [pod for pod in world.pods_ever().values() if pod["metadata"]["annotations"][INDEX] in indexes]


def _begin(pod: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(pod["status"]["containerStatuses"][0]["state"]["terminated"]["startedAt"])


def _end(pod: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(pod["status"]["containerStatuses"][0]["state"]["terminated"]["finishedAt"])


async def test_reading_written_after_the_cut(worlds: Any) -> None:
    """A reading written while nothing is heard counts to the last word; all time since, of what was unseen, is late."""
    async with worlds(run_seconds=1000) as world:
        name = world.dispatch(fence=FENCE, completions=2)
        process = Process(world)
        await world.until(lambda: world.shown(name).status.armed and running_pods(world) == 2)
        await world.until(lambda: clock_seconds() >= 52)
        world.member.bookmark()
        await asyncio.sleep(0.1)
        cut = clock_seconds()
        process.member.disconnect()
        before = world.read_seconds(name)
        await world.until(lambda: world.read_seconds(name) > before, 15)
        assert clock_seconds() > cut + 5
        world.finish(name, "1")
        await world.until(lambda: not running_pods(world))
        give_up(world, name)
        ended = max(_end(pod) for pod in world.pods_ever().values() if pod["status"]["phase"] == "Succeeded")
        process.member.heal()
        await world.until(lambda: world.shown(name).status.released)
        assert late_seconds(world, name) >= int((ended - BEGIN).total_seconds() - cut)
        assert world.read_seconds(name) + late_seconds(world, name) == world.pod_seconds()
        await process.kill()


@pytest.mark.parametrize("reason", ["Unfenced", "Forgotten"])
async def test_return_while_it_runs(worlds: Any, reason: str) -> None:
    """What was given up without a fence and still runs is stopped; all its time since is late time."""
    async with worlds(run_seconds=1000) as world:
        name = world.dispatch(completions=2)
        process = Process(world)
        await world.until(lambda: running_pods(world) == 2)
        await asyncio.sleep(70)
        before = world.read_seconds(name)
        process.member.disconnect()
        await asyncio.sleep(40)
        world.finish(name, "1")
        give_up(world, name, reason)
        process.member.heal()
        await world.until(lambda: world.shown(name).status.released)
        assert _counted(world, name) == ("1", "1", 1)
        assert world.shown(name).status.overrun_indexes == "0"
        assert world.read_seconds(name) == before
        assert late_seconds(world, name) == world.pod_seconds() - before > 80
        assert len(world.pods_ever()) == 2
        assert world.left() == []
        await process.kill()


async def test_no_create_while_the_member_is_silent(worlds: Any) -> None:
    """A create that failed is not tried again before the member is heard, so that none is under way at a verdict."""
    async with worlds() as world:
        process = Process(world)
        process.member.fail(matching("create", JOBS), TimedOut("no answer"), times=None)
        name = world.dispatch()
        await world.until(lambda: world.state(name) == "Accepted")
        process.member.disconnect()
        await asyncio.sleep(10)
        tried = process.contact.last_attempt(world.shown(name).metadata["uid"])
        await asyncio.sleep(60)
        assert process.contact.last_attempt(world.shown(name).metadata["uid"]) == tried
        process.member.heal()
        await world.until(lambda: world.state(name) == "Succeeded", 60)
        assert len(world.pods_ever()) == 2
        await process.kill()


async def test_return_of_nothing(worlds: Any) -> None:
    """A shard that was given up before its Job came to be is cleared away, and nothing of it ever runs."""
    async with worlds() as world:
        process = Process(world)
        process.member.fail(matching("create", JOBS), TimedOut("no answer"), times=None)
        name = world.dispatch()
        await world.until(lambda: world.state(name) == "Accepted")
        await asyncio.sleep(5)
        give_up(world, name, "Unfenced")
        process.member.heal()
        await world.until(lambda: world.shown(name).status.released)
        assert world.pods_ever() == {}
        assert world.left() == []
        await process.kill()


async def test_killed_while_taking_stock(worlds: Any) -> None:
    """Killed at any write of the return, and started afresh: told once, all time read, nothing left."""
    for moment in ("before", "after"):
        for number in range(1, 12):
            async with worlds(run_seconds=1000) as world:
                name = world.dispatch(fence=FENCE, completions=4)
                first = Process(world)
                await world.until(lambda: world.shown(name).status.armed and running_pods(world) == 4)  # noqa: B023 - so is this
                await asyncio.sleep(65)
                await first.kill()
                world.finish(name, "2")
                await world.until(lambda: not running_pods(world))
                give_up(world, name)
                second = Process(world, number, moment)
                await world.until(lambda: second.dead.is_set() or world.shown(name).status.released)  # noqa: B023 - and this
                await second.kill()
                third = Process(world)
                await world.until(lambda: world.shown(name).status.released)  # noqa: B023 - and this
                assert _counted(world, name) == ("2", "2", 1)
                assert world.read_seconds(name) + late_seconds(world, name) == world.pod_seconds()
                assert late_seconds(world, name) > 0
                assert world.left() == []
                await third.kill()


async def test_killed_at_each_write(worlds: Any) -> None:
    """A fenced shard whose agent is killed at any write and started afresh within the fence runs on to its end."""
    for moment in ("before", "after"):
        for number in range(1, 12):
            async with worlds(run_seconds=60) as world:
                name = world.dispatch(fence=FENCE)
                first = Process(world, number, moment)
                await world.until(first.dead.is_set)
                await first.kill()
                second = Process(world)
                await world.until(lambda: world.state(name) in {"Succeeded", "Lost"})  # noqa: B023 - awaited at once
                assert (world.state(name) == "Succeeded") == bool(world.pods_ever())
                await second.kill()
