"""Parts of a job in a member without the policy: what stands on their pods, and what is told of their indexes."""

import asyncio
from typing import Any

import pytest
from tests.unit.agent.world import INDEX, SPACE, TENANT, Process, World

from isthmus.agent.gates import AT_ONCE
from isthmus.api.names import ANNOTATION_INDEX, GATE_INDEX
from isthmus.clusters import DISPATCHES, JOBS, PODS, TimedOut
from isthmus.clusters.fake import matching

pytestmark = pytest.mark.simulated_time

QUOTA = {"name": "example.com/quota"}
GATE = {"name": GATE_INDEX}


def _pods(world: World) -> list[dict[str, Any]]:
    return sorted(world.objects(PODS), key=lambda pod: int(pod["metadata"]["annotations"][INDEX]))


def _stands(world: World) -> list[tuple[str | None, list[Any]]]:
    """Global index and gates of each pod."""
    return [
        (p["metadata"]["annotations"].get(ANNOTATION_INDEX), p["spec"].get("schedulingGates")) for p in _pods(world)
    ]


def _opened(process: Process) -> int:
    return sum(1 for call in process.writes if call.verb == "patch" and "schedulingGates" in str(call.body))


async def test_a_part_runs_to_its_end(worlds: Any) -> None:
    """Each pod gets its global index and loses the gate in one write, and global indexes are told, in any order."""
    async with worlds() as world:
        name = world.dispatch(completions=100, indexes="7,13,42-44")
        process = Process(world)
        await world.until(lambda: world.state(name) == "Succeeded")
        told = sorted(pod["metadata"]["annotations"][ANNOTATION_INDEX] for pod in world.pods_ever().values())
        assert told == ["13", "42", "43", "44", "7"]
        assert _opened(process) == 5
        status = world.shown(name).status
        assert (status.completed_indexes, status.succeeded, status.index_failures) == ("7,13,42-44", 5, None)
        assert world.read_seconds(name) == world.pod_seconds()
        await process.kill()


async def test_no_pod_is_ever_seen_open_without_its_index(worlds: Any) -> None:
    """In all that ever stood in the member, a pod of a part without our gate carries its index."""
    async with worlds() as world:
        name = world.dispatch(completions=100, indexes="5,9")
        process = Process(world)
        await world.until(lambda: world.state(name) == "Succeeded")
        states = [c.after for c in world.member._store.since(0) if c.resource == PODS and c.after is not None]
        assert any(GATE in (pod["spec"].get("schedulingGates") or ()) for pod in states)
        for pod in states:
            gated = GATE in (pod["spec"].get("schedulingGates") or ())
            assert gated != (ANNOTATION_INDEX in pod["metadata"]["annotations"])
        await process.kill()


async def test_other_gates_stay(worlds: Any) -> None:
    """A gate of the template's own stays closed until its owner opens it."""
    async with worlds() as world:
        world.dispatch(completions=100, indexes="5,9", pod={"schedulingGates": [QUOTA]})
        process = Process(world)
        await world.until(lambda: _stands(world) == [("5", [QUOTA]), ("9", [QUOTA])])
        await asyncio.sleep(30)
        assert _stands(world) == [("5", [QUOTA]), ("9", [QUOTA])]
        assert _opened(process) == 2
        await process.kill()


async def test_whole_jobs_are_left_alone(worlds: Any) -> None:
    """A gate of that name on pods of a whole job is nothing of ours."""
    async with worlds() as world:
        world.dispatch(pod={"schedulingGates": [GATE]})
        process = Process(world)
        await world.until(lambda: len(_pods(world)) == 2)
        await asyncio.sleep(30)
        assert _stands(world) == [(None, [GATE])] * 2
        await process.kill()


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda m: m["annotations"].update({INDEX: "2"}), id="an index beyond the part"),
        pytest.param(lambda m: m["annotations"].update({INDEX: "one"}), id="no index"),
        pytest.param(lambda m: m.update(ownerReferences=[]), id="made by nobody"),
        pytest.param(lambda m: m["ownerReferences"][0].update(uid="other"), id="made by another Job"),
    ],
)
async def test_strange_pods_stay_gated(worlds: Any, change: Any) -> None:
    """A pod that bears the shard's labels and is none of its Job's indexes is not let through."""
    async with worlds() as world:
        name = world.dispatch(completions=100, indexes="5,9", pod={"schedulingGates": [QUOTA]})
        process = Process(world)
        await world.until(lambda: len(_pods(world)) == 2)
        model = _pods(world)[0]
        metadata = {**model["metadata"], "name": "strange", "annotations": {INDEX: "0"}}
        for field in ("uid", "resourceVersion"):
            del metadata[field]
        change(metadata)
        spec = {**model["spec"], "schedulingGates": [QUOTA, GATE]}
        world.member.put(PODS, {"metadata": metadata, "spec": spec, "status": {"phase": "Pending"}})
        await asyncio.sleep(30)
        found = world.member.object(PODS, "strange", TENANT)
        assert found is not None
        assert found["spec"]["schedulingGates"] == [QUOTA, GATE]
        assert ANNOTATION_INDEX not in found["metadata"]["annotations"]
        assert world.state(name) in {"Accepted", "Running"}
        await process.kill()


