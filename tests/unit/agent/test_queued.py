"""A queue of the member's own decides when Jobs run: they are left to it, and stopped by way of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.unit.agent.shards import give_up, late_seconds
from tests.unit.agent.world import TENANT, Object, Process, World

from isthmus.api.names import LABEL_QUEUE, LABEL_WORKLOAD_JOB
from isthmus.clusters import (
    JOBS,
    WORKLOADS,
    WORKLOADS_FORMERLY,
    ApiError,
    Forbidden,
    NotFound,
    Resource,
    ServerFailure,
)
from isthmus.clusters.fake.faults import matching

QUEUED = {LABEL_QUEUE: "lent"}
NO_ROOM = "couldn't assign flavors to pod set main: insufficient unused quota for cpu in flavor any, 1 more needed"


class Kueue:
    """As Kueue does: suspends each Job while there is no room, and resumes it once there is, whoever did what."""

    def __init__(self, world: World, room: bool, resource: Resource) -> None:
        self.world = world
        self.room = room
        self.resource = resource
        self.turns: list[bool] = []
        """Each change of a Job's suspension that it made."""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            for each in self.world.member.objects(JOBS):
                self._judge(each)
            await asyncio.sleep(0.1)

    def _judge(self, found: Object) -> None:
        metadata = found["metadata"]
        uid, place = metadata["uid"], {"namespace": TENANT, "name": f"job-{metadata['name']}"}
        workload = self.world.member.object(self.resource, place["name"], TENANT)
        if workload is None:
            workload = {"metadata": {**place, "labels": {LABEL_WORKLOAD_JOB: uid}}, "spec": {"active": True}}
        runs = self.room and workload["spec"]["active"]
        quota = {"type": "QuotaReserved", "status": str(runs), "message": "" if runs else NO_ROOM}
        status = {"conditions": [quota]}
        if workload.get("status") != status:
            self.world.member.put(self.resource, {**workload, "status": status})
        if found["spec"].get("suspend", False) is runs:
            self.turns.append(not runs)
            self.world.member.put(JOBS, {**found, "spec": {**found["spec"], "suspend": not runs}})


@asynccontextmanager
async def kueue(world: World, *, room: bool = True, resource: Resource = WORKLOADS) -> AsyncIterator[Kueue]:
    """One that runs."""
    found = Kueue(world, room, resource)
    task = asyncio.create_task(found.run())
    try:
        yield found
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def problem(world: World, name: str) -> str:
    """What is told to keep the shard from getting on."""
    told = world.shown(name).status.pod_problem
    return f"{told.reason}: {told.message}" if told is not None else ""


@pytest.mark.simulated_time
async def test_one_that_waits_is_left_to_the_queue(worlds: Any) -> None:
    """It is told why it waits, in the queue's own words, and runs once there is room: nobody else resumed it."""
    async with worlds() as world, kueue(world, room=False) as queue:
        name = world.dispatch(labels=QUEUED)
        process = Process(world)
        await world.until(lambda: NO_ROOM in problem(world, name))
        assert problem(world, name).startswith(f"QueuedInMember: in the member's queue lent waits Job {TENANT}/{name}")
        assert (world.state(name), queue.turns) == ("Accepted", [True])
        queue.room = True
        await world.until(lambda: world.state(name) == "Succeeded")
        assert (queue.turns, problem(world, name)) == ([True, False], "")
        assert world.read_seconds(name) == world.pod_seconds() == 6
        await process.kill()


@pytest.mark.simulated_time
async def test_one_that_is_preempted_waits_again(worlds: Any) -> None:
    """It is told as one that has not begun, none of its pods as a failure, and what they ran is read."""
    async with worlds(run_seconds=20) as world, kueue(world) as queue:
        name = world.dispatch(labels=QUEUED)
        process = Process(world)
        await world.until(lambda: world.state(name) == "Running")
        await asyncio.sleep(5)
        queue.room = False
        await world.until(lambda: NO_ROOM in problem(world, name))
        assert (world.state(name), world.shown(name).status.active) == ("Accepted", 0)
        queue.room = True
        await world.until(lambda: world.state(name) == "Succeeded")
        assert world.read_seconds(name) == world.pod_seconds() > 40
        await process.kill()


