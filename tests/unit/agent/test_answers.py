"""Answers that are lost, late, or not what was hoped for; see test_crashes.py for processes that die."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.unit.agent.world import SPACE, TENANT, Process, World

from isthmus.api.names import LABEL_HUB
from isthmus.clusters import (
    DISPATCHES,
    JOBS,
    NAMESPACES,
    PODS,
    Conflict,
    Forbidden,
    Resource,
    ServerFailure,
    TimedOut,
    TooManyRequests,
    Unreachable,
)
from isthmus.clusters.fake import matching

pytestmark = pytest.mark.simulated_time

LOST = TimedOut("no answer in time")


@asynccontextmanager
async def _running(worlds: Any, prepare: Callable[[World, str], None]) -> AsyncIterator[tuple[World, Process, str]]:
    async with worlds() as world:
        name = world.dispatch()
        prepare(world, name)
        process = Process(world)
        yield world, process, name
        await process.kill()
        process.check()


def _errors(number: int, *, side: str, verb: str, resource: Resource, error: Exception, after: bool) -> Any:
    """A way to prepare a world so that the next `number` such calls fail, carried out or not."""

    def prepare(world: World, _: str) -> None:
        cluster = world.hub if side == "hub" else world.member
        cluster.fail(matching(verb, resource), error, number, after=after)

    return prepare


@pytest.mark.parametrize("after", [False, True], ids=["not carried out", "carried out, answer lost"])
@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize(
    ("side", "verb", "resource"),
    [
        pytest.param("member", "create", NAMESPACES, id="create the namespace"),
        pytest.param("member", "create", JOBS, id="create the Job"),
        pytest.param("member", "patch", PODS, id="let pods go"),
        pytest.param("member", "list", PODS, id="list pods"),
    ],
)
async def test_unanswered_in_the_member(
    worlds: Any, side: str, verb: str, resource: Resource, number: int, after: bool
) -> None:
    """A call that a member does not answer is repeated, and does its work once."""
    prepare = _errors(number, side=side, verb=verb, resource=resource, error=LOST, after=after)
    async with _running(worlds, prepare) as (world, _, name):
        await world.until(lambda: world.state(name) == "Succeeded")
        await world.until(lambda: not any("finalizers" in pod["metadata"] for pod in world.objects(PODS)))
        assert len(world.real_jobs()[name]) == 1
        assert world.succeeded_indexes() == ["0", "1"]
        assert world.read_seconds(name) == world.pod_seconds()


@pytest.mark.parametrize("number", [1, 2, 3, 4])
@pytest.mark.parametrize("after", [False, True], ids=["not carried out", "carried out, answer lost"])
async def test_unanswered_by_the_hub(worlds: Any, number: int, after: bool) -> None:
    """Status writes of unknown outcome: the shard runs once, or is Lost and never ran; each second is read once."""

    def prepare(world: World, _: str) -> None:
        count = iter(range(100))
        world.hub.fail(
            lambda call: matching("patch", DISPATCHES)(call) and next(count) == number - 1, LOST, 1, after=after
        )

    async with _running(worlds, prepare) as (world, _, name):
        await world.until(lambda: world.state(name) in {"Succeeded", "Lost"})
        if world.state(name) == "Lost":
            assert (number, after) == (1, True)  # Accepted stands, and who wrote it doesn't know
            assert (world.real_jobs(), world.pods_ever()) == ({}, {})
        else:
            assert len(world.real_jobs()[name]) == 1
            assert world.succeeded_indexes() == ["0", "1"]
        assert world.read_seconds(name) == world.pod_seconds()


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(Unreachable("refused"), id="unreachable"),
        pytest.param(ServerFailure(500, "InternalError", "etcd is away"), id="500"),
        pytest.param(TooManyRequests(429, "TooManyRequests", "later"), id="429"),
        pytest.param(Conflict(409, "Conflict", "quota was modified"), id="409, as quotas answer under load"),
    ],
)
async def test_passing_trouble_refuses_nothing(worlds: Any, error: Exception) -> None:
    """What may pass is waited for."""
    prepare = _errors(6, side="member", verb="create", resource=JOBS, error=error, after=False)
    async with _running(worlds, prepare) as (world, _, name):
        await world.until(lambda: world.state(name) == "Succeeded")
        assert len(world.real_jobs()[name]) == 1


def _denial() -> Forbidden:
    message = 'jobs.batch is forbidden: User "isthmus" cannot create resource "jobs" in API group "batch"'
    return Forbidden(403, "Forbidden", message)


async def test_roles_not_read_yet(worlds: Any) -> None:
    """An API server that has just started, and denies what it will allow in a moment, refuses no shard."""
    prepare = _errors(4, side="member", verb="create", resource=JOBS, error=_denial(), after=False)
    async with _running(worlds, prepare) as (world, _, name):
        await world.until(lambda: world.state(name) == "Succeeded")


async def test_roles_missing(worlds: Any) -> None:
    """A member that goes on denying the create has refused the shard, in its own words."""

    def prepare(world: World, _: str) -> None:
        world.member.fail(matching("create", JOBS), _denial(), None)

    async with _running(worlds, prepare) as (world, _, name):
        await world.until(lambda: world.state(name) == "Refused")
        status = world.shown(name).status
        assert (status.reason, status.released) == ("MemberForbidden", True)
        assert "cannot create" in status.message


async def test_conflicts_with_the_hub(worlds: Any) -> None:
    """A change of the Dispatch between decision and write is read first; nothing that was decided before is written."""
    changes = iter(range(4))

    def prepare(world: World, name: str) -> None:
        def meddle(_: Any) -> None:
            found = world.hub.object(DISPATCHES, name, SPACE)
            assert found is not None
            found["metadata"].setdefault("annotations", {})["n"] = str(next(changes))
            world.hub.put(DISPATCHES, found)

        world.hub.before("patch", DISPATCHES, meddle, 4)

    async with _running(worlds, prepare) as (world, _, name):
        await world.until(lambda: world.state(name) == "Succeeded")
        assert len(world.real_jobs()[name]) == 1
        assert world.read_seconds(name) == world.pod_seconds()


async def test_cancelled_between_decision_and_accepting(worlds: Any) -> None:
    """A Dispatch that is cancelled while it is being accepted creates nothing."""

    def prepare(world: World, name: str) -> None:
        world.hub.before("patch", DISPATCHES, lambda _: world.desire(name, "Cancelled"))

    async with _running(worlds, prepare) as (world, _, name):
        await world.until(lambda: world.shown(name).status.released)
        assert (world.state(name), world.real_jobs()) == ("Cancelled", {})


async def test_somebody_elses_namespace(worlds: Any) -> None:
    """A namespace of the tenant's name without our label is not used; the shard is refused with the reason."""

    def prepare(world: World, _: str) -> None:
        world.member.put(NAMESPACES, {"metadata": {"name": TENANT, "labels": {LABEL_HUB: "another"}}})

    async with _running(worlds, prepare) as (world, _, name):
        await world.until(lambda: world.state(name) == "Refused")
        assert world.shown(name).status.reason == "MemberNamespaceTaken"
        assert world.real_jobs() == {}


