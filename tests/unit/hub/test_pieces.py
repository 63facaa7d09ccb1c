import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.hub.members import (
    Members,
    check_all_done,
    check_history,
    dispatches,
    indexes_of,
    live,
    node_of,
    report,
)
from tests.unit.hub.world import LATE_SECONDS, Process, World, process

from isthmus.api.indexes import IndexSet
from isthmus.api.names import ANNOTATION_ASSIGNED, node_namespace
from isthmus.clusters import COMPUTEJOBS, DISPATCHES, Conflict, Forbidden, NotFound, TimedOut
from isthmus.clusters.fake import Call
from isthmus.hub.scheduler import PIN_SECONDS
from isthmus.ledger import Ledger

pytestmark = pytest.mark.simulated_time

FORBIDDEN = Forbidden(403, "Forbidden", "no")
SPLIT = {"split": "ByIndex"}
EIGHT = {"completionMode": "Indexed", "completions": 8, "parallelism": 8}


def crowded(running: Process) -> None:
    """Each node has room for four pods, and what was sent to it is in its figures."""
    Members(running.world, random.Random(0)).tell_room(running)  # noqa: S311 - draws nothing


def split_job(world: World, **fields: Any) -> str:
    """A job of eight indexes that no node has room for."""
    return world.job(fields={**EIGHT, **fields}, placement=SPLIT)


def creates(world: World) -> list[Call]:
    """All tries to write a Dispatch."""
    return [call for call in world.hub.calls if call.verb == "create" and call.resource == DISPATCHES]


def covered(world: World) -> list[int]:
    """The indexes of all live Dispatches."""
    return sorted(index for each in dispatches(world) if live(each) for index in indexes_of(each))


def pins(call: Call) -> bool:
    """Whether the call writes the chosen nodes on the job."""
    body = call.body if isinstance(call.body, dict) else {}
    return call.verb == "patch" and call.resource == COMPUTEJOBS and "annotations" in body.get("metadata", {})


async def finish(world: World, running: Process, completions: int = 8) -> None:
    """Have everything run to its end."""
    members = Members(world, random.Random(1))  # noqa: S311 - a test's own dice

    def done() -> bool:
        members.look(running)
        return bool(world.shown().get("status", {}).get("phase") == "Succeeded")

    await world.until(done, seconds=900)
    check_history(world)
    check_all_done(world, completions)
    assert not any(live(each) for each in dispatches(world))


async def test_a_job_is_divided_over_two_nodes(ledger: Ledger) -> None:
    """What no node has room for stands on two, each with its part, under one attempt that is pinned to both."""
    world = World("n1", "n2")
    async with process(world, ledger) as running:
        crowded(running)
        split_job(world)
        await world.until(lambda: len(dispatches(world)) == 2)
        first, second = dispatches(world)
        assert [str(indexes_of(each)) for each in (first, second)] == ["0-3", "4-7"]
        assert [each["spec"]["shard"] for each in (first, second)] == [0, 1]
        pin = world.shown()["metadata"]["annotations"][ANNOTATION_ASSIGNED]
        assert pin.split() == ["1", node_of(first), node_of(second)]
        await finish(world, running)


KILLS: list[Any] = [
    pytest.param(0, id="after-the-pin"),
    pytest.param(1, id="after-the-first-dispatch"),
    pytest.param(2, id="after-both"),
]


@pytest.mark.parametrize("written", KILLS)
@pytest.mark.parametrize("late", [False, True], ids=["nothing-lands", "lands-late"])
async def test_a_hub_killed_on_its_way(ledger: Ledger, written: int, late: bool) -> None:
    """Killed after so many of two creates, of which the others are lost or land late: each index stands once."""
    world = World("n1", "n2")
    sent: list[Call] = []

    def strike(call: Call) -> None:
        sent.append(call)
        if len(sent) > written:
            if late:
                world.late(call)
            raise TimedOut("no answer in 10 s")

    world.hub.before("create", DISPATCHES, strike, times=None)
    running = Process(world, ledger)
    crowded(running)
    split_job(world)
    await world.until(lambda: len(sent) >= 2)
    await running.kill()
    world.hub.heal()
    assert len(dispatches(world)) == written
    async with process(world, ledger) as running:
        crowded(running)
        began = asyncio.get_running_loop().time()
        await asyncio.sleep(PIN_SECONDS - 5)
        assert len(dispatches(world)) == (2 if late or written else 0)
        await world.until(lambda: covered(world) == [*range(8)])
        if late or written:
            assert asyncio.get_running_loop().time() - began < PIN_SECONDS
        assert [(each["spec"]["attempt"], each["spec"]["shard"]) for each in dispatches(world)] == [(1, 0), (1, 1)]
        await finish(world, running)


