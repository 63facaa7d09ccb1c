"""Two nodes of one hub that look at one cluster."""

from typing import Any

import pytest
from tests.unit.agent.world import Process

from isthmus.clusters import JOBS, PODS

pytestmark = pytest.mark.simulated_time


async def test_another_nodes_work_is_left_alone(worlds: Any) -> None:
    """An agent with no Dispatches, on a cluster where another node's shard runs, touches nothing of it."""
    async with worlds(run_seconds=60) as world:
        name = world.dispatch()
        owner = Process(world)
        await world.until(lambda: world.state(name) == "Running")
        before = {each["metadata"]["uid"] for kind in (JOBS, PODS) for each in world.objects(kind)}
        assert len(before) == 3
        other = Process(world, node="n2")
        await world.until(lambda: other.profiles)
        assert other.profiles[-1].free["cpu"] == 14_000
        await world.until(lambda: world.state(name) == "Succeeded")
        assert other.writes == []
        assert {uid for uids in world.real_jobs().values() for uid in uids} | world.pods_ever().keys() == before
        world.desire(name, "Cancelled")
        await world.until(lambda: world.shown(name).status.released)
        assert world.read_seconds(name) == world.pod_seconds()
        for process in (owner, other):
            await process.kill()
            process.check()
