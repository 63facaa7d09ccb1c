import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from tests.unit.agent.shards import (
    FENCE,
    clock_seconds,
    limits_written,
    member_job,
    running_pods,
)
from tests.unit.agent.world import Process, now

from isthmus.api.core import Job
from isthmus.clusters import JOBS, PODS, Conflict, Invalid, TimedOut, TooManyRequests, Unreachable
from isthmus.clusters.fake import Call, matching

pytestmark = pytest.mark.simulated_time


async def test_put_off(worlds: Any) -> None:
    """A shard runs far beyond its first limit, at one write each half fence, and is armed all the while."""
    async with worlds(run_seconds=130) as world:
        name = world.dispatch(fence=FENCE)
        process = Process(world)
        await world.until(lambda: world.shown(name).status.armed)
        assert member_job(world, name)["spec"]["activeDeadlineSeconds"] == FENCE
        await world.until(lambda: world.state(name) == "Succeeded")
        assert world.succeeded_indexes() == ["0", "1"]
        assert 10 <= len(limits_written(process)) <= 15
        assert not world.shown(name).status.armed
        await process.kill()


async def test_stopped_by_the_member(worlds: Any) -> None:
    """Cut off, a shard is stopped within its fence by its member; back again it is Lost, and nothing of it failed."""
    async with worlds(run_seconds=1000) as world:
        name = world.dispatch(fence=FENCE, completions=3)
        process = Process(world)
        await world.until(lambda: world.shown(name).status.armed and running_pods(world) == 3)
        await asyncio.sleep(50)
        cut = clock_seconds()
        process.member.disconnect()
        await world.until(lambda: not running_pods(world))
        assert FENCE / 2 <= clock_seconds() - cut <= FENCE + 1.5
        assert process.contact.last_attempt(world.shown(name).metadata["uid"]) <= cut + FENCE / 2 + 1
        await asyncio.sleep(30)
        assert world.state(name) == "Running"
        process.member.heal()
        await world.until(lambda: world.state(name) == "Lost")
        status = world.shown(name).status
        assert status.active_seconds <= cut  # the loss is not charged to the user's deadline
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
        assert member_job(world, name)["spec"]["activeDeadlineSeconds"] == 47
        await process.kill()


async def test_resumed(worlds: Any) -> None:
    """A resumed shard has the fence from its new start on, and is not armed until that start is seen."""
    async with worlds(run_seconds=300) as world:
        name = world.dispatch(fence=FENCE)
        process = Process(world)
        await world.until(lambda: world.shown(name).status.armed)
        await asyncio.sleep(55)
        assert member_job(world, name)["spec"]["activeDeadlineSeconds"] > 2 * FENCE
        world.controllers_run = False
        world.desire(name, "Suspended")
        await world.until(lambda: world.state(name) == "Suspended" and not world.shown(name).status.armed)
        writes: list[tuple[Any, bool]] = []

        def seen(call: Call) -> None:
            assert isinstance(call.body, dict)
            writes.append((call.body["spec"], world.shown(name).status.armed))

        world.member.before("patch", JOBS, seen, times=1)
        world.desire(name, "Running")
        await asyncio.sleep(5)
        assert member_job(world, name)["spec"]["suspend"], "its controller has yet to see that it is"
        world.controllers_run = True
        await world.until(lambda: not member_job(world, name)["spec"]["suspend"])
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
        held = member_job(world, name)
        await first.kill()
        member = world.member
        member.put(JOBS, {**held, "spec": {**held["spec"], "suspend": True}})
        await asyncio.sleep(3)
        member.put(JOBS, {**member_job(world, name), "spec": {**held["spec"], "suspend": False}})
        await asyncio.sleep(3)
        second = Process(world)
        await world.until(lambda: second.agent is not None)
        assert second.agent is not None
        with pytest.raises(Invalid, match="startTime"):
            await second.agent._executor._jobs.set_limit(msgspec.convert(held, Job), 500)
        assert member_job(world, name)["spec"]["activeDeadlineSeconds"] <= FENCE + 10
        await second.kill()


