"""What somebody else does to our objects in a member."""

import asyncio
from typing import Any

import pytest
from tests.unit.agent.world import INDEX, SPACE, TENANT, Process, World

from isthmus.api.names import FINALIZER_POD, LABEL_DISPATCH
from isthmus.clusters import DISPATCHES, JOBS, NAMESPACES, PODS, TimedOut
from isthmus.clusters.fake import matching

pytestmark = pytest.mark.simulated_time


def _running(world: World) -> int:
    return sum(1 for pod in world.objects(PODS) if pod["status"]["phase"] == "Running")


@pytest.mark.parametrize("propagation", ["Background", "Foreground", "Orphan"])
async def test_job_deleted_before_anything_succeeded(worlds: Any, propagation: str) -> None:
    """The shard is Lost with nothing succeeded once no pod of it runs any more, and all that ran is read."""
    async with worlds(run_seconds=30) as world:
        name = world.dispatch()
        process = Process(world)
        await world.until(lambda: _running(world) == 2)
        await world.until(lambda: world.state(name) == "Running")
        world.delete_job(name, propagation)
        await world.until(lambda: world.state(name) == "Lost")
        assert _running(world) == 0
        await world.until(lambda: world.left() == [])
        status = world.shown(name).status
        assert (status.reason, status.succeeded, status.reading and status.reading.final) == ("JobVanished", 0, True)
        assert len(world.real_jobs()[name]) == 1
        assert world.read_seconds(name) == world.pod_seconds() > 0
        await process.kill()


@pytest.mark.parametrize("settled", [False, True], ids=["before its pod was settled", "after"])
async def test_job_deleted_when_part_had_succeeded(worlds: Any, settled: bool) -> None:
    """What had succeeded is counted, though neither the Job nor a report of ours had counted it."""
    async with worlds(run_seconds=30) as world:
        name = world.dispatch()
        process = Process(world)
        await world.until(lambda: _running(world) == 2)
        if not settled:
            process.member.disconnect()
        first = world.objects(PODS)[0]
        world._end_pod(first, "Succeeded", first["status"]["containerStatuses"][0]["state"]["running"]["startedAt"])
        world.controllers_run = False
        if settled:
            await world.until(lambda: "finalizers" not in world.objects(PODS)[0]["metadata"])
        world.delete_job(name)
        world.controllers_run = True
        process.member.heal()
        await world.until(lambda: world.state(name) == "Lost")
        assert world.shown(name).status.succeeded == 1
        assert world.read_seconds(name) == world.pod_seconds()
        await process.kill()


async def test_job_deleted_when_all_had_succeeded(worlds: Any) -> None:
    """The shard has succeeded, though its Job went before it was seen to be complete."""
    async with worlds() as world:
        name = world.dispatch()
        process = Process(world)
        await world.until(lambda: _running(world) == 2)
        process.member.disconnect()
        await world.until(lambda: world.succeeded_indexes() == ["0", "1"])
        world.delete_job(name)
        process.member.heal()
        await world.until(lambda: world.state(name) == "Succeeded")
        assert (world.shown(name).status.reason, world.shown(name).status.succeeded) == ("PodsSucceeded", 2)
        assert world.read_seconds(name) == world.pod_seconds()
        await world.until(lambda: world.left() == [])
        await process.kill()


async def test_job_deleted_before_the_watch_had_shown_it(worlds: Any) -> None:
    """A Job that was created and deleted between two looks is not created a second time."""
    async with worlds(run_seconds=30) as world:
        name = world.dispatch()
        process = Process(world)
        world.member.after("create", JOBS, lambda _: world.delete_job(name))
        await world.until(lambda: world.state(name) == "Lost")
        assert len(world.real_jobs()[name]) == 1
        await process.kill()


async def test_job_deleted_before_its_create_was_answered(worlds: Any) -> None:
    """Where the create's answer is lost and the Job is deleted before it is found again, no second one is created."""
    async with worlds(run_seconds=30) as world:
        name = world.dispatch()
        world.member.fail(matching("create", JOBS), TimedOut("no answer in time"), 1, after=True)
        world.member.before("create", JOBS, lambda _: world.member._store._watchers.clear())  # the watch is behind
        world.member.before("get", JOBS, lambda _: world.member.remove(JOBS, name, TENANT))
        process = Process(world)
        await world.until(lambda: world.state(name) == "Lost")
        assert len(world.real_jobs()[name]) == 1
        await process.kill()


async def test_namespace_deleted(worlds: Any) -> None:
    """With the tenant's namespace its shards are Lost; the next one waits until it is gone, and makes it anew."""
    async with worlds(run_seconds=20) as world:
        first = world.dispatch(1)
        process = Process(world)
        await world.until(lambda: _running(world) == 2)
        world.delete_namespace()
        second = world.dispatch(2)
        await world.until(lambda: world.state(first) == "Lost")
        assert world.shown(first).status.succeeded == 0
        await world.until(lambda: world.state(second) == "Succeeded")
        assert world.left() != []
        assert "deletionTimestamp" not in (world.member.object(NAMESPACES, TENANT) or {})["metadata"]
        total = world.read_seconds(first) + world.read_seconds(second)
        assert total == world.pod_seconds() > 0
        await process.kill()


