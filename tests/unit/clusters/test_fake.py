from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from isthmus.clusters import (
    CONFIGMAPS,
    JOBS,
    NAMESPACES,
    PODS,
    Conflict,
    FakeCluster,
    Invalid,
    NotFound,
    TimedOut,
    Unreachable,
)
from isthmus.clusters.fake import Call, matching

Manifest = dict[str, Any]


def _map(name: str, **data: str) -> Manifest:
    return {"metadata": {"name": name, "namespace": "default"}, "data": data}


async def _move(cluster: FakeCluster) -> None:
    """A procedure of three writes, as it might be interrupted at any of them."""
    if not [obj for obj in cluster.objects(CONFIGMAPS) if obj["metadata"]["name"] == "to"]:
        await cluster.create(CONFIGMAPS, _map("to"), "default")
    await cluster.patch(CONFIGMAPS, "to", "default", {"data": {"a": "1"}})
    await cluster.delete(CONFIGMAPS, "from", "default")


class Crash(BaseException):
    """The process ended here: nothing catches it."""


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", [0, 1, 2])
async def test_a_crash_at_any_write(step: int, after: bool) -> None:
    """A test can end a procedure before or after each of its writes, and let it run again."""
    cluster = FakeCluster()
    cluster.put(CONFIGMAPS, _map("from"))
    writes = count()
    cluster.fail(lambda call: call.is_write and next(writes) == step, Crash(), after=after)
    with pytest.raises(Crash):
        await _move(cluster)
    done = step + after
    names = [obj["metadata"]["name"] for obj in cluster.objects(CONFIGMAPS)]
    assert names == {0: ["from"], 1: ["from", "to"], 2: ["from", "to"], 3: ["to"]}[done]
    await _move(cluster)
    assert [obj["data"] for obj in cluster.objects(CONFIGMAPS)] == [{"a": "1"}]


async def test_an_answer_may_be_lost() -> None:
    """A write can be carried out although its caller sees a timeout."""
    cluster = FakeCluster()
    cluster.fail(matching("create", CONFIGMAPS, "m"), TimedOut("slow"), after=True)
    with pytest.raises(TimedOut):
        await cluster.create(CONFIGMAPS, _map("m"), "default")
    assert cluster.object(CONFIGMAPS, "m", "default") is not None


async def test_faults_end_by_themselves() -> None:
    """A fault strikes as often as it was told to, only where it matches, or until it is healed."""
    cluster = FakeCluster()
    cluster.fail(matching("get", CONFIGMAPS), Unreachable("down"), times=2)
    cluster.fail(matching("write", JOBS), Unreachable("down"), times=None)
    for _ in range(2):
        with pytest.raises(Unreachable):
            await cluster.get(CONFIGMAPS, "m", "default")
    with pytest.raises(NotFound):
        await cluster.get(CONFIGMAPS, "m", "default")
    for _ in range(3):
        with pytest.raises(Unreachable):
            await cluster.delete(JOBS, "j", "default")
    cluster.heal()
    assert not await cluster.delete(JOBS, "j", "default")


async def test_others_may_act_between_a_read_and_a_write() -> None:
    """A callback before a call can change the cluster as another client would, or refuse as an admission does."""
    cluster = FakeCluster()
    stored = cluster.put(CONFIGMAPS, _map("m"))
    cluster.before("replace", CONFIGMAPS, lambda _: cluster.put(CONFIGMAPS, _map("m", by="another")))
    with pytest.raises(Conflict):
        await cluster.replace(CONFIGMAPS, stored, "default", "m")

    def refuse(call: Call) -> None:
        raise Invalid(422, "Invalid", f"{call.name}: spec.template: Required value")

    cluster.before("create", JOBS, refuse)
    with pytest.raises(Invalid, match="Required value"):
        await cluster.create(JOBS, {"metadata": {"name": "j"}}, "default", dry_run=True)


async def test_calls_are_kept_for_the_test() -> None:
    """What was called, with which body, can be looked at; requests are counted by verb."""
    cluster = FakeCluster()
    await cluster.create(CONFIGMAPS, _map("m"), "default")
    await cluster.list(CONFIGMAPS)
    assert cluster.calls == [
        Call("create", CONFIGMAPS, "default", "m", None, _map("m")),
        Call("list", CONFIGMAPS),
    ]
    assert cluster.requests == {"create": 1, "list": 1}


async def test_a_test_puts_objects_with_their_status() -> None:
    """`put` stores an object as it is, again and again, and `remove` takes it whatever holds it."""
    cluster = FakeCluster()
    pod = {"metadata": {"name": "p", "namespace": "default", "finalizers": ["x/y"]}, "status": {"phase": "Running"}}
    first = cluster.put(PODS, pod)
    second = cluster.put(PODS, {**pod, "status": {"phase": "Failed"}})
    assert (first["status"], second["status"]) == ({"phase": "Running"}, {"phase": "Failed"})
    assert first["metadata"]["uid"] == second["metadata"]["uid"]
    cluster.remove(PODS, "p", "default")
    assert cluster.object(PODS, "p", "default") is None


async def test_nobody_holds_what_is_stored() -> None:
    """Changing what was given or returned changes nothing in the cluster."""
    cluster = FakeCluster()
    given = _map("m", a="1")
    returned = await cluster.create(CONFIGMAPS, given, "default")
    given["data"]["a"] = returned["data"]["a"] = "changed"
    seen = cluster.object(CONFIGMAPS, "m", "default")
    assert seen is not None
    seen["data"]["a"] = "changed"
    assert (await cluster.get(CONFIGMAPS, "m", "default"))["data"] == {"a": "1"}


async def test_time_and_ids_are_the_tests() -> None:
    """With a clock and ids of its own, a test sees whole objects that are always the same."""
    ids = count(1)
    cluster = FakeCluster(clock=lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), new_id=lambda: f"uid-{next(ids)}")
    created = await cluster.create(CONFIGMAPS, _map("m"), "default")
    assert created["metadata"] == {
        "name": "m",
        "namespace": "default",
        "uid": "uid-3",  # after the namespaces default and kube-system
        "creationTimestamp": "2026-01-02T03:04:05Z",
        "resourceVersion": "4",
    }
    assert (await cluster.get(NAMESPACES, "kube-system"))["metadata"]["uid"] == "uid-2"


async def test_a_closed_cluster_answers_nothing() -> None:
    """After `close` every call fails, as with a client."""
    cluster = FakeCluster()
    await cluster.close()
    with pytest.raises(Unreachable):
        await cluster.probe()