@pytest.mark.simulated_time
@pytest.mark.parametrize("room", [pytest.param(True, id="one that runs"), pytest.param(False, id="one that waits")])
async def test_the_hub_suspends_it(worlds: Any, room: bool) -> None:
    """Its queue is told first and leaves it suspended, whatever room there is; once let go, it is queued again."""
    async with worlds(run_seconds=20) as world, kueue(world, room=room) as queue:
        name = world.dispatch(labels=QUEUED)
        process = Process(world)
        await world.until(lambda: world.state(name) == "Running" if room else NO_ROOM in problem(world, name))
        world.desire(name, "Suspended")
        await world.until(lambda: world.state(name) == "Suspended" and world.shown(name).status.stopped)
        queue.room = True
        turns = list(queue.turns)
        await asyncio.sleep(60)
        assert (world.state(name), queue.turns, problem(world, name)) == ("Suspended", turns, "")
        world.desire(name, "Running")
        await world.until(lambda: world.state(name) == "Succeeded")
        assert queue.turns == [*turns, False]
        await process.kill()


@pytest.mark.simulated_time
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("write", range(4))
async def test_a_process_that_ends_between_is_followed_by_one_that_goes_on(
    worlds: Any, write: int, moment: Any
) -> None:
    """Whichever write of a pause or of its end is the last of a process, the shard is paused, and then it runs."""
    async with worlds(run_seconds=200) as world, kueue(world):
        name = world.dispatch(labels=QUEUED)
        first = Process(world)
        await world.until(lambda: world.state(name) == "Running")
        await first.kill()
        second = Process(world, kill_at=write, moment=moment)
        world.desire(name, "Suspended")
        await asyncio.sleep(30)
        await second.kill()
        third = Process(world)
        await world.until(lambda: world.shown(name).status.stopped)
        await third.kill()
        fourth = Process(world, kill_at=write, moment=moment)
        world.desire(name, "Running")
        await asyncio.sleep(10)
        await fourth.kill()
        last = Process(world)
        await world.until(lambda: world.state(name) == "Succeeded")
        assert world.succeeded_indexes() == ["0", "1"]
        await last.kill()


@pytest.mark.simulated_time
async def test_a_limit_is_never_relied_on(worlds: Any) -> None:
    """Its queue may begin it anew, and its limit with it, so the hub must not count on either."""
    async with worlds(run_seconds=60) as world, kueue(world):
        name = world.dispatch(labels=QUEUED, fence=20)
        process = Process(world)
        await world.until(lambda: world.state(name) == "Running")
        await asyncio.sleep(30)
        assert (world.state(name), world.shown(name).status.armed) == ("Running", False)
        world.desire(name, "Suspended")
        await world.until(lambda: world.state(name) == "Suspended")
        await asyncio.sleep(10)
        assert not world.shown(name).status.stopped
        await process.kill()


@pytest.mark.simulated_time
async def test_one_that_the_member_suspends_without_a_label(worlds: Any) -> None:
    """It is resumed, more and more seldom, and that is told."""
    async with worlds() as world, kueue(world, room=False):
        name = world.dispatch()
        process = Process(world)
        await world.until(lambda: problem(world, name).startswith("SuspendedByMember: "))
        before = len(process.writes)
        await asyncio.sleep(600)
        assert 8 <= sum(1 for call in process.writes[before:] if call.resource == JOBS) <= 15
        await process.kill()


async def _suspended_and_resumed(world: World) -> None:
    """A Job with a queue's label, suspended by the hub while it runs, and resumed to its end."""
    name = world.dispatch(labels=QUEUED)
    process = Process(world)
    await world.until(lambda: world.state(name) == "Running")
    world.desire(name, "Suspended")
    await world.until(lambda: world.shown(name).status.stopped)
    world.desire(name, "Running")
    await world.until(lambda: world.state(name) == "Succeeded")
    await process.kill()


@pytest.mark.simulated_time
async def test_where_there_is_no_kueue(worlds: Any) -> None:
    """A label alone holds nothing: the Job is suspended and resumed as any other."""
    async with worlds(run_seconds=20) as world:
        for resource in (WORKLOADS, WORKLOADS_FORMERLY):
            world.member.fail(matching("list", resource), NotFound(404, "NotFound", "not served"), None)
        await _suspended_and_resumed(world)


@pytest.mark.simulated_time
async def test_an_older_kueue(worlds: Any) -> None:
    """What serves the former version of its API alone is asked for that."""
    async with worlds(run_seconds=20) as world, kueue(world, resource=WORKLOADS_FORMERLY):
        world.member.fail(matching("list", WORKLOADS), NotFound(404, "NotFound", "not served"), None)
        await _suspended_and_resumed(world)


