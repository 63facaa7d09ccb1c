import asyncio

import pytest
from tests.unit.hub.world import TEAM, Process, World, process

from isthmus.api.computejob import Money
from isthmus.api.names import node_namespace
from isthmus.clusters import COMPUTEJOBS, DISPATCHES
from isthmus.ledger import Ledger

pytestmark = pytest.mark.simulated_time


async def dispatched(world: World) -> str:
    """The name of the job's Dispatch, as soon as the job says that it is placed."""
    await world.until(lambda: world.condition("Placed") == ("True", "Dispatched"))
    return str(world.hub.objects(DISPATCHES)[0]["metadata"]["name"])


async def ended(world: World, name: str) -> None:
    """Have the node say that the shard succeeded, and wait until the job is Complete."""
    status = {"state": "Succeeded", "succeeded": 1, "completionTime": "2026-11-22T12:00:30Z"}
    await world.hub.patch(DISPATCHES, name, node_namespace("n1"), {"status": status}, subresource="status")
    await world.until(lambda: world.condition("Complete"))


async def settled(world: World, running: Process, uid: str) -> None:
    """Wait until no more is kept of the job than has to be."""
    await world.until(lambda: running.jobs.store.ended(uid))
    assert running.jobs.store.get(uid) is None


async def test_little_is_kept_of_a_job_that_has_ended(ledger: Ledger) -> None:
    """Once its end is told, its record is small and its Dispatch packed, whether this process saw it end or not."""
    world = World("n1")
    async with process(world, ledger) as running:
        uid = world.job()
        await ended(world, await dispatched(world))
        await settled(world, running, uid)
        assert list(running.store.node("n1").awake()) == []
        assert running.jobs.store.pin(uid) == (1, 1)
    async with process(world, ledger) as again:
        await settled(world, again, uid)
        assert list(again.store.node("n1").awake()) == []


@pytest.mark.parametrize("restart", [False, True])
async def test_an_ended_job_goes_when_its_time_is_over(ledger: Ledger, restart: bool) -> None:
    """Its time to live counts from its end, in this process and in the next."""
    world = World("n1")
    async with process(world, ledger) as running:
        uid = world.job(ttlSecondsAfterFinished=600)
        await ended(world, await dispatched(world))
        await settled(world, running, uid)
        if not restart:
            await world.until(lambda: "deletionTimestamp" in world.shown()["metadata"], 900)
    if restart:
        async with process(world, ledger):
            await asyncio.sleep(60)
            assert "deletionTimestamp" not in world.shown()["metadata"]
            await world.until(lambda: "deletionTimestamp" in world.shown()["metadata"], 900)


def book(running: Process, uid: str, amount: str) -> None:
    """The ledger has so much of the job now."""
    running.booking._costs[uid] = Money(amount=amount, currency="CNY")
    running.jobs.booked(uid)


def status_writes(world: World) -> int:
    """How often the job's status was written."""
    return sum(1 for call in world.hub.calls if call.resource == COMPUTEJOBS and call.subresource == "status")


@pytest.mark.parametrize("restart", [False, True])
async def test_what_is_booked_late_shows_in_the_status(ledger: Ledger, restart: bool) -> None:
    """What of an ended job's time comes to light late is added to its cost, by few writes, and else nothing changes."""
    world = World("n1")
    async with process(world, ledger) as running:
        uid = world.job()
        await ended(world, await dispatched(world))
        await settled(world, running, uid)
        before = world.shown()["status"]
        if not restart:
            await shown_late(world, running, uid)
    if restart:
        async with process(world, ledger) as again:
            await settled(world, again, uid)
            await shown_late(world, again, uid)
    after = world.shown()["status"]
    assert {**after, "cost": None} == {**before, "cost": None}


async def shown_late(world: World, running: Process, uid: str) -> None:
    """Book twice at once, and once more what is shown already."""
    before = status_writes(world)
    book(running, uid, "1.5")
    book(running, uid, "2.5")
    await world.until(lambda: world.shown()["status"].get("cost", {}).get("amount") == "2.5", 5)
    assert running.booking.cost(uid) is None
    book(running, uid, "2.5")
    await asyncio.sleep(10)
    assert running.booking.cost(uid) is None
    assert status_writes(world) == before + 1
    assert running.jobs.store.get(uid) is None


async def deleted(world: World, name: str) -> None:
    """Delete the job, and have the member let go of its shard."""
    await world.hub.delete(COMPUTEJOBS, "train", TEAM, propagation="Background")
    await world.until(lambda: world.hub.objects(DISPATCHES)[0]["spec"]["desiredState"] == "Cancelled")
    released = {"status": {"released": True}}
    await world.hub.patch(DISPATCHES, name, node_namespace("n1"), released, subresource="status")
    await world.until(lambda: not world.hub.objects(DISPATCHES) and not world.hub.objects(COMPUTEJOBS))


@pytest.mark.parametrize("restart", [False, True])
async def test_an_ended_job_is_deleted_with_its_dispatch(ledger: Ledger, restart: bool) -> None:
    """Its Dispatch is cancelled, and goes once the member has let go of it; then the job goes."""
    world = World("n1")
    async with process(world, ledger) as running:
        uid = world.job()
        name = await dispatched(world)
        await ended(world, name)
        await settled(world, running, uid)
        if not restart:
            await deleted(world, name)
    if restart:
        async with process(world, ledger) as again:
            await settled(world, again, uid)
            await deleted(world, name)


async def test_a_deletion_that_takes_too_long(ledger: Ledger) -> None:
    """A member within reach that does not clear its part away: after a minute the job says so, and goes on waiting."""
    world = World("n1")
    async with process(world, ledger):
        world.job()
        await dispatched(world)
        await world.hub.delete(COMPUTEJOBS, "train", TEAM, propagation="Background")
        await asyncio.sleep(50)
        assert world.condition("Stalled") is None
        await world.until(lambda: world.condition("Stalled") == ("True", "DeletionOverdue"), 30)
        await asyncio.sleep(60)
        assert world.hub.objects(COMPUTEJOBS)