async def test_pod_deleted(worlds: Any) -> None:
    """A pod that somebody deletes is read and let go within moments; the one that replaces it is read too."""
    async with worlds(run_seconds=30) as world:
        name = world.dispatch()
        process = Process(world)
        await world.until(lambda: _running(world) == 2 and world.state(name) == "Running")
        victim = world.objects(PODS)[0]
        world.delete_pod(victim)
        await world.until(lambda: victim["metadata"]["name"] not in str(world.left()), 4)
        assert world.state(name) == "Running"
        await world.until(lambda: world.state(name) == "Succeeded")
        assert world.succeeded_indexes() == ["0", "1"]
        assert len(world.pods_ever()) == 3
        assert world.read_seconds(name) == world.pod_seconds() > 60
        await process.kill()


async def test_suspended_and_resumed(worlds: Any) -> None:
    """Suspension stops the pods, whose time is read; on resumption others run to the end."""
    async with worlds(run_seconds=20) as world:
        name = world.dispatch()
        process = Process(world)
        await world.until(lambda: _running(world) == 2)
        await asyncio.sleep(5)
        world.desire(name, "Suspended")
        await world.until(lambda: world.state(name) == "Suspended" and _running(world) == 0)
        await world.until(lambda: world.read_seconds(name) == world.pod_seconds() > 0)
        world.desire(name, "Running")
        await world.until(lambda: world.state(name) == "Succeeded")
        assert world.succeeded_indexes() == ["0", "1"]
        assert len(world.pods_ever()) == 4
        assert world.read_seconds(name) == world.pod_seconds()
        await process.kill()


async def test_dispatch_gone(worlds: Any) -> None:
    """A Job whose Dispatch is gone is deleted with its pods, by a running agent and by one that starts."""
    async with worlds(run_seconds=30) as world:
        names = [world.dispatch(number) for number in (1, 2)]
        process = Process(world)
        await world.until(lambda: _running(world) == 4)
        _remove(world, names[0])
        await world.until(lambda: names[0] not in str(world.left()))
        assert _running(world) == 2
        await process.kill()
        _remove(world, names[1])
        process = Process(world)
        await world.until(lambda: world.left() == [])
        await process.kill()


def _remove(world: World, name: str) -> None:
    world.hub.remove(DISPATCHES, name, SPACE)


async def test_pods_that_come_after_the_end(worlds: Any) -> None:
    """A pod that a lagging controller made after the Job was gone is stopped, read and let go."""
    async with worlds(run_seconds=30) as world:
        name = world.dispatch()
        process = Process(world)
        await world.until(lambda: _running(world) == 2)
        like = world.objects(PODS)[0]
        world.delete_job(name)
        await world.until(lambda: world.state(name) == "Lost" and world.left() == [])
        before = world.read_seconds(name)
        kept = {key: like["metadata"][key] for key in ("namespace", "labels", "finalizers")}
        late = {"metadata": {"name": "late", "annotations": {INDEX: "0"}, **kept}, "spec": like["spec"]}
        world.member.put(PODS, {**late, "status": {"phase": "Pending"}})
        await world.until(lambda: "late" in str(world.left()))
        await world.until(lambda: world.left() == [])
        assert world.state(name) == "Lost"
        assert world.read_seconds(name) == world.pod_seconds() >= before
        world.desire(name, "Cancelled")
        await world.until(lambda: world.shown(name).status.released)
        await process.kill()


@pytest.mark.parametrize("namespace", ["default", "iwt-00000000-000000000000"])
async def test_copies_elsewhere_are_not_ours(worlds: Any, namespace: str) -> None:
    """A Job and a pod with all our labels, in a namespace that is not ours, are neither looked at nor touched."""
    async with worlds(run_seconds=5) as world:
        name = world.dispatch()
        process = Process(world)
        await world.until(lambda: _running(world) == 2)
        if namespace != "default":
            world.member.put(NAMESPACES, {"metadata": {"name": namespace}})
        for resource in (JOBS, PODS):
            metadata = world.objects(resource)[0]["metadata"]
            kept = {"name": metadata["name"], "labels": metadata["labels"], "annotations": metadata["annotations"]}
            copy = {"metadata": {**kept, "namespace": namespace}, "spec": {"suspend": True, "parallelism": 0}}
            world.member.put(resource, {**copy, "status": {"phase": "Failed"} if resource == PODS else {}})
        await world.until(lambda: world.state(name) == "Succeeded")
        world.desire(name, "Cancelled")
        await world.until(lambda: world.shown(name).status.released)
        left = [obj for resource in (JOBS, PODS) for obj in world.objects(resource)]
        assert [obj["metadata"]["namespace"] for obj in left] == [namespace, namespace]
        assert {obj["metadata"]["labels"][LABEL_DISPATCH] for obj in left} == {name}
        assert FINALIZER_POD not in str(left)
        await process.kill()
        _remove(world, name)  # now they look like orphans
        process = Process(world)
        await asyncio.sleep(60)
        assert [obj for resource in (JOBS, PODS) for obj in world.objects(resource)] == left
        assert process.writes == []
        await process.kill()