@pytest.mark.simulated_time
async def test_a_member_that_lets_nobody_ask_its_queue(worlds: Any) -> None:
    """What can't be suspended for that goes on, and says so."""
    async with worlds(run_seconds=600) as world, kueue(world):
        error = Forbidden(403, "Forbidden", 'User "isthmus" cannot list resource "workloads"')
        world.member.fail(matching("list", WORKLOADS), error, None)
        name = world.dispatch(labels=QUEUED)
        process = Process(world)
        await world.until(lambda: world.state(name) == "Running")
        world.desire(name, "Suspended")
        await world.until(lambda: problem(world, name))
        assert problem(world, name) == (
            f"QueuedInMember: the queue lent of the member has yet to stop Job {TENANT}/{name}:"
            f' User "isthmus" cannot list resource "workloads"'
        )
        world.member.heal()
        await world.until(lambda: world.state(name) == "Suspended")
        await process.kill()


@pytest.mark.simulated_time
@pytest.mark.parametrize(
    "error", [Forbidden(403, "Forbidden", "no"), ServerFailure(500, "InternalError", "conversion")]
)
async def test_one_that_was_given_up_where_nobody_can_ask_its_queue(worlds: Any, error: ApiError) -> None:
    """Its Job is deleted, as it can't be suspended; what ended well meanwhile is told, and all time is read."""
    async with worlds(run_seconds=1000) as world, kueue(world):
        name = world.dispatch(labels=QUEUED)
        process = Process(world)
        await world.until(lambda: world.state(name) == "Running" and world.shown(name).status.active == 2)
        await asyncio.sleep(70)
        process.member.disconnect()
        await asyncio.sleep(40)
        world.finish(name, "1")
        give_up(world, name, "Forgotten")
        process.member.heal()
        world.member.fail(matching("list", WORKLOADS), error, None)
        await world.until(lambda: not world.held())
        assert world.read_seconds(name) + late_seconds(world, name) == world.pod_seconds()
        assert world.shown(name).status.succeeded == 1
        await process.kill()


@pytest.mark.simulated_time
@pytest.mark.parametrize("desired", ["Suspended", "Running"])
async def test_a_member_that_lets_nobody_tell_its_queue(worlds: Any, desired: str) -> None:
    """What is asked of it is told with the member's own words, and tried more and more seldom."""
    async with worlds(run_seconds=6000) as world, kueue(world):
        name = world.dispatch(labels=QUEUED, desired="Running" if desired == "Suspended" else "Suspended")
        process = Process(world)
        before = "Running" if desired == "Suspended" else "Suspended"
        await world.until(
            lambda: world.state(name) == before and world.shown(name).status.stopped is (before != "Running")
        )
        world.member.fail(matching("patch", WORKLOADS), Forbidden(403, "Forbidden", "no right"), None)
        calls, doing = len(process.member.calls), "stop" if desired == "Suspended" else "go on with"
        world.desire(name, desired)
        await asyncio.sleep(600)
        said = f"QueuedInMember: the queue lent of the member has yet to {doing} Job {TENANT}/{name}: no right"
        assert problem(world, name) == said
        tried = [call for call in process.member.calls[calls:] if (call.verb, call.resource) == ("patch", WORKLOADS)]
        assert 8 <= len(tried) <= 20
        world.member.heal()
        await world.until(lambda: world.state(name) == desired)
        await process.kill()


@pytest.mark.simulated_time
async def test_a_member_that_fails_for_a_while(worlds: Any) -> None:
    """A Job without a queue is suspended and resumed as soon as the member lets it be, and nobody else is blamed."""
    async with worlds(run_seconds=600) as world:
        name = world.dispatch()
        process = Process(world)
        await world.until(lambda: world.state(name) == "Running")
        for desired in ("Suspended", "Running"):
            world.member.fail(matching("patch", JOBS), ServerFailure(500, "InternalError", "etcd is slow"), None)
            world.desire(name, desired)
            await asyncio.sleep(60)
            assert not problem(world, name)
            world.member.heal()
            await world.until(lambda: world.state(name) == desired, 10)  # noqa: B023 - used up before the next
        await process.kill()


@pytest.mark.simulated_time
@pytest.mark.parametrize("fence", [None, 20])
async def test_what_waiting_costs(worlds: Any, fence: int | None) -> None:
    """The member is asked once a minute why a Job waits, and nothing else of it, however long that takes."""
    async with worlds() as world, kueue(world, room=False):
        name = world.dispatch(labels=QUEUED, fence=fence)
        process = Process(world)
        await world.until(lambda: NO_ROOM in problem(world, name))
        before = len(process.member.calls)
        await asyncio.sleep(600)
        asked = [(call.verb, call.resource) for call in process.member.calls[before:] if call.namespace]
        assert {*asked} == {("list", WORKLOADS)}
        assert 9 <= len(asked) <= 11
        await process.kill()
