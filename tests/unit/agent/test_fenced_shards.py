import asyncio
from datetime import datetime
from typing import Any

import msgspec
import pytest
from tests.unit.agent.world import BEGIN, SPACE, TENANT, Process, World

from isthmus.api.core import Job
from isthmus.clusters import DISPATCHES, JOBS, PODS, Invalid, TimedOut, TooManyRequests, Unreachable
from isthmus.clusters.fake import Call, matching

pytestmark = pytest.mark.simulated_time

FENCE = 20


def _clock() -> float:
    return asyncio.get_running_loop().time()


def _job(world: World, name: str) -> dict[str, Any]:
    found = world.member.object(JOBS, name, TENANT)
    assert found is not None
    return found


def _running(world: World) -> int:
    return sum(1 for pod in world.objects(PODS) if pod["status"]["phase"] == "Running")


def _limits(process: Process) -> list[Call]:
    return [call for call in process.writes if call.verb == "patch" and call.resource == JOBS]


def _give_up(world: World, name: str, reason: str = "Fenced") -> None:
    """What the hub's verdict writes."""
    world.desire(name, "Cancelled")
    found = world.hub.object(DISPATCHES, name, SPACE)
    assert found is not None
    verdict = {"state": "Lost", "reason": reason, "message": "out of reach", "active": 0, "armed": False}
    world.hub.put(DISPATCHES, {**found, "status": {**found["status"], **verdict}})