async def test_late_resumption_finds_a_job_that_runs(worlds: Any) -> None:
    """A resumption that was held up and lands after another one was carried out changes no limit."""
    async with worlds(run_seconds=300) as world:
        name = world.dispatch(fence=FENCE)
        process = Process(world)
        await world.until(lambda: world.shown(name).status.armed)
        world.desire(name, "Suspended")
        await world.until(lambda: world.state(name) == "Suspended" and not running_pods(world))
        held = msgspec.convert(member_job(world, name), Job)
        world.desire(name, "Running")
        await world.until(lambda: world.shown(name).status.armed)
        assert process.agent is not None
        with pytest.raises(Conflict):
            await process.agent._executor._jobs.resume(held, 5000)
        assert member_job(world, name)["spec"]["activeDeadlineSeconds"] <= FENCE + 10
        assert world.shown(name).status.armed
        await process.kill()


async def test_clock_set_back(worlds: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the member's clock is set back, its limit is too long, and is relied on no more within a heartbeat."""
    async with worlds(run_seconds=1000) as world:
        name = world.dispatch(fence=300)
        process = Process(world)
        await world.until(lambda: world.shown(name).status.armed)
        await asyncio.sleep(61)
        monkeypatch.setattr(process.member, "server_time", lambda: now() - timedelta(hours=1))
        await world.until(lambda: not world.shown(name).status.armed, seconds=3)
        assert process.contact.unarmed(world.shown(name).metadata["uid"])
        await process.kill()


async def test_limit_found_too_long(worlds: Any) -> None:
    """A limit that is found too long is relied on no more from that very moment, and that is told."""
    async with worlds(run_seconds=1000) as world:
        name = world.dispatch(fence=300)
        process = Process(world)
        await world.until(lambda: world.shown(name).status.armed)
        assert process.agent is not None
        executor = process.agent._executor
        dispatch, execution = executor.current(name), executor._executions[name]
        assert dispatch is not None
        shown = member_job(world, name)
        longer = msgspec.convert({**shown, "spec": {**shown["spec"], "activeDeadlineSeconds": 5000}}, Job)
        process.contact.failed(process.contact.clock() + 1)  # nothing can be written just now
        told: list[str] = []
        executor._guard._on_unheld = told.append
        await executor._guard.tend(dispatch, execution, longer, ())
        await executor._guard.tend(dispatch, execution, longer, ())
        assert process.contact.unarmed(dispatch.metadata["uid"])
        assert told == [name], "once"
        await process.kill()


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
        began = clock_seconds()
        await world.until(lambda: not world.shown(name).status.armed)
        assert 14 <= clock_seconds() - began <= 18
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
        await world.until(lambda: world.shown(name).status.armed and running_pods(world) == 2)
        world.member_limits = False
        process.member.disconnect()
        await asyncio.sleep(FENCE + 10)
        assert running_pods(world) == 2
        process.member.heal()
        await world.until(lambda: not running_pods(world))
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


async def test_job_deleted_and_pods_left(worlds: Any) -> None:
    """Where somebody deletes the Job and leaves its pods, its limit is relied on no more before they are stopped."""
    async with worlds(run_seconds=1000) as world:
        name = world.dispatch(fence=300)
        process = Process(world)
        await world.until(lambda: world.shown(name).status.armed and running_pods(world) == 2)
        process.member.fail(matching("delete", PODS), Unreachable("cut off"), times=None)
        world.delete_job(name, "Orphan")
        await world.until(lambda: not world.shown(name).status.armed, seconds=5)
        assert running_pods(world) == 2
        assert process.contact.unarmed(world.shown(name).metadata["uid"])
        process.member.heal()
        await world.until(lambda: world.state(name) == "Lost")
        await process.kill()
