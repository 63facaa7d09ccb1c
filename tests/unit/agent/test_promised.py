"""Room that is promised to shards whose pods are not there yet."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.unit.agent.world import Process

from isthmus.agent.agent import pause_after
from isthmus.agent.sequence import GAP_SECONDS
from isthmus.clusters import DISPATCHES, Unreachable
from isthmus.clusters.fake import Call

pytestmark = pytest.mark.simulated_time


class Mute(Process):
    """A process that can't write a Dispatch's status: it accepts nothing."""

    async def write(self, call: Call, carry_out: Callable[[], Awaitable[Any]]) -> Any:
        """Carry out a write, but not of a Dispatch."""
        if call.resource == DISPATCHES:
            raise Unreachable("hub: connection refused")
        return await super().write(call, carry_out)


@pytest.mark.parametrize(
    ("desired", "free"),
    [
        pytest.param("Running", 13_000, id="to run"),
        pytest.param("Suspended", 16_000, id="suspended"),
        pytest.param("Cancelled", 16_000, id="cancelled"),
    ],
)
async def test_first_profile_after_a_restart(worlds: Any, desired: str, free: int) -> None:
    """The very first figures lack the room of Dispatches that nobody has accepted yet, and say that they cover them."""
    async with worlds() as world:
        world.dispatch(1, completions=1, desired=desired)
        world.dispatch(3, completions=2, desired=desired)
        process = Mute(world)
        await world.until(lambda: process.profiles)
        first = process.profiles[0]
        assert (first.free["cpu"], first.sequence, first.visible_beyond) == (free, 1, (3,))
        await process.kill()
        process.check()


async def test_counted_once_all_along(worlds: Any) -> None:
    """From a Dispatch's first profile to its end its room is taken exactly once, whatever becomes of its pods."""
    async with worlds(run_seconds=5) as world:
        process = Process(world)
        await world.until(lambda: process.profiles)
        assert process.profiles[-1].free["cpu"] == 16_000
        name = world.dispatch()
        await world.until(lambda: world.state(name) == "Succeeded")
        covering = [profile.free["cpu"] for profile in process.profiles if profile.sequence == 1]
        ended = covering.index(15_000) if 15_000 in covering else covering.index(16_000)
        assert ended > 0
        assert set(covering[:ended]) == {14_000}
        assert {profile.free["cpu"] for profile in process.profiles if profile.sequence == 0} == {16_000}
        await world.until(lambda: process.profiles[-1].free["cpu"] == 16_000)
        await process.kill()
        process.check()


async def test_number_that_never_comes(worlds: Any) -> None:
    """That a number will not come any more is told when that is so, though nothing else happens in the member."""
    async with worlds(run_seconds=10_000) as world:
        process = Process(world)
        world.dispatch(2)
        await world.until(lambda: process.profiles and process.profiles[-1].visible_beyond == (2,))
        began = asyncio.get_running_loop().time()
        await world.until(lambda: process.profiles[-1].sequence == 2)
        assert GAP_SECONDS - 1 <= asyncio.get_running_loop().time() - began <= GAP_SECONDS + 1
        await process.kill()
        process.check()


@pytest.mark.parametrize(
    ("spent", "seconds"),
    [
        pytest.param(0.0, 0.1, id="little to sum up"),
        pytest.param(0.05, 1.0, id="much to sum up"),
        pytest.param(300.0, 2.0, id="stopped for five minutes meanwhile"),
    ],
)
def test_pause_between_profiles(spent: float, seconds: float) -> None:
    """Figures are summed up for a small part of the time, and at least every 2 s, also after a stop of the process."""
    assert pause_after(spent) == pytest.approx(seconds)
