import asyncio
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from tests.unit.hub.authorizer import Authorizer
from tests.unit.hub.standinghub import StandingHub, standing_hub
from tests.unit.hub.test_scheduler import demand
from tests.unit.hub.world import compute_node
from tests.waiting import eventually

from isthmus.clusters import COMPUTENODES, Forbidden, Unreachable
from isthmus.clusters.fake import matching
from isthmus.errors import HubError, LedgerError, MissingPermissionError
from isthmus.hub import permissions, process, readiness, vital
from isthmus.hub.standing import Standing
from isthmus.ledger import Ledger
from isthmus.placement import Snapshot


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is told after seconds is told at once."""
    monkeypatch.setattr(readiness, "BROKEN_SECONDS", 0.05)
    monkeypatch.setattr(permissions, "MISSING_SECONDS", 0.05)
    monkeypatch.setattr(vital, "API_SECONDS", 0.05)
    monkeypatch.setattr(vital, "LEDGER_SECONDS", 0.05)
    monkeypatch.setattr(vital, "API_PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr(vital, "LEDGER_PATIENCE_SECONDS", 0.1)


async def test_before_the_hub_is_there() -> None:
    """A process that begins says so, and then why it can't: a line for each permission, and only news once."""
    standing = Standing()
    assert (standing.reasons(), standing.ended()) == (["the hub is starting"], [])
    assert standing.hindered(Unreachable("hub: connection refused"))
    assert not standing.hindered(Unreachable("hub: connection refused"))
    assert standing.reasons() == ["hub: connection refused"]
    assert standing.hindered(MissingPermissionError(["list secrets", "watch secrets"], "give it roles"))
    assert standing.reasons() == [
        "the hub is not permitted to list secrets",
        "the hub is not permitted to watch secrets",
    ]


async def test_before_its_lists_are_in(tmp_path: Path) -> None:
    """A hub whose lists are not read yet is not ready, and says of which, and why."""
    world = StandingHub(Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}"))
    world.standing.hub = world.hub
    world.api.fail(matching("list", None), Unreachable("hub: connection refused"), times=None)
    running = asyncio.create_task(world.hub.run(asyncio.Event()))
    await eventually(lambda: "Secrets are not listed yet: hub: connection refused" in world.standing.reasons())
    assert world.standing.reasons() == [
        "the hub is beginning: its lists are being read",
        "ComputeJobs are not listed yet: no answer yet",
        "Dispatches are not listed yet: hub: connection refused",
        "namespaces are not listed yet: hub: connection refused",
        "Secrets are not listed yet: hub: connection refused",
    ]
    assert world.standing.ended() == []
    world.api.heal()
    await eventually(lambda: not world.standing.reasons())
    running.cancel()
    await asyncio.wait({running})
    assert "scheduling has ended" in world.standing.ended()


def _refuse(world: StandingHub) -> None:
    world.api.denied = {"create dispatches", "patch computejobs/status"}
    world.hub.permissions.doubt()


def _cut(world: StandingHub) -> None:
    world.api.disconnect()


def _lock_ledger(world: StandingHub) -> None:
    def fails() -> None:
        raise LedgerError("the disk is full", "make room")

    world.ledger.check = fails  # type: ignore[method-assign]


def _break_scheduling(world: StandingHub) -> None:
    def fails(now: datetime) -> Snapshot:
        del now
        raise ValueError("x")

    world.hub.fleet.snapshot = fails  # type: ignore[method-assign]
    world.hub.scheduler.offer(demand())


def _add_node(world: StandingHub) -> None:
    world.api.put(COMPUTENODES, {"metadata": {"name": "east"}})
    world.hub.fleet.expect(["east"])


def _mend(world: StandingHub) -> None:
    world.api.denied.clear()
    world.api.heal()
    world.ledger.check = lambda: None  # type: ignore[method-assign]
    vars(world.hub.fleet).pop("snapshot", None)
    world.hub.scheduler.withdraw("u1")
    world.hub.fleet.put(compute_node("east"))


