from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from tests.unit.hub.standinghub import StandingHub, standing_hub
from tests.unit.hub.world import compute_node
from tests.waiting import eventually

from isthmus.api.core import Manifest
from isthmus.clusters import COMPUTENODES
from isthmus.hub.session import NodeSession, Surroundings


async def _reach_nobody(_: NodeSession) -> None:
    pass


@asynccontextmanager
async def isolated_hub(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[StandingHub]:
    """A hub that has begun, and reaches no member."""
    monkeypatch.setattr(NodeSession, "run", _reach_nobody)
    async with standing_hub(folder) as world:
        shared = SimpleNamespace(
            hub=world.api, dispatches=world.hub.dispatches, hub_uid="hub-uid", contacts=world.hub.contacts
        )
        world.hub.nodes.begin(cast("Surroundings", shared))
        yield world


async def conditions(world: StandingHub) -> list[tuple[str, str, str]]:
    """What the node's status says."""
    status = (await world.api.get(COMPUTENODES, "east")).get("status") or {}
    return [(each["type"], each["status"], each["reason"]) for each in status.get("conditions", ())]


async def test_a_node_that_cannot_be_read_keeps_no_other_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counts as seen and its status says what is wrong; it is not taken for a removed one, and can be mended."""
    async with isolated_hub(tmp_path, monkeypatch) as world:
        good = compute_node("east").to_manifest()
        bad: Manifest = {**good, "spec": {**good["spec"], "tier": "Beyond"}}
        ready = {"type": "Ready", "status": "True", "reason": "Ready", "message": "", "lastTransitionTime": "x"}
        other = {**ready, "type": "Reachable"}
        world.api.put(COMPUTENODES, {**bad, "status": {"conditions": [other, ready]}})
        world.hub.fleet.expect(["east"])
        assert world.standing.reasons() == ["1 ComputeNodes are not seen yet"]
        world.hub.nodes.apply(await world.api.get(COMPUTENODES, "east"))
        assert world.standing.reasons() == []
        assert (world.hub.fleet.removed("east"), world.hub.fleet.settled()) == (False, True)
        await eventually(lambda: world.api.requests["patch"])
        assert await conditions(world) == [
            ("Reachable", "True", "Ready"),
            ("Schedulable", "False", "SpecNotUnderstood"),
            ("Ready", "False", "SpecNotUnderstood"),
        ]
        stored = await world.api.get(COMPUTENODES, "east")
        assert "spec.tier: Input should be" in stored["status"]["conditions"][-1]["message"]
        world.hub.nodes.apply({**good, "metadata": {**stored["metadata"], "creationTimestamp": "2026-01-01T00:00:00Z"}})
        assert world.hub.fleet.get("east") is not None


async def test_a_node_that_cannot_be_read_can_be_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing stands on it, it is gone at once, and counts as removed."""
    async with isolated_hub(tmp_path, monkeypatch) as world:
        good = compute_node("east").to_manifest()
        bad = {**good, "spec": {}, "metadata": {**good["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}}
        world.hub.fleet.expect(["east"])
        assert await world.hub.nodes.remove(bad) is None
        assert world.hub.fleet.removed("east")
        assert world.standing.reasons() == []
