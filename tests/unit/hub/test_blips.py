"""A member that is out of reach for a moment."""

import asyncio

import pytest
from tests.unit.hub.members import dispatches
from tests.unit.hub.world import World, now, process

from isthmus.clusters import COMPUTEJOBS
from isthmus.hub.nodestatus import LASTING_SECONDS
from isthmus.ledger import Ledger

pytestmark = pytest.mark.simulated_time
JOBS = 5


def _writes(world: World) -> int:
    return sum(1 for call in world.hub.calls if call.is_write and call.resource == COMPUTEJOBS)


def _reasons(world: World) -> list[str | None]:
    return [each.get("status", {}).get("reason") for each in dispatches(world)]


async def test_a_blip_and_an_outage(ledger: Ledger) -> None:
    """A watch that is back at once costs nothing, and no shard that was not taken yet; an outage is told after 5 s."""
    world = World("n1")
    async with process(world, ledger) as running:
        for number in range(JOBS):
            world.job(f"j{number}")
        await world.until(lambda: len(dispatches(world)) == JOBS)
        await asyncio.sleep(15)
        before, known = _writes(world), running.fleet.get("n1")
        assert known is not None

        def turn(problem: tuple[str, str] | None) -> None:
            known.facts.troubled(problem, now(), asyncio.get_running_loop().time())
            for dispatch in running.store.node("n1").live():
                running.jobs.queue.add(dispatch.spec.job.uid)

        turn(("Unreachable", "reset"))
        await asyncio.sleep(0.5)
        turn(None)
        await asyncio.sleep(10)
        assert _writes(world) == before
        assert _reasons(world) == [None] * JOBS
        turn(("Unreachable", "reset"))
        await asyncio.sleep(4.5)
        assert _writes(world) == before
        await world.until(lambda: _reasons(world) == ["NeverAccepted"] * JOBS, 3)


async def test_a_deletion_just_after_contact_was_lost(ledger: Ledger) -> None:
    """A job that is deleted before its node counts as out of reach says so once it does, and not a minute later."""
    world = World("n1")
    async with process(world, ledger) as running:
        world.job()
        await world.until(lambda: dispatches(world))
        known = running.fleet.get("n1")
        assert known is not None
        known.facts.troubled(("Unreachable", "reset"), now(), asyncio.get_running_loop().time())
        metadata = world.shown()["metadata"]
        await world.hub.delete(COMPUTEJOBS, metadata["name"], metadata["namespace"], propagation="Background")
        began = asyncio.get_running_loop().time()
        await world.until(lambda: world.condition("Stalled") == ("True", "NodeUnreachable"), 20)
        assert LASTING_SECONDS - 0.5 <= asyncio.get_running_loop().time() - began <= LASTING_SECONDS + 2