@pytest.mark.parametrize("late", [False, True], ids=["nothing-lands", "lands-late"])
async def test_the_missing_one_of_two_is_written_at_once(ledger: Ledger, late: bool) -> None:
    """Where one Dispatch of an attempt is missing after a kill, it is written under its own name without a wait.

    By then more may be done than when the former process made up its part: only one of the two is ever there.
    """
    world = World("n1", "n2")

    def strike(call: Call) -> None:
        if call.namespace == node_namespace("n2"):
            if late:
                world.late(call)
            raise TimedOut("no answer in 10 s")

    world.hub.before("create", DISPATCHES, strike, times=None)
    running = Process(world, ledger)
    crowded(running)
    split_job(world)
    await world.until(lambda: len(creates(world)) >= 2)
    await running.kill()
    world.hub.heal()
    (first,) = dispatches(world)
    report(world, first, "Lost", IndexSet.of([1]))
    async with process(world, ledger) as running:
        crowded(running)
        await world.until(lambda: len(dispatches(world)) >= 2, seconds=5)
        assert [(each["spec"]["attempt"], each["spec"]["shard"]) for each in dispatches(world)[:2]] == [(1, 0), (1, 1)]
        await asyncio.sleep(LATE_SECONDS * 2)
        crowded(running)
        await finish(world, running)
        assert len({each["metadata"]["name"] for each in dispatches(world)}) == len(dispatches(world))


async def test_one_of_two_creates_lands_late(ledger: Ledger) -> None:
    """A piece of which nobody knows whether it was written is not given to another node; the other one runs."""
    world = World("n1", "n2", "n3")
    async with process(world, ledger) as running:
        await asyncio.sleep(PIN_SECONDS + 1)
        crowded(running)
        world.hub.before("create", DISPATCHES, world.late)
        split_job(world)
        await world.until(lambda: creates(world))
        first = creates(world)[0]
        world.hub.fail(lambda call: call.verb == "create" and call.namespace == first.namespace, FORBIDDEN, times=None)
        await world.until(lambda: len(dispatches(world)) == 1)
        crowded(running)
        await asyncio.sleep(LATE_SECONDS * 2)
        assert len(dispatches(world)) == 2
        assert covered(world) == [*range(8)]
        world.hub.heal()
        crowded(running)
        await finish(world, running)


async def test_one_of_two_pieces_is_refused_for_good(ledger: Ledger) -> None:
    """What a node's piece was for goes to another node, as a further attempt, while the other piece stands."""
    world = World("n1", "n2", "n3")
    async with process(world, ledger) as running:
        await asyncio.sleep(PIN_SECONDS + 1)
        crowded(running)
        world.hub.fail(
            lambda call: call.verb == "create" and call.namespace == node_namespace("n1"), FORBIDDEN, times=None
        )
        split_job(world)
        await world.until(lambda: covered(world) == [*range(8)])
        shards = dispatches(world)
        assert "n1" not in {node_of(each) for each in shards}
        assert [each["spec"]["attempt"] for each in shards] in ([1, 1], [1, 2])
        await finish(world, running)


