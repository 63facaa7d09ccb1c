import asyncio
from typing import Any

import msgspec
import pytest
from tests.unit.agent.objects import job, pod
from tests.unit.agent.world import HUB_UID, NODE, TENANT

from isthmus.agent.atrest import AtRest, job_rests, pod_rests
from isthmus.agent.view import MemberView
from isthmus.api.core import Job, Pod
from isthmus.api.names import FINALIZER_POD, LABEL_DISPATCH, LABEL_HUB, LABEL_NODE
from isthmus.capacity import AcceleratorTable
from isthmus.clusters import JOBS, NAMESPACES, PODS, FakeCluster

pytestmark = pytest.mark.simulated_time

LABELS = {LABEL_HUB: HUB_UID, LABEL_NODE: NODE, LABEL_DISPATCH: "d"}
COMPLETE = {"conditions": [{"type": "Complete", "status": "True"}]}


def _view(member: FakeCluster) -> MemberView:
    nothing: Any = lambda *_: None  # noqa: E731 - it hears of everything and does nothing
    return MemberView(
        member,
        HUB_UID,
        NODE,
        AcceleratorTable.default(),
        clock=lambda: 0.0,
        on_shard=nothing,
        on_capacity=nothing,
        on_connection=nothing,
    )


def _held(phase: str, *finalizers: str, **metadata: Any) -> Pod:
    found = pod(phase, machine="m")
    changed = msgspec.structs.replace(found.metadata, finalizers=list(finalizers), **metadata)
    return msgspec.structs.replace(found, metadata=changed)


@pytest.mark.parametrize(
    ("found", "rests"),
    [
        pytest.param(_held("Running"), False, id="running"),
        pytest.param(_held("Succeeded", FINALIZER_POD), False, id="its reading is not written"),
        pytest.param(_held("Succeeded"), True, id="let go"),
        pytest.param(_held("Failed", "somebody/else"), True, id="held by somebody else"),
    ],
)
def test_when_a_pod_rests(found: Pod, rests: bool) -> None:
    """A pod is packed once it has ended and its reading is written: nothing of it can change what is told."""
    assert pod_rests(found) is rests


@pytest.mark.parametrize(
    ("found", "rests"),
    [
        pytest.param(job(), False, id="running"),
        pytest.param(job(condition="Complete"), True, id="complete"),
        pytest.param(job(condition="Failed"), True, id="failed"),
        pytest.param(job(condition="Complete", deleting=True), False, id="on its way out"),
    ],
)
def test_when_a_job_rests(found: Job, rests: bool) -> None:
    """A Job is packed once it has ended and stays."""
    assert job_rests(found) is rests


@pytest.mark.parametrize("found", [job(condition="Complete", succeeded=3), pod("Succeeded", 7, machine="m")])
def test_what_rests_comes_back_as_it_was(found: Job | Pod) -> None:
    """Packing loses nothing that was read of the object."""
    packed = AtRest.of(found, "d")
    assert (packed.unpacked(Job) if isinstance(found, Job) else packed.unpacked(Pod)) == found
    assert (packed.metadata.uid, packed.metadata.name) == (found.metadata.uid, found.metadata.name)


def test_nothing_is_packed_of_others() -> None:
    """A pod of somebody else is known by its identity alone."""
    assert AtRest.of(pod("Succeeded"), "").packed == b""


async def test_the_view_shows_what_rests_as_it_is() -> None:
    """Whoever asks for a Dispatch's Job and pods gets them whole, at rest or not; one that is deleted is gone."""
    member = FakeCluster("member")
    member.put(NAMESPACES, {"metadata": {"name": TENANT}})
    view = _view(member)
    place = {"namespace": TENANT, "labels": LABELS}
    for name, finalizers in (("let-go", []), ("held", [FINALIZER_POD])):
        body = {"metadata": {"name": name, "finalizers": finalizers, **place}, "status": {"phase": "Succeeded"}}
        member.put(PODS, body)
    member.put(JOBS, {"metadata": {"name": "d", **place}, "status": COMPLETE})
    running = asyncio.create_task(view.run())
    try:
        await view.wait_synced()
        assert view.has_job("d")
        assert view.job("d") == msgspec.convert(member.object(JOBS, "d", TENANT), Job, strict=False)
        assert {each.metadata.name: each.status.phase for each in view.pods("d")} == {
            "let-go": "Succeeded",
            "held": "Succeeded",
        }
        assert not view.all_let_go("d")
        body = {"metadata": {"name": "held", **place}, "status": {"phase": "Succeeded"}}
        member.put(PODS, body)
        await asyncio.sleep(1)
        assert view.all_let_go("d")
        for name in ("let-go", "held"):
            await member.delete(PODS, name, TENANT, propagation="Background")
        await member.delete(JOBS, "d", TENANT, propagation="Background")
        await asyncio.sleep(1)
        assert (view.has_job("d"), view.pods("d"), view.shards()) == (False, (), set())
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
