"""What an agent makes of a member that will not have a Job, above all after a create whose outcome is unknown."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from tests.unit.agent.world import Process, World

from isthmus.api.names import LABEL_PLACEHOLDER
from isthmus.clusters import JOBS, ClusterError, Forbidden, Invalid, TimedOut
from isthmus.clusters.fake import Call

pytestmark = pytest.mark.simulated_time

QUOTA = Forbidden(403, "Forbidden", "exceeded quota: team, requested: count/jobs.batch=1, used: 1, limited: 1")
POLICY = Invalid(422, "Invalid", "admission webhook: image not allowed")
ENDS = {"Succeeded", "Failed", "Cancelled", "Refused", "Lost"}


class Picky(Process):
    """A process whose first create of a Job has no answer and lands `lands` seconds later; the next are refused.

    Without `lands` the first one is refused too. Where `admits` the placeholder, it gets in.
    """

    def __init__(self, world: World, refusal: ClusterError, *, lands: float | None, admits: bool) -> None:
        super().__init__(world)
        self.refusal = refusal
        self.lands = lands
        self.admits = admits
        self.creates = 0

    async def write(self, call: Call, carry_out: Callable[[], Awaitable[Any]]) -> Any:
        """Carry out a write, where it is not a Job's create."""
        if call.verb != "create" or call.resource != JOBS:
            return await super().write(call, carry_out)
        assert isinstance(call.body, dict)
        if LABEL_PLACEHOLDER in call.body["metadata"]["labels"] and self.admits:
            return await super().write(call, carry_out)
        self.creates += 1
        if self.creates == 1 and self.lands is not None:
            self._late.append(asyncio.create_task(self._arrive(self.lands, carry_out)))
            raise TimedOut("member: no answer")
        raise self.refusal

    @staticmethod
    async def _arrive(seconds: float, carry_out: Callable[[], Awaitable[Any]]) -> None:
        await asyncio.sleep(seconds)
        with suppress(ClusterError):
            await carry_out()


async def _end(world: World, process: Process, name: str) -> None:
    """Have the hub clear the Dispatch away, and check that nothing is left and all of it was read."""
    await world.until(process.landed)
    world.desire(name, "Cancelled")
    await world.until(lambda: world.shown(name).status.released and not world.left())
    assert world.read_seconds(name) == world.pod_seconds()
    await process.kill()
    process.check()


async def test_plain_refusal(worlds: Any) -> None:
    """A create that the member refuses ends the Dispatch at once, and nothing stands in the member."""
    async with worlds() as world:
        name = world.dispatch()
        process = Picky(world, POLICY, lands=None, admits=True)
        await world.until(lambda: world.state(name) in ENDS)
        status = world.shown(name).status
        assert (status.state, status.reason, status.released) == ("Refused", "MemberInvalid", True)
        assert process.creates == 1
        assert world.left() == []
        await _end(world, process, name)


async def test_refused_while_a_create_is_under_way(worlds: Any) -> None:
    """Where not even the placeholder gets in, no refusal is written until the create lands: that Job is the shard's."""
    async with worlds() as world:
        name = world.dispatch()
        process = Picky(world, QUOTA, lands=4, admits=False)
        states = set()

        def ended() -> bool:
            states.add(world.state(name))
            return world.state(name) in ENDS

        await world.until(ended)
        assert states <= {"", "Accepted", "Running", "Succeeded"}
        assert process.creates >= 3
        assert len(world.real_jobs()[name]) == 1
        assert world.succeeded_indexes() == ["0", "1"]
        await _end(world, process, name)


async def test_refused_with_the_name_held(worlds: Any) -> None:
    """Where the placeholder gets in, the refusal is written, and the earlier create can't land any more."""
    async with worlds() as world:
        name = world.dispatch()
        process = Picky(world, POLICY, lands=20, admits=True)
        await world.until(lambda: world.state(name) in ENDS)
        status = world.shown(name).status
        assert (status.state, status.reason, status.message) == ("Refused", "MemberInvalid", POLICY.message)
        assert not status.released
        await world.until(process.landed)
        assert world.real_jobs()[name] == set()
        assert world.pods_ever() == {}
        await _end(world, process, name)


async def test_stray_of_a_refused_shard(worlds: Any) -> None:
    """A Job that landed though its Dispatch was refused and told to be clear is deleted, and its pods are read."""
    async with worlds(run_seconds=3600) as world:
        name = world.dispatch()
        first = Picky(world, POLICY, lands=None, admits=True)
        await world.until(lambda: world.shown(name).status.released)
        await first.kill()
        world.member.put(JOBS, world.shown(name).spec.manifest)
        await asyncio.sleep(10)
        assert [pod["status"]["phase"] for pod in world.pods_ever().values()] == ["Running", "Running"]
        process = Process(world)
        await world.until(lambda: not world.left(), 60)
        assert world.state(name) == "Refused"
        assert world.pod_seconds() >= 18
        await _end(world, process, name)