def _late_seconds(world: World, name: str) -> int:
    reading = world.shown(name).status.reading
    return next((q.quantity // 1000 for q in reading.late if q.meter == "MillicoreSeconds"), 0) if reading else 0


def _ended(pod: dict[str, Any]) -> float:
    """When the pod ended, by the simulation's clock."""
    finished = pod["status"]["containerStatuses"][0]["state"]["terminated"]["finishedAt"]
    return (datetime.fromisoformat(finished) - BEGIN).total_seconds()


async def test_put_off(worlds: Any) -> None:
    """A shard runs far beyond its first limit, at one write each half fence, and is armed all the while."""
    async with worlds(run_seconds=130) as world:
        name = world.dispatch(fence=FENCE)
        process = Process(world)
        await world.until(lambda: world.shown(name).status.armed)
        assert _job(world, name)["spec"]["activeDeadlineSeconds"] == FENCE
        await world.until(lambda: world.state(name) == "Succeeded")
        assert world.succeeded_indexes() == ["0", "1"]
        assert 10 <= len(_limits(process)) <= 15
        assert not world.shown(name).status.armed
        await process.kill()


async def test_stopped_by_the_member(worlds: Any) -> None:
    """Cut off, a shard is stopped within its fence by its member; back again it is Lost, and nothing of it failed."""
    async with worlds(run_seconds=1000) as world:
        name = world.dispatch(fence=FENCE, completions=3)
        process = Process(world)
        await world.until(lambda: world.shown(name).status.armed and _running(world) == 3)
        await asyncio.sleep(50)
        cut = _clock()
        process.member.disconnect()
        await world.until(lambda: not _running(world))
        assert FENCE / 2 <= _clock() - cut <= FENCE + 1.5
        assert process.contact.last_attempt(world.shown(name).metadata["uid"]) <= cut + FENCE / 2 + 1
        await asyncio.sleep(30)
        assert world.state(name) == "Running"
        process.member.heal()
        await world.until(lambda: world.state(name) == "Lost")
        status = world.shown(name).status
        assert (status.reason, status.failed, status.succeeded, status.armed) == ("Fenced", 0, 0, False)
        assert world.read_seconds(name) == world.pod_seconds()
        world.desire(name, "Cancelled")
        await world.until(lambda: world.shown(name).status.released)
        assert world.left() == []
        await process.kill()


async def test_users_own_limit(worlds: Any) -> None:
    """The limit is never put off beyond the user's own, at which the shard has failed."""
    async with worlds(run_seconds=1000) as world:
        name = world.dispatch(fence=FENCE, activeDeadlineSeconds=47)
        process = Process(world)
        await world.until(lambda: world.state(name) == "Failed")
        status = world.shown(name).status
        assert status.reason == "DeadlineExceeded"
        assert 46 <= world.pod_seconds() / 2 <= 49
        assert _job(world, name)["spec"]["activeDeadlineSeconds"] == 47
        await process.kill()


async def test_resumed(worlds: Any) -> None:
    """A resumed shard has the fence from its new start on, and is not armed until that start is seen."""
    async with worlds(run_seconds=300) as world:
        name = world.dispatch(fence=FENCE)
        process = Process(world)
        await world.until(lambda: world.shown(name).status.armed)
        await asyncio.sleep(55)
        assert _job(world, name)["spec"]["activeDeadlineSeconds"] > 2 * FENCE
        world.desire(name, "Suspended")
        await world.until(lambda: world.state(name) == "Suspended" and not world.shown(name).status.armed)
        writes: list[tuple[Any, bool]] = []

        def seen(call: Call) -> None:
            assert isinstance(call.body, dict)
            writes.append((call.body["spec"], world.shown(name).status.armed))

        world.member.before("patch", JOBS, seen, times=1)
        world.controllers_run = False
        world.desire(name, "Running")
        await asyncio.sleep(5)
        assert _job(world, name)["spec"]["suspend"], "its controller has yet to see that it is"
        world.controllers_run = True
        await world.until(lambda: not _job(world, name)["spec"]["suspend"])
        assert writes == [({"suspend": False, "activeDeadlineSeconds": FENCE}, False)]
        await world.until(lambda: world.shown(name).status.armed)
        await asyncio.sleep(60)
        assert world.state(name) == "Running"
        await process.kill()


async def test_late_write_finds_another_run(worlds: Any) -> None:
    """A write that was held up and lands after the Job was resumed puts nothing off."""
    async with worlds(run_seconds=300) as world:
        name = world.dispatch(fence=FENCE)
        first = Process(world)
        await world.until(lambda: world.shown(name).status.armed)
        held = _job(world, name)
        await first.kill()
        member = world.member
        member.put(JOBS, {**held, "spec": {**held["spec"], "suspend": True}})
        await asyncio.sleep(3)
        member.put(JOBS, {**_job(world, name), "spec": {**held["spec"], "suspend": False}})
        await asyncio.sleep(3)
        second = Process(world)
        await world.until(lambda: second.agent is not None)
        assert second.agent is not None
        with pytest.raises(Invalid, match="startTime"):
            await second.agent._executor._jobs.set_limit(msgspec.convert(held, Job), 500)
        assert _job(world, name)["spec"]["activeDeadlineSeconds"] <= FENCE + 10
        await second.kill()


async def test_controllers_silent(worlds: Any) -> None:
    """Where the member's controllers are silent, no shard is armed until they are back."""
    async with worlds(run_seconds=500) as world:
        name = world.dispatch(fence=FENCE)
        process = Process(world)
        await world.until(lambda: world.shown(name).status.armed)
        world.controllers_run = False
        other = world.dispatch(2)
        await world.until(lambda: world.state(other) == "Accepted")
        assert world.shown(name).status.armed
        began = _clock()
        await world.until(lambda: not world.shown(name).status.armed)
        assert 14 <= _clock() - began <= 18
        assert "controller" in process.contact.controllers
        world.controllers_run = True
        await world.until(lambda: world.shown(name).status.armed)
        assert process.contact.controllers == ""
        await process.kill()


async def test_live_agent_past_the_limit(worlds: Any) -> None:
    """Where the limit is over and the member does nothing, the agent stops the pods itself, and tells that."""
    async with worlds(run_seconds=500) as world:
        name = world.dispatch(fence=FENCE)
        process = Process(world)
        await world.until(lambda: world.shown(name).status.armed and _running(world) == 2)
        world.member_limits = False
        process.member.disconnect()
        await asyncio.sleep(FENCE + 10)
        assert _running(world) == 2
        process.member.heal()
        await world.until(lambda: not _running(world))
        await world.until(lambda: not world.shown(name).status.armed)
        world.member_limits = True
        await world.until(lambda: world.state(name) == "Lost")
        assert world.shown(name).status.reason == "Fenced"
        assert world.read_seconds(name) == world.pod_seconds()
        await process.kill()


async def test_refused_writes(worlds: Any) -> None:
    """A member answers every write with 429 for a minute: a long fence outlives it, a short one stops the shard."""
    async with worlds(run_seconds=400) as world:
        long, short = world.dispatch(1, fence=200), world.dispatch(2, fence=FENCE)
        process = Process(world)
        await world.until(lambda: all(world.shown(name).status.armed for name in (long, short)))
        busy = TooManyRequests(429, "TooManyRequests", "later")
        process.member.fail(matching("write", None), busy, times=None)
        await world.until(lambda: world.state(short) == "Lost", 60)
        assert world.shown(short).status.reason == "Fenced"
        await asyncio.sleep(30)
        process.member.heal()
        await world.until(lambda: world.state(long) == "Succeeded", 500)
        await process.kill()


@pytest.mark.parametrize("error", [Unreachable("reset"), TimedOut("no answer")], ids=["refused", "no answer"])
async def test_failed_write_counts(worlds: Any, error: Exception) -> None:
    """The wait counts from a write that failed; where the member refused it in so many words it does not."""
    async with worlds(run_seconds=400) as world:
        name = world.dispatch(fence=FENCE)
        process = Process(world)
        await world.until(lambda: world.shown(name).status.armed)
        uid = world.shown(name).metadata["uid"]
        began = process.contact.last_attempt(uid)
        process.member.fail(matching("patch", JOBS), TooManyRequests(429, "TooManyRequests", "later"), times=2)
        await asyncio.sleep(FENCE / 2)
        assert process.contact.last_attempt(uid) == began
        process.member.fail(matching("patch", JOBS), error, times=1)
        await world.until(lambda: process.contact.last_attempt(uid) > began)
        await asyncio.sleep(60)
        assert world.state(name) == "Running"
        await process.kill()


def _counted(world: World, name: str) -> tuple[str | None, str | None, int]:
    status = world.shown(name).status
    return status.completed_indexes, status.late_indexes, status.succeeded


async def test_return_after_the_fence(worlds: Any) -> None:
    """What succeeded out of sight is told once, its time apart; all time is read; then nothing is left."""
    async with worlds(run_seconds=1000) as world:
        name = world.dispatch(fence=FENCE, completions=4)
        process = Process(world)
        await world.until(lambda: world.shown(name).status.armed and _running(world) == 4)
        world.finish(name, "0")
        await world.until(lambda: world.shown(name).status.completed_indexes == "0")
        await asyncio.sleep(70)  # an interim reading counts what runs
        process.member.disconnect()
        await asyncio.sleep(8)
        world.finish(name, "2")
        await world.until(lambda: not _running(world))
        _give_up(world, name)
        process.member.heal()
        await world.until(lambda: world.shown(name).status.released)
        assert _counted(world, name) == ("0,2", "2", 2)
        status = world.shown(name).status
        assert (status.state, status.reason, status.failed) == ("Lost", "Fenced", 0)
        late = _late_seconds(world, name)
        assert 8 <= late <= 80
        assert world.read_seconds(name) + late == world.pod_seconds()
        assert world.left() == []
        await process.kill()


async def test_reading_written_after_the_cut(worlds: Any) -> None:
    """A reading written while nothing is heard counts to the last word; all time since, of what was unseen, is late."""
    async with worlds(run_seconds=1000) as world:
        name = world.dispatch(fence=FENCE, completions=2)
        process = Process(world)
        await world.until(lambda: world.shown(name).status.armed and _running(world) == 2)
        await world.until(lambda: _clock() >= 52)
        world.member.bookmark()
        await asyncio.sleep(0.1)
        cut = _clock()
        process.member.disconnect()
        before = world.read_seconds(name)
        await world.until(lambda: world.read_seconds(name) > before, 15)
        assert _clock() > cut + 5
        world.finish(name, "1")
        await world.until(lambda: not _running(world))
        _give_up(world, name)
        ended = max(_ended(pod) for pod in world.pods_ever().values() if pod["status"]["phase"] == "Succeeded")
        process.member.heal()
        await world.until(lambda: world.shown(name).status.released)
        assert _late_seconds(world, name) >= int(ended - cut)
        assert world.read_seconds(name) + _late_seconds(world, name) == world.pod_seconds()
        await process.kill()


@pytest.mark.parametrize("reason", ["Unfenced", "Forgotten"])
async def test_return_while_it_runs(worlds: Any, reason: str) -> None:
    """What was given up without a fence and still runs is stopped; all its time since is late time."""
    async with worlds(run_seconds=1000) as world:
        name = world.dispatch(completions=2)
        process = Process(world)
        await world.until(lambda: _running(world) == 2)
        await asyncio.sleep(70)
        before = world.read_seconds(name)
        process.member.disconnect()
        await asyncio.sleep(40)
        world.finish(name, "1")
        _give_up(world, name, reason)
        process.member.heal()
        await world.until(lambda: world.shown(name).status.released)
        assert _counted(world, name) == ("1", "1", 1)
        assert world.read_seconds(name) == before
        assert _late_seconds(world, name) == world.pod_seconds() - before > 80
        assert len(world.pods_ever()) == 2
        assert world.left() == []
        await process.kill()


async def test_return_of_nothing(worlds: Any) -> None:
    """A shard that was given up before its Job came to be is cleared away, and nothing of it ever runs."""
    async with worlds() as world:
        process = Process(world)
        process.member.fail(matching("create", JOBS), TimedOut("no answer"), times=None)
        name = world.dispatch()
        await world.until(lambda: world.state(name) == "Accepted")
        await asyncio.sleep(5)
        _give_up(world, name, "Unfenced")
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
                await world.until(lambda: world.shown(name).status.armed and _running(world) == 4)  # noqa: B023 - so is this
                await asyncio.sleep(65)
                await first.kill()
                world.finish(name, "2")
                await world.until(lambda: not _running(world))
                _give_up(world, name)
                second = Process(world, number, moment)
                await world.until(lambda: second.dead.is_set() or world.shown(name).status.released)  # noqa: B023 - and this
                await second.kill()
                third = Process(world)
                await world.until(lambda: world.shown(name).status.released)  # noqa: B023 - and this
                assert _counted(world, name) == ("2", "2", 1)
                assert world.read_seconds(name) + _late_seconds(world, name) == world.pod_seconds()
                assert _late_seconds(world, name) > 0
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