@pytest.mark.parametrize(
    ("harm", "lines"),
    [
        pytest.param(
            _refuse,
            [
                r"the hub is not permitted to patch computejobs\.isthmus\.dev/status",
                r"the hub is not permitted to create dispatches\.isthmus\.dev",
            ],
            id="permissions",
        ),
        pytest.param(
            _cut,
            [
                r"the watch on Dispatches has been broken for \d+ s: hub: connection refused",
                r"the hub's API has not answered for \d+ s: hub: connection refused",
            ],
            id="API away",
        ),
        pytest.param(
            _lock_ledger, [r"the ledger could not be written for \d+ s: the disk is full; make room"], id="ledger"
        ),
        pytest.param(_break_scheduling, [r"scheduling cycles fail: ValueError\('x'\)"], id="scheduling"),
        pytest.param(_add_node, ["1 ComputeNodes are not seen yet"], id="nodes"),
    ],
)
async def test_what_goes_wrong_is_told_until_it_is_mended(
    tmp_path: Path, harm: Callable[[StandingHub], None], lines: list[str]
) -> None:
    """A hub that has begun is ready; what keeps it from acting is told, a line each, for as long as it lasts."""
    async with standing_hub(tmp_path) as world:
        assert (world.standing.reasons(), world.samples("isthmus_ready")) == ([], {(): 1.0})
        harm(world)
        await eventually(lambda: all(any(re.fullmatch(each, r) for r in world.standing.reasons()) for each in lines))
        assert world.samples("isthmus_ready") == {(): 0.0}
        assert world.standing.ended() == []
        _mend(world)
        await eventually(lambda: not world.standing.reasons())


async def test_trying_to_begin_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever keeps the hub from beginning is tried again, told in readiness and logged once; then it goes on."""
    monkeypatch.setattr(process, "FIRST_PAUSE_SECONDS", 0.001)
    logged: list[str] = []
    monkeypatch.setattr(process.logger, "error", lambda _, error: logged.append(error), raising=False)
    errors = [Unreachable("hub: refused"), Unreachable("hub: refused"), HubError("no CRDs", "install them")]
    told: list[list[str]] = []
    standing = Standing()

    async def operate() -> None:
        told.append(standing.reasons())
        await asyncio.sleep(0)
        if errors:
            raise errors.pop(0)

    await process._persist(operate, standing)
    assert told == [["the hub is starting"], ["hub: refused"], ["hub: refused"], ["no CRDs; install them"]]
    assert logged == ["hub: refused", "no CRDs; install them"]


async def test_a_hub_that_had_begun_ends_the_process(tmp_path: Path) -> None:
    """An error out of a hub that has run is no trouble with beginning: the process ends, and is started anew."""
    async with standing_hub(tmp_path) as world:

        async def operate() -> None:
            await asyncio.sleep(0)
            raise HubError("something", "broke")

        with pytest.raises(HubError):
            await process._persist(operate, world.standing)


async def test_a_refused_request_has_permissions_reviewed(tmp_path: Path) -> None:
    """A 403 of any request sets off a review at once."""
    async with standing_hub(tmp_path) as world:
        world.api.denied = {"create events"}
        assert isinstance(world.api, Authorizer)
        before = world.api.reviews
        world.api.traffic.failed("create", Forbidden(403, "Forbidden", "no"))
        await eventually(lambda: world.api.reviews > before)
        await eventually(lambda: world.standing.reasons() == ["the hub is not permitted to create events"])


async def test_a_node_that_went_unseen_is_not_waited_for(tmp_path: Path) -> None:
    """A node that was there when the hub began, and was deleted before a watch showed it, holds nothing up."""
    async with standing_hub(tmp_path) as world:
        world.hub.fleet.expect(["gone"])
        assert world.standing.reasons() == ["1 ComputeNodes are not seen yet"]
        await eventually(lambda: not world.standing.reasons())
        assert world.hub.fleet.removed("gone")
