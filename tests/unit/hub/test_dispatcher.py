import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.hub.world import LATE_SECONDS, TEAM, Process, World, process

from isthmus.api.names import ANNOTATION_ASSIGNED, FINALIZER_JOB, node_namespace
from isthmus.clusters import (
    COMPUTEJOBS,
    DISPATCHES,
    NAMESPACES,
    ClusterError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    ServerFailure,
    TimedOut,
)
from isthmus.clusters.fake import Call, matching
from isthmus.ledger import Ledger

pytestmark = pytest.mark.simulated_time

N1, N2 = node_namespace("n1"), node_namespace("n2")
TIMED_OUT = TimedOut("no answer in 10 s")
FORBIDDEN = Forbidden(403, "Forbidden", "no")


def pinning(call: Call) -> bool:
    """Whether the call writes the chosen node on a job."""
    return (
        call.verb == "patch"
        and call.resource == COMPUTEJOBS
        and isinstance(call.body, dict)
        and "annotations" in call.body.get("metadata", {})
    )


def dispatches(world: World) -> list[dict[str, Any]]:
    """All Dispatches that there are."""
    return world.hub.objects(DISPATCHES)


async def test_the_pin_stands_before_any_dispatch(ledger: Ledger) -> None:
    """When the create is sent, the job bears the finalizer and the chosen node already."""
    world = World("n1", "n2")
    seen: list[tuple[str, list[str], str]] = []

    def look(call: Call) -> None:
        metadata = world.shown()["metadata"]
        annotations = metadata.get("annotations", {})
        seen.append((annotations.get(ANNOTATION_ASSIGNED, ""), metadata.get("finalizers", []), call.namespace or ""))

    world.hub.before("create", DISPATCHES, look)
    async with process(world, ledger) as running:
        uid = world.job()
        await world.until(lambda: dispatches(world))
        await world.until(lambda: world.condition("Placed") == ("True", "Dispatched"))
        (pin, finalizers, namespace) = seen[0]
        assert node_namespace(pin.removeprefix("1 ")) == namespace
        assert finalizers == [FINALIZER_JOB]
        assert world.written() == {(uid, 1): {namespace}}
        record = running.jobs.store.get(uid)
        assert record is not None
        assert not record.dispatching


@pytest.mark.parametrize("error", [TIMED_OUT, ServerFailure(500, "", "etcd"), Conflict(409, "Conflict", "changed")])
@pytest.mark.parametrize("landed", [False, True], ids=["not-landed", "landed"])
@pytest.mark.parametrize("at", ["pin", "create"])
async def test_a_write_of_unknown_outcome_is_repeated_for_the_same_node(
    ledger: Ledger, error: ClusterError, landed: bool, at: str
) -> None:
    """Whether it landed or not, one Dispatch comes of it, on the node first chosen, though another has more room."""
    world = World("n1", "n2")
    chosen: list[str] = []
    first: Callable[[Call], bool] = pinning if at == "pin" else matching("create", DISPATCHES)
    world.hub.fail(first, error, times=3, after=landed)
    async with process(world, ledger) as running:
        uid = world.job()
        await world.until(lambda: any(pinning(call) for call in world.hub.calls))
        body = next(call.body for call in world.hub.calls if pinning(call))
        assert isinstance(body, dict)
        chosen.append(body["metadata"]["annotations"][ANNOTATION_ASSIGNED].split()[1])
        running.room(chosen[0], 1)
        await world.until(lambda: world.condition("Placed") == ("True", "Dispatched"))
        await asyncio.sleep(60)
        assert world.written() == {(uid, 1): {node_namespace(chosen[0])}}
        assert list(running.assumed()) == chosen


async def test_a_refusal_after_a_write_of_unknown_outcome_moves_nothing(ledger: Ledger) -> None:
    """A create that lands late lands where the job still is, whatever was answered to later tries."""
    world = World("n1", "n2")
    world.hub.before("create", DISPATCHES, world.late)
    async with process(world, ledger):
        await asyncio.sleep(100)  # pins of a former process hold no longer
        uid = world.job()
        await world.until(lambda: world.hub.requests["create"] >= 2)
        chosen = next(call.namespace for call in world.hub.calls if call.resource == DISPATCHES and call.body)
        world.hub.fail(lambda call: call.verb == "create" and call.namespace == chosen, FORBIDDEN, times=None)
        await asyncio.sleep(LATE_SECONDS * 3)
        assert len(world.written()[uid, 1]) == 1
        await world.until(lambda: world.condition("Placed") == ("True", "Dispatched"))


