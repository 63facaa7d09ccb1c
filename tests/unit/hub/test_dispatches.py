import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from isthmus.api.core import Manifest
from isthmus.api.dispatch import Dispatch
from isthmus.api.names import ANNOTATION_CLUSTER, node_namespace
from isthmus.clusters import DISPATCHES, NAMESPACES, FakeCluster
from isthmus.hub.dispatches import DispatchStore
from isthmus.hub.tombstone import Tombstone, rests

pytestmark = pytest.mark.simulated_time

NODE = "n1"


def manifest(name: str, state: str | None = "Succeeded", *, desired: str = "Running", **status: Any) -> Manifest:
    """A Dispatch as it stands in the hub."""
    job_manifest = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {"completions": 3}}
    return {
        "metadata": {"name": name, "namespace": node_namespace(NODE), "annotations": {ANNOTATION_CLUSTER: "c1"}},
        "spec": {
            "desiredState": desired,
            "job": {"namespace": "team-a", "name": "train", "uid": "j"},
            "account": "acme",
            "shard": 0,
            "attempt": 1,
            "sequence": int(name.removeprefix("d")),
            "manifest": job_manifest,
        },
        "status": {**({"state": state} if state else {}), **status},
    }


def dispatch(state: str | None, *, desired: str = "Running", **status: Any) -> Dispatch:
    """The same as the hub reads it."""
    body = manifest("d7", state, desired=desired, **status)
    body["metadata"] |= {"uid": "u7", "resourceVersion": "12"}
    return Dispatch.model_validate(body)


@asynccontextmanager
async def following(*bodies: Manifest) -> AsyncIterator[tuple[DispatchStore, FakeCluster, list[tuple[str, bool]]]]:
    """A store that has read these, and what it tells afterwards."""
    hub = FakeCluster("hub")
    hub.put(NAMESPACES, {"metadata": {"name": node_namespace(NODE)}})
    for body in bodies:
        hub.put(DISPATCHES, body)
    told: list[tuple[str, bool]] = []
    store = DispatchStore(hub, lambda _, shown, gone: told.append((shown.metadata["name"], gone)))
    task = asyncio.create_task(store.informer.run())
    try:
        await store.informer.wait_synced()
        yield store, hub, told
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_what_is_packed_comes_out_as_it_was() -> None:
    """Every field of a Dispatch at rest is there again when somebody asks for it."""
    reading = {"sequence": 4, "observedAt": "2026-11-22T12:00:00Z", "final": True}
    was = dispatch("Succeeded", completedIndexes="0-2", reading=reading)
    packed = Tombstone.of(was)
    assert packed.dispatch() == was
    assert (packed.uid, packed.version, packed.sequence, packed.reading, packed.cluster) == ("u7", 12, 7, 4, "c1")


@pytest.mark.parametrize(
    ("shown", "at_rest"),
    [
        pytest.param(dispatch(None), False, id="new"),
        pytest.param(dispatch("Running"), False, id="running"),
        pytest.param(dispatch("Succeeded"), True, id="succeeded"),
        pytest.param(dispatch("Failed"), True, id="failed"),
        pytest.param(dispatch("Succeeded", desired="Cancelled"), False, id="being cleared away"),
        pytest.param(dispatch("Succeeded", desired="Cancelled", released=True), True, id="cleared away"),
        pytest.param(dispatch("Lost"), False, id="lost, and may come back"),
        pytest.param(dispatch("Lost", released=True), True, id="lost, and accounted for"),
        pytest.param(dispatch("Cancelled", desired="Cancelled"), False, id="cancelled"),
    ],
)
def test_only_what_needs_nothing_done_rests(shown: Dispatch, at_rest: bool) -> None:
    """A Dispatch is packed only once nothing is due for it before its job is deleted."""
    assert rests(shown) is at_rest


async def test_what_has_ended_is_packed_from_the_first_list_on() -> None:
    """Of the first list only what may still change is held as it is; all is found, and nothing of it is told."""
    async with following(manifest("d1"), manifest("d2", "Running"), manifest("d3", "Lost")) as (store, _, told):
        node = store.node(NODE)
        assert {d.metadata["name"] for d in node.awake()} == {"d2", "d3"}
        assert {d.metadata["name"] for d in node.live()} == {"d2"}
        assert {d.metadata["name"] for d in node.unreleased()} == {"d1", "d2", "d3"}
        assert node.sequences() == {1, 2, 3}
        assert (node.highest_sequence, node.clusters(), node.empty()) == (3, {"c1"}, False)
        ended = node.get("d1")
        assert ended is not None
        assert ended.status.state == "Succeeded"
        assert told == []


async def test_a_dispatch_wakes_when_its_job_is_looked_into_and_rests_again() -> None:
    """Whoever asks for a job's Dispatches gets them whole, once and for all until the job has ended."""
    async with following(manifest("d1"), manifest("d2", "Running")) as (store, _, _told):
        assert [d.metadata["name"] for _, d in store.live_of_job("j")] == ["d2"]
        assert store.node(NODE).tombstone("d1") is not None
        first = {d.metadata["name"]: d for _, d in store.of_job("j")}
        assert set(first) == {"d1", "d2"}
        assert store.node(NODE).tombstone("d1") is None
        assert store.of_job("j")[0][1] is first["d1"]
        store.rest("j")
        assert store.node(NODE).tombstone("d1") is not None
        assert store.node(NODE).tombstone("d2") is None


async def test_a_job_that_turns_up_of_a_released_dispatch_is_no_rest() -> None:
    """What the member had let go of and has again is a stray; the Job of one that succeeded stays there."""
    lost = manifest("d2", "Lost", desired="Cancelled", released=True)
    async with following(manifest("d1"), lost) as (store, _, _told):
        node = store.node(NODE)
        assert [node.resting(name, with_job=True) for name in ("d1", "d2", "d3")] == [True, False, False]
        assert [node.resting(name, with_job=False) for name in ("d1", "d2", "d3")] == [True, True, False]


async def test_a_resting_dispatch_changes_and_goes() -> None:
    """A change of one at rest is taken in and told, and so is its end; an older form changes nothing."""
    async with following(manifest("d1")) as (store, hub, told):
        before = store.of_job("j")[0][1]
        store.rest("j")
        hub.put(DISPATCHES, manifest("d1", desired="Cancelled"))
        await asyncio.sleep(1)
        assert told == [("d1", False)]
        assert [d.spec.desired_state for d in store.node(NODE).awake()] == ["Cancelled"]
        store.put(NODE, before)
        assert store.of_job("j")[0][1].spec.desired_state == "Cancelled"
        await hub.delete(DISPATCHES, "d1", node_namespace(NODE), propagation="Background")
        await asyncio.sleep(1)
        assert told == [("d1", False), ("d1", True)]
        assert (store.places("j"), store.job_uids(), store.node(NODE).empty()) == ((), [], True)