@pytest.mark.parametrize("desired", ["Suspended", "Cancelled"])
async def test_gates_stay_closed_where_nothing_should_run(worlds: Any, desired: str) -> None:
    """Of a shard that is to stop, no pod is let through any more."""
    async with worlds() as world:
        name = world.dispatch(completions=100, indexes="5,9")
        world.member.before("patch", PODS, lambda _: world.desire(name, desired))
        world.member.fail(matching("patch", PODS), TimedOut("no answer in time"), 2)
        process = Process(world)
        await world.until(lambda: world.shown(name).spec.desired_state == desired)
        await world.until(lambda: world.state(name) == desired)
        assert [pod["status"]["phase"] for pod in world.pods_ever().values()] == ["Failed", "Failed"]
        assert world.shown(name).status.completed_indexes is None
        await process.kill()


async def test_a_gate_that_does_not_open(worlds: Any) -> None:
    """A member that refuses the write for a while is asked again, and the shard is reported on meanwhile."""
    async with worlds() as world:
        name = world.dispatch(completions=100, indexes="5,9")
        world.member.fail(matching("patch", PODS), TimedOut("no answer in time"), 20)
        process = Process(world)
        await world.until(lambda: world.shown(name).status.active == 2)
        assert [gates for _, gates in _stands(world)] == [[GATE]] * 2
        await world.until(lambda: world.state(name) == "Succeeded")
        assert world.shown(name).status.completed_indexes == "5,9"
        await process.kill()


async def test_many_at_once(worlds: Any) -> None:
    """More gates than are opened at once are all opened, each by one write."""
    async with worlds() as world:
        count = 3 * AT_ONCE
        name = world.dispatch(completions=1000, indexes=f"0-9,100-{count + 89}")
        process = Process(world)
        await world.until(lambda: world.state(name) == "Succeeded")
        assert _opened(process) == count
        assert world.shown(name).status.succeeded == count
        await process.kill()


async def test_a_part_whose_job_vanished(worlds: Any) -> None:
    """What had succeeded of a part is told by its global indexes when its Job is gone, and nothing more."""
    async with worlds(run_seconds=30) as world:
        name = world.dispatch(completions=100, indexes="7,13,42")
        process = Process(world)
        await world.until(lambda: all(pod["status"]["phase"] == "Running" for pod in _pods(world)) and _pods(world))
        world.controllers_run = False
        second = _pods(world)[1]
        world._end_pod(second, "Succeeded", second["status"]["containerStatuses"][0]["state"]["running"]["startedAt"])
        world.delete_job(name)
        world.controllers_run = True
        await world.until(lambda: world.state(name) == "Lost")
        status = world.shown(name).status
        assert (status.completed_indexes, status.succeeded) == ("13", 1)
        await process.kill()


async def test_a_cancelled_part(worlds: Any) -> None:
    """A part that is cancelled tells all indexes that had succeeded, counted by its Job or not."""
    async with worlds(run_seconds=30) as world:
        name = world.dispatch(completions=100, indexes="7,13,42")
        process = Process(world)
        await world.until(lambda: all(pod["status"]["phase"] == "Running" for pod in _pods(world)) and _pods(world))
        world.controllers_run = False
        last = _pods(world)[2]
        world.desire(name, "Cancelled")
        world.member.before("delete", JOBS, lambda _: world._end_pod(last, "Succeeded", _started(last)))
        await world.until(
            lambda: "deletionTimestamp" in (world.member.object(JOBS, name, TENANT) or {"metadata": {}})["metadata"]
        )
        world.controllers_run = True
        await world.until(lambda: world.state(name) == "Cancelled")
        status = world.shown(name).status
        assert (status.completed_indexes, status.succeeded) == ("42", 1)
        assert world.hub.object(DISPATCHES, name, SPACE) is not None
        await process.kill()


def _started(pod: dict[str, Any]) -> str:
    return str(pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"])