async def test_member_comes_back(worlds: Any) -> None:
    """A Dispatch that came while the member was away is carried out within seconds of its return."""
    async with worlds() as world:
        process = Process(world)
        await world.until(lambda: process.profiles)
        process.member.disconnect()
        name = world.dispatch()
        await world.until(lambda: world.state(name) == "Accepted")
        await world.until(lambda: isinstance(process.errors[-1], Unreachable))
        begun = len(process.errors)
        await asyncio.sleep(60)
        process.member.heal()
        await world.until(lambda: process.errors[-1] is None, 10)
        await world.until(world.real_jobs, 0.3)
        await world.until(lambda: world.state(name) == "Succeeded")
        assert len(process.errors) > begun
        await process.kill()


async def test_hub_comes_back(worlds: Any) -> None:
    """What could not be told while the hub was away is told within seconds of its return."""
    async with worlds() as world:
        name = world.dispatch()
        process = Process(world)
        await world.until(lambda: world.state(name) == "Running")
        process.hub.disconnect()
        await asyncio.sleep(120)
        assert world.succeeded_indexes() == ["0", "1"]
        process.hub.heal()
        await world.until(lambda: world.state(name) == "Succeeded", 6)
        assert world.read_seconds(name) == world.pod_seconds()
        await process.kill()
