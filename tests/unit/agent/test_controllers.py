import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.unit.agent.objects import STAMP, dispatch, job, pod
from tests.unit.agent.shards import FENCE, clock_seconds, running_pods
from tests.unit.agent.world import Process, World

from isthmus.agent.contact import Contact
from isthmus.agent.execution import Execution
from isthmus.agent.guard import Guard
from isthmus.clusters import PODS

pytestmark = pytest.mark.simulated_time

TRACKING = "batch.kubernetes.io/job-tracking"


def _let_die(world: World, name: str) -> None:
    """The member's controllers die, and a pod ends that nobody counts."""
    world.controllers_run = False
    for each in world.objects(PODS):
        each["metadata"]["finalizers"] = [*each["metadata"]["finalizers"], TRACKING]
        world.member.put(PODS, each)
    world.finish(name, "0")


async def test_new_process_under_dead_controllers(worlds: Any) -> None:
    """A process that has just begun relies on no limit anew while controllers are dead that the last one knew to be."""
    async with worlds(run_seconds=1000) as world:
        name = world.dispatch(fence=60, completions=3)
        first = Process(world)
        await world.until(lambda: world.shown(name).status.armed)
        _let_die(world, name)
        await world.until(lambda: not world.shown(name).status.armed)
        await first.kill()
        second = Process(world)
        uid = world.shown(name).metadata["uid"]
        for _ in range(400):
            await asyncio.sleep(0.1)
            assert not world.shown(name).status.armed
        assert second.contact.unarmed(uid)
        second.member.disconnect()
        await asyncio.sleep(100)
        assert running_pods(world) == 2, "nothing stopped them"
        assert not world.shown(name).status.armed
        await second.kill()


async def test_new_process_after_a_while(worlds: Any) -> None:
    """Where nothing speaks against the controllers, a new process relies on them after half a minute of watching.

    A Job that they begin before its eyes is relied on at once. What was told before stands.
    """
    async with worlds(run_seconds=1000) as world:
        name, other = world.dispatch(1, fence=FENCE), world.dispatch(2, fence=FENCE)
        first = Process(world)
        await world.until(lambda: all(world.shown(each).status.armed for each in (name, other)))
        await first.kill()
        world.unarm(name)
        began = clock_seconds()
        second = Process(world)
        await world.until(lambda: world.shown(name).status.armed)
        assert 30 <= clock_seconds() - began <= 34
        assert world.shown(other).status.armed
        await second.kill()
        world.unarm(name)
        third = Process(world)
        await asyncio.sleep(5)
        assert not world.shown(name).status.armed
        fresh = world.dispatch(3, fence=FENCE)
        await world.until(lambda: world.shown(fresh).status.armed, seconds=4)
        await third.kill()


def test_many_pods_to_count() -> None:
    """Controllers that have many pods to count are not silent; they are once they have counted none for a while."""
    at, changes = [100.0], list[float]()
    contact = Contact(lambda: at[0])
    jobs = cast("Any", SimpleNamespace(server_time=lambda: None))
    told = lambda: changes.append(at[0])  # noqa: E731 - as short as it is
    guard = Guard(contact, jobs=jobs, meter=cast("Any", None), on_doubt=told, on_unheld=lambda _: None)
    given, shown = dispatch("Running"), job(startTime=STAMP)
    fence = SimpleNamespace(after_seconds=300)
    given = cast("Any", SimpleNamespace(spec=SimpleNamespace(fence=fence), status=given.status))
    pods = [pod("Succeeded", number, uid=f"p{number}") for number in range(300)]
    for each in pods:
        each.metadata.finalizers = [TRACKING]
    execution = Execution("d")
    for second in range(120):
        contact.heard()
        guard._judge_controllers("d", given, execution, shown, pods)
        at[0] += 1
        if second < 50:
            pods = pods[5:]
    assert changes == [180.0]
    assert "was not counted" in contact.controllers