async def test_a_conflict_at_the_pin_reads_the_job_anew(ledger: Ledger) -> None:
    """A change of the job between reading and pinning costs a second look, no more."""
    world = World("n1")
    world.hub.before("patch", COMPUTEJOBS, lambda _: world.change(priority=7))
    async with process(world, ledger):
        world.job()
        await world.until(lambda: dispatches(world))
        assert sum(pinning(call) for call in world.hub.calls) == 2
        assert world.shown()["spec"]["priority"] == 7


@pytest.mark.parametrize(
    "meanwhile",
    [
        pytest.param(lambda world: world.change(suspend=True), id="suspended"),
        pytest.param(lambda world: world.change(cancel=True), id="cancelled"),
        pytest.param(lambda world: world.hub.remove(COMPUTEJOBS, "train", TEAM), id="gone"),
        pytest.param(
            lambda world: world.hub._lifecycle.deleted(
                COMPUTEJOBS, (TEAM, "train"), uid=None, propagation=None, grace_seconds=None
            ),
            id="deleted",
        ),
    ],
)
async def test_a_job_stopped_meanwhile_gets_no_dispatch(ledger: Ledger, meanwhile: Callable[[World], None]) -> None:
    """A job that is stopped while it is pinned is not dispatched, and its room is free again."""
    world = World("n1")

    def interfere(call: Call) -> None:
        if pinning(call):
            meanwhile(world)

    world.hub.before("patch", COMPUTEJOBS, interfere)
    await _pinned_and_not_dispatched(world, ledger)


async def _pinned_and_not_dispatched(world: World, ledger: Ledger) -> None:
    """A job's pin is tried, no Dispatch comes of it, and its room is free again."""
    async with process(world, ledger) as running:
        world.job()
        await asyncio.sleep(30)
        assert any(pinning(call) for call in world.hub.calls)
        assert dispatches(world) == []
        assert running.assumed() == {}


@pytest.mark.parametrize("change", [{"suspend": True}, {"cancel": True}], ids=["suspended", "cancelled"])
async def test_a_job_stopped_after_its_pin_gets_no_dispatch(ledger: Ledger, change: dict[str, Any]) -> None:
    """Where the pin's answer was lost and the job stopped since, the next try looks before it goes on."""
    world = World("n1")

    def interfere(call: Call) -> None:
        if pinning(call):
            world.change(**change)
            raise TIMED_OUT

    world.hub.after("patch", COMPUTEJOBS, interfere)
    await _pinned_and_not_dispatched(world, ledger)


async def test_a_job_is_not_told_cancelled_while_its_dispatch_may_come(ledger: Ledger) -> None:
    """Cancelled is an end: it is not told before it is known that no shard is on its way."""
    world = World("n1")
    world.hub.fail(matching("create", DISPATCHES), TIMED_OUT, times=5)
    async with process(world, ledger):
        world.job()
        await world.until(lambda: world.hub.requests["create"] >= 2)
        world.change(cancel=True)
        await world.until(lambda: dispatches(world))
        await asyncio.sleep(5)
        assert [each["spec"].get("desiredState") for each in dispatches(world)] == ["Cancelled"]
        assert world.shown()["status"]["phase"] == "Dispatched"


async def test_a_job_suspended_and_resumed_is_dispatched(ledger: Ledger) -> None:
    """What was given up while the job was suspended is taken up when it is resumed."""
    world = World("n1")
    world.hub.fail(matching("create", DISPATCHES), FORBIDDEN, times=1)
    async with process(world, ledger) as running:
        world.job()
        await world.until(lambda: world.shown()["metadata"].get("annotations"))
        world.change(suspend=True)
        await asyncio.sleep(30)
        assert dispatches(world) == []
        running.room("n1", 64)
        world.change(suspend=False)
        await world.until(lambda: dispatches(world))


@pytest.mark.parametrize("landed", [False, True], ids=["late", "at-once"])
async def test_a_job_cancelled_while_its_dispatch_is_written(ledger: Ledger, landed: bool) -> None:
    """No Dispatch outlives the cancellation of its job, not even one that comes after it."""
    world = World("n1")
    if landed:
        world.hub.after("create", DISPATCHES, lambda _: world.change(cancel=True))
    else:
        world.hub.before("create", DISPATCHES, world.late)
    running = Process(world, ledger)
    world.job()
    await world.until(lambda: world.hub.requests["create"] >= 2)
    if not landed:
        await running.kill()  # its create is under way
        world.change(cancel=True)
        running = Process(world, ledger)
        await world.until(lambda: world.shown().get("status", {}).get("phase") == "Cancelled")
        assert dispatches(world) == []
    await asyncio.sleep(LATE_SECONDS * 2)
    assert [each["spec"].get("desiredState") for each in dispatches(world)] == ["Cancelled"]
    await running.kill()


