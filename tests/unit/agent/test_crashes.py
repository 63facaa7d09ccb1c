import random
from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.agent.world import Moment, Process, World

pytestmark = pytest.mark.simulated_time

ENDS = {"Succeeded", "Failed", "Cancelled", "Refused", "Lost"}
MOMENTS: tuple[Moment, ...] = ("before", "after", "late")


async def _drive(
    world: World, process: Process, name: str, *, cancel_early: bool, after: Process | None = None
) -> None:
    """What a hub does with a Dispatch, until the member is told to be empty or the process is dead.

    What a process `after` which this one comes had under way has landed before the Dispatch is cleared away.
    """

    def dead_or(holds: Callable[[], object]) -> Callable[[], object]:
        def either() -> object:
            process.check()
            return process.dead.is_set() or holds()

        return either

    if cancel_early:
        await world.until(dead_or(lambda: world.state(name) == "Running" or world.state(name) in ENDS))
    else:
        await world.until(dead_or(lambda: world.state(name) in ENDS))
    if after is not None and world.state(name) in ENDS:
        await world.until(after.landed)
    if not process.dead.is_set():
        world.desire(name, "Cancelled")
        await world.until(dead_or(lambda: world.shown(name).status.released))


def _check(world: World, name: str, *, cancel_early: bool) -> None:
    state = world.state(name)
    assert len(world.real_jobs()[name]) <= 1
    assert world.left() == []
    assert world.read_seconds(name) == world.pod_seconds()
    if state == "Lost":
        assert world.pods_ever() == {}
        assert world.real_jobs()[name] == set()
    elif state == "Succeeded":
        assert world.succeeded_indexes() == ["0", "1"]
        assert world.shown(name).status.succeeded == 2
    else:
        assert cancel_early
        assert state == "Cancelled"


@pytest.mark.parametrize("cancel_early", [False, True], ids=["to the end", "cancelled"])
@pytest.mark.parametrize("moment", MOMENTS)
async def test_killed_at_each_write(worlds: Any, moment: Moment, cancel_early: bool) -> None:
    """Killed at any write, and started afresh: one Job at most, a lost shard never ran, and every second is read."""
    async with worlds() as world:
        name = world.dispatch()
        process = Process(world)
        await _drive(world, process, name, cancel_early=cancel_early)
        writes = len(process.writes)
        await process.kill()
        _check(world, name, cancel_early=cancel_early)
    assert writes >= 10
    states = set()
    for number in range(1, writes + 1):
        async with worlds() as world:
            name = world.dispatch()
            first = Process(world, number, moment)
            await _drive(world, first, name, cancel_early=cancel_early)
            await first.kill()
            second = Process(world)
            await _drive(world, second, name, cancel_early=cancel_early, after=first)
            await second.kill()
            _check(world, name, cancel_early=cancel_early)
            states.add(world.state(name))
    assert states >= {"Lost"} | ({"Cancelled"} if cancel_early else {"Succeeded"})


@pytest.mark.parametrize("seed", range(40))
async def test_killed_again_and_again(worlds: Any, seed: int) -> None:
    """Three shards, and kills one after another at random writes: the same holds for each of them."""
    chance = random.Random(seed)  # noqa: S311 - moments to kill at need no secrecy
    async with worlds(run_seconds=chance.randint(1, 8)) as world:
        names = [world.dispatch(number, completions=chance.randint(1, 3)) for number in (1, 2, 3)]
        processes = []
        for _ in range(6):
            process = Process(world, chance.randint(1, 8), chance.choice(MOMENTS))
            await world.until(lambda: process.dead.is_set() or all(world.state(n) in ENDS for n in names))  # noqa: B023 - awaited at once
            await process.kill()
            processes.append(process)
        last = Process(world)
        await world.until(lambda: all(world.state(name) in ENDS for name in names))
        await world.until(lambda: all(process.landed() for process in processes))
        for name in names:
            world.desire(name, "Cancelled")
        await world.until(lambda: all(world.shown(name).status.released for name in names))
        assert world.left() == []
        await last.kill()
        last.check()
        ran = {pod["metadata"]["labels"]["isthmus.dev/dispatch"] for pod in world.pods_ever().values()}
        for name in names:
            state = world.state(name)
            assert state in {"Succeeded", "Lost"}
            assert len(world.real_jobs()[name]) == (1 if state == "Succeeded" else 0)
            assert (name in ran) == (state == "Succeeded")
        assert sum(world.read_seconds(name) for name in names) == world.pod_seconds()