async def test_a_piece_refused_soon_after_a_start_waits_for_the_pin(ledger: Ledger) -> None:
    """As long as a former process's creates may land, nobody else gets the part; then another node does."""
    world = World("n1", "n2", "n3")
    async with process(world, ledger) as running:
        crowded(running)
        denied: list[str] = []

        def deny(call: Call) -> None:
            denied[:] = denied or [call.namespace or ""]
            if call.namespace == denied[0]:
                raise FORBIDDEN

        world.hub.before("create", DISPATCHES, deny, times=None)
        split_job(world)
        await world.until(lambda: len(dispatches(world)) == 1)
        await asyncio.sleep(PIN_SECONDS / 2)
        assert len(dispatches(world)) == 1
        await world.until(lambda: covered(world) == [*range(8)])
        assert [each["spec"]["attempt"] for each in dispatches(world)] == [1, 2]
        await finish(world, running)


@pytest.mark.parametrize(
    "meanwhile",
    [
        pytest.param(lambda world: world.change(suspend=True), id="suspended"),
        pytest.param(lambda world: world.change(cancel=True), id="cancelled"),
        pytest.param(lambda world: world.hub.remove(COMPUTEJOBS, "train", "team-a"), id="deleted"),
    ],
)
async def test_a_job_stopped_between_its_pin_and_its_pieces(
    ledger: Ledger, meanwhile: Callable[[World], object]
) -> None:
    """Not one of the pieces is written, or each that is is taken back; no room stays subtracted."""
    world = World("n1", "n2")
    struck: list[Call] = []

    def strike(call: Call) -> None:
        if pins(call) and not struck:
            struck.append(call)
            meanwhile(world)

    world.hub.after("patch", COMPUTEJOBS, strike, times=None)
    async with process(world, ledger) as running:
        crowded(running)
        split_job(world)
        await asyncio.sleep(30)
        assert struck
        wishes = {each["spec"].get("desiredState", "Running") for each in dispatches(world)}
        assert wishes <= {"Suspended", "Cancelled"}
        for each in dispatches(world):
            report(world, each, "Cancelled")
        await asyncio.sleep(10)
        assert not any(live(each) for each in dispatches(world))
        crowded(running)
        assert running.assumed() == {}


async def test_a_late_word_before_the_create(ledger: Ledger) -> None:
    """What a lost shard turns out to have done, after its rest was assigned and before it is sent, is not run again."""
    world = World("n1", "n2")
    async with process(world, ledger) as running:
        await asyncio.sleep(PIN_SECONDS + 1)
        crowded(running)
        split_job(world)
        await world.until(lambda: len(dispatches(world)) == 2)
        first, second = dispatches(world)
        report(world, second, "Running")
        world.hub.fail(pins, TimedOut("no answer"), times=3)
        report(world, first, "Lost", IndexSet.of([0]))
        await world.until(lambda: sum(map(pins, world.hub.calls)) == 2)
        crowded(running)
        report(world, first, "Lost", IndexSet.of([2, 3]), lateIndexes="2,3")
        await world.until(lambda: len(dispatches(world)) == 3)
        assert str(indexes_of(dispatches(world)[-1])) == "1"
        await finish(world, running)


async def test_a_drain_of_both_nodes(ledger: Ledger) -> None:
    """Each piece of a drained node is moved, and what it has done stays done."""
    world = World("n1", "n2", "n3")
    async with process(world, ledger) as running:
        await asyncio.sleep(PIN_SECONDS + 1)
        crowded(running)
        split_job(world)
        await world.until(lambda: len(dispatches(world)) == 2)
        for each in dispatches(world):
            report(world, each, "Running", IndexSet.of([*indexes_of(each)][:2]))
        left = {node_of(each) for each in dispatches(world)}
        for node in left:
            running.state(node, "Drained")
        await world.until(lambda: [each["spec"].get("desiredState") for each in dispatches(world)] == ["Cancelled"] * 2)
        for each in dispatches(world):
            report(world, each, "Cancelled")
        await asyncio.sleep(2)
        crowded(running)
        await world.until(lambda: len(dispatches(world)) == 3)
        last = dispatches(world)[-1]
        assert node_of(last) not in left
        assert str(indexes_of(last)) == "2,3,6,7"
        await finish(world, running)