async def test_a_missing_namespace_is_made(ledger: Ledger) -> None:
    """A node's namespace that somebody deleted is made anew, and the Dispatch in it."""
    world = World("n1")
    world.hub.remove(NAMESPACES, N1)
    async with process(world, ledger):
        world.job()
        await world.until(lambda: dispatches(world))
        assert world.hub.object(NAMESPACES, N1) is not None


@pytest.mark.parametrize("error", [FORBIDDEN, Invalid(422, "Invalid", "too long")], ids=["forbidden", "invalid"])
async def test_a_refused_dispatch_is_told_and_tried_again(ledger: Ledger, error: ClusterError) -> None:
    """The job says why it is not placed, its room is free meanwhile, and it is placed once the refusal is over."""
    world = World("n1")
    world.hub.fail(matching("create", DISPATCHES), error, times=None)
    async with process(world, ledger) as running:
        world.job()
        await world.until(lambda: world.condition("Placed") == ("False", "DispatchFailed"))
        await world.until(lambda: not running.assumed())
        tries = len(world.hub.calls)
        for _ in range(6):
            running.room("n1", 64)
            await asyncio.sleep(10)
        creates = [call for call in world.hub.calls[tries:] if call.resource == DISPATCHES]
        assert 5 <= len(creates) <= 15
        assert dispatches(world) == []
        world.hub.heal()
        running.room("n1", 64)
        await world.until(lambda: world.condition("Placed") == ("True", "Dispatched"), seconds=10)


async def test_a_dispatch_of_a_former_process_is_taken_up(ledger: Ledger) -> None:
    """Where the Dispatch is there already, its own number counts, and its room is subtracted once."""
    world = World("n1")
    former = Process(world, ledger)
    assert [former.fleet.next_sequence("n1") for _ in range(3)] == [1, 2, 3]
    world.hub.before("create", DISPATCHES, world.late)
    world.job()
    await world.until(lambda: world.hub.requests["create"] >= 2)
    await former.kill()
    body = next(call.body for call in world.hub.calls if call.verb == "create" and call.resource == DISPATCHES)
    assert isinstance(body, dict)
    world.hub.before(
        "create",
        DISPATCHES,
        lambda _: world.hub._lifecycle.created(DISPATCHES, body, N1, dry_run=False),
    )
    async with process(world, ledger) as running:
        await world.until(lambda: world.condition("Placed") == ("True", "Dispatched"))
        assert [each["spec"]["sequence"] for each in dispatches(world)] == [4]
        assert running.assumed() == {"n1": [4]}


@pytest.mark.parametrize("seed", range(40))
async def test_never_two_dispatches_of_one_attempt(ledger: Ledger, seed: int) -> None:
    """Whatever fails, lands late, is killed, suspended or filled up, in whatever order: one Dispatch in the end."""
    draw = random.Random(seed)  # noqa: S311 - a test's own dice
    world = World("n1", "n2")
    errors = [TIMED_OUT, FORBIDDEN, NotFound(404, "NotFound", "no"), Conflict(409, "Conflict", "no")]

    def strike(call: Call) -> None:
        if call.resource == DISPATCHES and call.verb == "create" and draw.random() < 0.3:
            world.late(call)
        if draw.random() < 0.4:
            raise draw.choice(errors)

    def strike_after(_: Call) -> None:
        if draw.random() < 0.2:
            raise TIMED_OUT

    world.hub.before("write", None, strike, times=None)
    world.hub.after("write", None, strike_after, times=None)
    running = Process(world, ledger)
    uid = world.job()
    for _ in range(12):
        match draw.randrange(4):
            case 0:
                await running.kill()
                running = Process(world, ledger)
            case 1:
                world.change(suspend=draw.random() < 0.5)
            case _:
                running.room(draw.choice(world.nodes), draw.choice([0, 64]))
        await asyncio.sleep(draw.choice([0, 0.01, 0.3, 2, 20, 70]))
    world.hub.heal()
    world.change(suspend=False)
    for node in world.nodes:
        running.room(node, 64)
    await world.until(lambda: world.condition("Placed") == ("True", "Dispatched"))
    await asyncio.sleep(LATE_SECONDS * 2)
    await running.kill()
    assert {key: len(namespaces) for key, namespaces in world.written().items()} == {(uid, 1): 1}
    assert len(dispatches(world)) == 1
