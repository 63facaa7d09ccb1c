"""For how long a Job has been active, and when the hub is told of it."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.unit.agent.objects import MOMENT, STAMP, dispatch, job
from tests.unit.agent.world import Process, World

from isthmus.agent.activetime import active_seconds
from isthmus.agent.due import has_news
from isthmus.api.core import Job
from isthmus.clusters import DISPATCHES, PODS

BEGUN = "2026-11-22T11:58:20Z"
LATER = MOMENT + timedelta(seconds=50.9)


@pytest.mark.parametrize(
    ("found", "now", "expected"),
    [
        pytest.param(job(), MOMENT, 0, id="not begun"),
        pytest.param(job(startTime=BEGUN), MOMENT, 100, id="runs"),
        pytest.param(job(startTime=BEGUN), LATER, 150, id="whole seconds"),
        pytest.param(job(startTime=STAMP), MOMENT - timedelta(seconds=1), 0, id="a clock that lags"),
        pytest.param(job(startTime=BEGUN), None, 7, id="no time known"),
        pytest.param(job(startTime=BEGUN, suspend=True), LATER, 0, id="suspended"),
        pytest.param(job(startTime=BEGUN, condition="Failed"), LATER, 100, id="failed"),
        pytest.param(job(startTime=BEGUN, condition="FailureTarget"), LATER, 150, id="about to have failed"),
        pytest.param(
            job(startTime=BEGUN, condition="Complete", completionTime="2026-11-22T11:59:00Z"), LATER, 40, id="complete"
        ),
    ],
)
def test_active_seconds(found: Job, now: datetime | None, expected: int) -> None:
    """A run counts from its start to its end, or to now, by the member's clock; a suspended Job has none."""
    assert active_seconds(found, now, 7) == expected


def test_active_time_is_no_news() -> None:
    """That time goes by is no reason to write."""
    assert not has_news(dispatch("Running").status, dispatch("Running", activeSeconds=60).status)


@pytest.mark.simulated_time
async def test_active_time_is_told_with_what_is_written_anyway(worlds: Any) -> None:
    """While nothing happens nothing is written for it; the end tells all of it."""
    async with worlds(run_seconds=40) as world:
        name = world.dispatch(completions=1, pod={"schedulingGates": [{"name": "example.org/later"}]})
        process = Process(world)
        await world.until(lambda: world.state(name) == "Accepted" and world.shown(name).status.active)
        before = _writes(world)
        await asyncio.sleep(600)
        assert _writes(world) <= before + 1  # that there is still no pod that runs is told once
        (waiting,) = world.member.objects(PODS)
        world.member.put(PODS, {**waiting, "spec": {**waiting["spec"], "schedulingGates": []}})
        await world.until(lambda: world.state(name) == "Succeeded")
        status = world.shown(name).status
        assert status.start_time is not None
        assert status.completion_time is not None
        ran = datetime.fromisoformat(status.completion_time) - datetime.fromisoformat(status.start_time)
        assert status.active_seconds == ran.total_seconds() >= 640
        await process.kill()


@pytest.mark.simulated_time
async def test_a_resumption_begins_anew(worlds: Any) -> None:
    """What was used before a suspension is no part of the run after it, as in Kubernetes."""
    async with worlds(run_seconds=30) as world:
        name = world.dispatch(completions=1)
        process = Process(world)
        await world.until(lambda: world.state(name) == "Running")
        await asyncio.sleep(20)
        world.desire(name, "Suspended")
        await world.until(lambda: world.state(name) == "Suspended" and not world.shown(name).status.active)
        assert world.shown(name).status.active_seconds == 0
        world.desire(name, "Running")
        await world.until(lambda: world.state(name) == "Succeeded")
        assert 29 <= world.shown(name).status.active_seconds <= 33
        await process.kill()


def _writes(world: World) -> int:
    return sum(1 for change in world.hub._store.since(0) if change.resource == DISPATCHES)