async def test_a_resumed_job_continues_with_what_is_missing(ledger: Ledger) -> None:
    """While it is suspended nothing new is sent, not even for a piece that was lost; resumed, just that is."""
    world = World("n1", "n2")
    async with process(world, ledger) as running:
        await asyncio.sleep(PIN_SECONDS + 1)
        crowded(running)
        split_job(world)
        await world.until(lambda: len(dispatches(world)) == 2)
        first, second = dispatches(world)
        report(world, first, "Running", IndexSet.of([0]))
        report(world, second, "Running", IndexSet.of([4, 5]))
        world.change(suspend=True)
        await world.until(lambda: {each["spec"]["desiredState"] for each in dispatches(world)} == {"Suspended"})
        report(world, first, "Lost")
        report(world, second, "Suspended")
        crowded(running)
        await asyncio.sleep(30)
        assert len(dispatches(world)) == 2
        assert world.shown()["status"]["phase"] == "Suspended"
        world.change(suspend=False)
        await world.until(lambda: len(dispatches(world)) == 3)
        assert str(indexes_of(dispatches(world)[-1])) == "1-3"
        assert {each["spec"].get("desiredState", "Running") for each in dispatches(world)[1:]} == {"Running"}
        await finish(world, running)


ERRORS = [TimedOut("no answer"), FORBIDDEN, NotFound(404, "NotFound", "no"), Conflict(409, "Conflict", "no")]


def unruly(world: World, draw: random.Random) -> None:
    """From now on writes fail, are carried out unheard, or land late."""

    def strike(call: Call) -> None:
        if call.resource == DISPATCHES and call.verb == "create" and draw.random() < 0.3:
            world.late(call)
        if draw.random() < 0.25:
            raise draw.choice(ERRORS)

    def strike_after(_: Call) -> None:
        if draw.random() < 0.15:
            raise TimedOut("no answer")

    world.hub.before("write", None, strike, times=None)
    world.hub.after("write", None, strike_after, times=None)


async def turn(world: World, running: Process, members: Members, draw: random.Random, ledger: Ledger) -> Process:
    """Something happens; the process that runs from then on."""
    match draw.randrange(9):
        case 0:
            await running.kill()
            running = Process(world, ledger)
        case 1:
            world.change(suspend=draw.random() < 0.3)
        case 2:
            running.state(draw.choice(world.nodes), draw.choice(["Drained", "Active", "Active"]))
        case _:
            members.look(running)
    return running


@pytest.mark.parametrize("seed", range(60))
async def test_a_storm(ledger: Ledger, seed: int) -> None:
    """Whatever is killed, lost, drained, suspended or lands late, in whatever order: each index stands once at a time.

    In the end each is completed, by one Dispatch or, where word of it came late, counted once; and the job ends.
    """
    draw = random.Random(seed)  # noqa: S311 - a test's own dice
    world = World("n1", "n2", "n3")
    completions, parallelism = draw.choice([7, 12, 25]), draw.choice([6, 10, 12])
    members = Members(world, draw)
    members.chance_of_loss = draw.choice([0.02, 0.1])
    unruly(world, draw)
    running = Process(world, ledger)
    world.job(fields={**EIGHT, "completions": completions, "parallelism": parallelism}, placement=SPLIT)
    for _ in range(40):
        running = await turn(world, running, members, draw, ledger)
        await asyncio.sleep(draw.choice([0, 0.01, 0.3, 2, 20]))
    world.hub.heal()
    members.chance_of_loss = 0.0
    world.change(suspend=False)
    for node in world.nodes:
        running.state(node, "Active")

    def done() -> bool:
        members.look(running)
        return bool(world.shown().get("status", {}).get("phase") == "Succeeded")

    await world.until(done, seconds=3600)
    await asyncio.sleep(LATE_SECONDS * 2)
    await running.kill()
    check_history(world, late=members.late)
    check_all_done(world, completions, late=members.late)
    assert world.shown()["status"]["succeeded"] == completions
    assert not any(live(each) and each["spec"].get("desiredState") != "Cancelled" for each in dispatches(world))
