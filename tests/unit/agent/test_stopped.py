"""When a suspended shard is said to have stopped, so that what it counts can be relied on."""

import asyncio
from typing import Any

import msgspec
import pytest
from tests.unit.agent.objects import dispatch, job, pod
from tests.unit.agent.world import SPACE, Process, World

from isthmus.agent.due import has_news, seconds_until_due
from isthmus.agent.observe import has_stopped
from isthmus.api.core import Job, Pod
from isthmus.clusters import DISPATCHES, JOBS, PODS
from isthmus.clusters.fake import Call

LEAVING = msgspec.convert({"name": "p", "deletionTimestamp": "2026-11-22T12:00:30Z"}, type(pod("Running").metadata))
SUSPENDED: dict[str, Any] = {"condition": "Suspended", "suspend": True}


@pytest.mark.parametrize(
    ("found", "pods", "expected"),
    [
        pytest.param(job(**SUSPENDED), [], True, id="no pods"),
        pytest.param(job(**SUSPENDED), [pod("Succeeded"), pod("Failed")], True, id="pods that ended"),
        pytest.param(job(**SUSPENDED), [pod("Running", 0)], False, id="a pod runs"),
        pytest.param(
            job(**SUSPENDED),
            [Pod(metadata=LEAVING, spec=pod("Running", machine="m1").spec, status=pod("Running").status)],
            False,
            id="a pod is being stopped",
        ),
        pytest.param(job(**SUSPENDED, active=1), [], False, id="the Job knows of a pod"),
        pytest.param(job(**SUSPENDED, terminating=1), [], False, id="the Job knows of one that is being stopped"),
        pytest.param(job(suspend=True), [], False, id="its controller has yet to see it"),
        pytest.param(job(condition="Suspended"), [], False, id="resumed, and its controller has yet to see it"),
    ],
)
def test_has_stopped(found: Job, pods: list[Pod], expected: bool) -> None:
    """Only where its controller has seen the suspension, and no pod could still succeed."""
    assert has_stopped(found, pods) is expected


def test_when_it_is_told() -> None:
    """That a shard has stopped is news; that it has no longer is told at once."""
    stopped, not_stopped = (dispatch("Suspended", stopped=each).status for each in (True, False))
    assert has_news(not_stopped, stopped)
    assert seconds_until_due(stopped, not_stopped, urgent=False, backlog=False, since=0, noticed=0) == 0


def told(world: World) -> list[tuple[bool, int]]:
    """What was told of it, one after another: whether it has stopped, and how many pods had succeeded."""
    found: list[tuple[bool, int]] = []
    for change in world.hub._store.since(0):
        if change.resource == DISPATCHES and change.after is not None:
            status = change.after.get("status", {})
            found.append((status.get("stopped", False), status.get("succeeded", 0)))
    return found


@pytest.mark.simulated_time
async def test_what_succeeds_while_it_is_stopped_counts(worlds: Any) -> None:
    """A pod that ends well after the suspension was asked for stands in the status that says that it has stopped."""
    async with worlds(run_seconds=60) as world:
        name = world.dispatch(completions=2)
        process = Process(world)
        await world.until(lambda: world.state(name) == "Running" and world.shown(name).status.active == 2)

        def finish(_: Call) -> None:
            world.finish(name, "0")

        world.member.after("patch", JOBS, finish)
        world.desire(name, "Suspended")
        await world.until(lambda: world.shown(name).status.stopped)
        assert {succeeded for stopped, succeeded in told(world) if stopped} == {1}
        assert not any(each["status"]["phase"] == "Running" for each in world.objects(PODS))
        await process.kill()


async def _suspended(world: World) -> tuple[str, Process]:
    """A shard that ran, was suspended, and has said that it has stopped."""
    name = world.dispatch(completions=1)
    process = Process(world)
    await world.until(lambda: world.state(name) == "Running")
    world.desire(name, "Suspended")
    await world.until(lambda: world.shown(name).status.stopped)
    return name, process


@pytest.mark.simulated_time
async def test_it_is_taken_back_before_a_resumption(worlds: Any) -> None:
    """Whenever the member's Job is resumed, the hub does not believe any more that it has stopped."""
    async with worlds(run_seconds=30) as world:
        name, process = await _suspended(world)
        believed: list[bool] = []

        def look(_: Call) -> None:
            believed.append(world.shown(name).status.stopped)

        world.member.before("patch", JOBS, look, times=None)
        world.desire(name, "Running")
        await world.until(lambda: believed)
        assert believed == [False]
        await world.until(lambda: world.state(name) == "Succeeded")
        await process.kill()


@pytest.mark.simulated_time
async def test_a_watch_that_is_behind_is_not_believed(worlds: Any) -> None:
    """Suspended anew, a shard is not taken for stopped by what its member showed before it was resumed."""
    async with worlds(run_seconds=30) as world:
        name, process = await _suspended(world)
        (shown,) = world.objects(JOBS)
        assert process.agent is not None
        view = process.agent._view
        world.desire(name, "Running")
        await world.until(lambda: world.state(name) == "Running")
        stale = msgspec.convert(shown, Job)
        view._jobs[name], view._pods = stale, {}
        world.controllers_run = False
        world.desire(name, "Suspended")
        await asyncio.sleep(5)
        assert not world.shown(name).status.stopped
        world.controllers_run = True
        await process.kill()


@pytest.mark.simulated_time
async def test_a_resumption_that_may_land_yet(worlds: Any) -> None:
    """A process that finds a shard stopped says so once no resumption of a former one can be carried out any more.

    One that names the Job as it was before this process suspended it is refused: there, it says so at once.
    """
    async with worlds(run_seconds=300) as world:
        name, other = world.dispatch(1, completions=1), world.dispatch(2, completions=1)
        first = Process(world)
        await world.until(lambda: all(world.state(each) == "Running" for each in (name, other)))
        world.desire(name, "Suspended")
        await world.until(lambda: world.shown(name).status.stopped and len(world.objects(PODS)) == 1)
        await asyncio.sleep(2)
        await first.kill()
        found = world.hub.object(DISPATCHES, name, SPACE)
        assert found is not None
        world.hub.put(DISPATCHES, {**found, "status": {**found["status"], "stopped": False}})
        began = asyncio.get_running_loop().time()
        second = Process(world)
        await asyncio.sleep(2)
        world.desire(other, "Suspended")
        await world.until(lambda: world.shown(other).status.stopped, seconds=5)
        await world.until(lambda: world.shown(name).status.stopped)
        assert 60 <= asyncio.get_running_loop().time() - began <= 64
        await second.kill()
        third = Process(world)
        for _ in range(50):
            await asyncio.sleep(0.1)
            assert world.shown(name).status.stopped, "what was told stands"
        await third.kill()
