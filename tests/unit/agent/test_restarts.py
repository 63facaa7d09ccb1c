"""How often a shard's containers were restarted, and that the hub is told."""

import asyncio
from typing import Any

import pytest
from tests.unit.agent.objects import dispatch, job, pod
from tests.unit.agent.world import Process, World

from isthmus.agent.due import SETTLE_SECONDS
from isthmus.agent.restarts import restarts_of
from isthmus.api.core import Job, Pod
from isthmus.clusters import DISPATCHES, PODS

Object = dict[str, Any]


def restarted(phase: str, *counts: int, init: int = 0) -> Pod:
    """A pod whose containers were restarted so often."""
    main = [{"name": f"c{place}", "restartCount": count} for place, count in enumerate(counts)]
    return pod(phase, containerStatuses=main, initContainerStatuses=[{"name": "init", "restartCount": init}])


PODS_OF_ALL_PHASES = [
    restarted("Running", 2, 1, init=1),
    restarted("Pending", 0, init=4),
    restarted("Succeeded", 16),
    restarted("Failed", 32),
]


@pytest.mark.parametrize(
    ("policy", "found", "expected"),
    [
        pytest.param("OnFailure", job(), 8, id="pods that have not ended"),
        pytest.param("Never", job(), 0, id="another policy"),
        pytest.param(None, job(), 0, id="no policy"),
        pytest.param("OnFailure", job(suspend=True), 8, id="suspended"),
        pytest.param("OnFailure", job(deleting=True), 20, id="being deleted"),
        pytest.param("OnFailure", job(condition="FailureTarget"), 20, id="being stopped"),
    ],
)
def test_restarts(policy: str | None, found: Job, expected: int) -> None:
    """Init and main containers count, of pods that have not ended; what stops a Job takes none of them back."""
    spec = {"template": {"spec": {"containers": [], **({"restartPolicy": policy} if policy else {})}}}
    assert restarts_of(dispatch("Running", spec=spec, restarts=20), found, PODS_OF_ALL_PHASES) == expected


def restart(world: World, index: str) -> None:
    """A container of the pod of that index is restarted."""
    for each in world.objects(PODS):
        if each["metadata"]["name"].split("-")[-2] == index:
            (container,) = each["status"]["containerStatuses"]
            again = {**container, "restartCount": container.get("restartCount", 0) + 1}
            world.member.put(PODS, {**each, "status": {**each["status"], "containerStatuses": [again]}})


@pytest.mark.simulated_time
async def test_restarts_are_told_soon_and_not_each_by_itself(worlds: Any) -> None:
    """Within some seconds the hub knows of each, by a write every few seconds at most; the lost one's stay told."""
    async with worlds(run_seconds=3600) as world:
        name = world.dispatch(completions=2, pod={"restartPolicy": "OnFailure"})
        process = Process(world)
        await world.until(lambda: world.state(name) == "Running" and world.shown(name).status.active == 2)
        await asyncio.sleep(2)
        before = len(world.hub._store.since(0))
        for _ in range(40):
            restart(world, "0")
            restart(world, "1")
            await asyncio.sleep(0.5)
        await world.until(lambda: world.shown(name).status.restarts == 80, SETTLE_SECONDS + 1)
        written = [c for c in world.hub._store.since(0)[before:] if c.resource == DISPATCHES]
        assert len(written) <= 20 / SETTLE_SECONDS + 2
        world.desire(name, "Cancelled")
        await world.until(lambda: world.state(name) == "Cancelled")
        assert world.shown(name).status.restarts == 80
        await process.kill()
