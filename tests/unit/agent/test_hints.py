"""Machines that pods are asked to go to."""

from typing import Any

import msgspec
import pytest
from tests.unit.agent.world import HUB_UID, NODE, Process

from isthmus.agent.hints import LOOK_SECONDS, MACHINES, PROMISE_SECONDS, Hints
from isthmus.api.core import Node, Pod
from isthmus.api.dispatch import Dispatch
from isthmus.api.names import ANNOTATION_HINT, LABEL_DISPATCH
from isthmus.capacity import MachineTable
from isthmus.clusters import DISPATCHES, JOBS, PODS
from isthmus.manifests import with_preferences

GPU = "nvidia.com/gpu"


def machine(name: str, gpus: int, taint: str = "") -> Node:
    """A machine with so many GPUs."""
    manifest = {
        "metadata": {"name": name, "labels": {"rack": name[0]}},
        "spec": {"taints": [{"key": taint, "effect": "NoSchedule"}] if taint else []},
        "status": {
            "allocatable": {"cpu": "64", "pods": "110", GPU: str(gpus)},
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }
    return msgspec.convert(manifest, Node)


def pod(name: str, on: str, gpus: int, *, cpu: str = "0", hint: str = "", dispatch: str = "") -> Pod:
    """A pod, bound where `on` is given."""
    manifest = {
        "metadata": {
            "name": name,
            "uid": name,
            "labels": {LABEL_DISPATCH: dispatch},
            "annotations": {ANNOTATION_HINT: hint} if hint else {},
        },
        "spec": {
            "nodeName": on,
            "containers": [{"name": "m", "resources": {"requests": {GPU: str(gpus), "cpu": cpu}}}],
        },
        "status": {"phase": "Running"},
    }
    return msgspec.convert(manifest, Pod)


def dispatch(
    name: str, gpus: int, *, width: int = 1, free: int = 4, cores: str = "0", rack: str = "", hinted: bool = True
) -> Dispatch:
    """A Dispatch whose hint is a machine of 4 GPUs with so many free, and so many cores."""
    container = {"name": "m", "resources": {"requests": {GPU: str(gpus)}}}
    template = {"spec": {"containers": [container], **({"nodeSelector": {"rack": rack}} if rack else {})}}
    spec = {"parallelism": width, "completions": width, "template": template}
    content: dict[str, Any] = {
        "job": {"namespace": "t", "name": name, "uid": name},
        "account": "t",
        "shard": 0,
        "attempt": 1,
        "sequence": 1,
        "manifest": {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec},
    }
    if hinted:
        content["hint"] = {"allocatable": {GPU: "4"}, "free": {GPU: str(free), "cpu": cores}}
    return Dispatch.model_validate({"metadata": {"name": name, "uid": name}, "spec": content})


class Member:
    """Machines a1 and a2 of 4 GPUs, b1 of 8, and c1 of 4 with a taint."""

    def __init__(self) -> None:
        self.now = 0.0
        self.bound: list[bool] = []
        self.table = MachineTable()
        for each in (machine("a1", 4), machine("a2", 4), machine("b1", 8), machine("c1", 4, taint="night")):
            self.table.upsert_machine(each)
        self.hints = Hints(self.table, self.bound.append, lambda: self.now)


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        pytest.param(dispatch("d", 2, hinted=False), (), id="no hint"),
        pytest.param(dispatch("d", 2), ("a2",), id="as much free"),
        pytest.param(dispatch("d", 2, free=3), ("a1",), id="as much free, and another has more"),
        pytest.param(dispatch("d", 4), ("a2",), id="a whole one"),
        pytest.param(dispatch("d", 8), ("b1",), id="another shape where none of it fits"),
        pytest.param(dispatch("d", 2, rack="b"), ("b1",), id="only where its labels lead"),
        pytest.param(dispatch("d", 2, width=4, free=3), ("a1", "a2", "b1"), id="as many as its pods need"),
        pytest.param(dispatch("d", 16), (), id="fits nowhere"),
    ],
)
def test_machines(wanted: Dispatch, names: tuple[str, ...]) -> None:
    """The shape becomes machines that have it, or else such as fit, and never more than are needed."""
    member = Member()
    member.table.upsert_pod(pod("p", "a1", 1))
    assert member.hints.machines(wanted) == names


def test_promised_room_is_not_promised_again() -> None:
    """Pods that are on their way count on their machine, until they are there, or have not come for long."""
    member = Member()
    assert [member.hints.machines(dispatch(f"d{n}", 2)) for n in range(5)] == [
        ("a1",),
        ("a1",),
        ("a2",),
        ("a2",),
        ("b1",),
    ]
    member.now += LOOK_SECONDS + 0.1
    assert member.hints.machines(dispatch("d5", 2)) == ("b1",)
    member.now += PROMISE_SECONDS + 0.1
    assert member.hints.machines(dispatch("d6", 2)) == ("a1",)


def test_the_cores_that_are_meant() -> None:
    """Of machines with as many accelerators free it is the one with the cores of the shape, or next to them."""
    member = Member()
    for name, cpu in (("a1", "4"), ("a2", "9")):
        member.table.upsert_pod(pod(name, name, 1, cpu=cpu))
    for cores, name in (("60", "a1"), ("59", "a1"), ("55", "a2"), ("56", "a2")):
        wanted = dispatch("d", 1, free=3, cores=cores)
        assert Hints(member.table, lambda _: None, lambda: 0.0).machines(wanted) == (name,)


def test_bound_pods_count_once() -> None:
    """A pod that came counts by what the machine shows, and the promise for it is over, wherever it went."""
    member = Member()
    assert member.hints.machines(dispatch("d0", 2)) == ("a1",)
    waits, there = pod("p", "", 2, hint="a1", dispatch="d0"), pod("p", "a2", 2, hint="a1", dispatch="d0")
    member.hints.pod_changed(None, waits)
    member.hints.pod_changed(waits, there)
    member.table.upsert_pod(there)
    assert member.bound == [False]
    member.now += LOOK_SECONDS + 0.1
    assert member.hints.machines(dispatch("d1", 4)) == ("a1",)


def test_what_is_counted() -> None:
    """Each pod with a hint is counted when it is bound, by whether it went where it was asked to, and no other."""
    member = Member()
    for was, now in (
        (pod("p", "", 1, hint="a1,a2"), pod("p", "a2", 1, hint="a1,a2")),
        (pod("p", "a2", 1, hint="a1,a2"), pod("p", "a2", 1, hint="a1,a2")),
        (pod("q", "", 1, hint="a1"), pod("q", "b1", 1, hint="a1")),
        (pod("r", "", 1), pod("r", "a1", 1)),
        (None, pod("s", "a1", 1, hint="a1")),
    ):
        member.hints.pod_changed(was, now)
    assert member.bound == [True, False]


def test_many_machines() -> None:
    """A shard of many pods is asked to so many machines and no more."""
    member = Member()
    for number in range(50):
        member.table.upsert_machine(machine(f"z{number}", 4))
    assert len(member.hints.machines(dispatch("d", 4, width=40))) == MACHINES


def test_preferences_beside_the_users_own() -> None:
    """The machines are preferred after what the user prefers and within what is required, the first most."""
    own = {"weight": 50, "preference": {"matchExpressions": [{"key": "disk", "operator": "Exists"}]}}
    required = {"nodeSelectorTerms": [{"matchExpressions": [{"key": "gpu", "operator": "Exists"}]}]}
    affinity = {
        "podAntiAffinity": {},
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": required,
            "preferredDuringSchedulingIgnoredDuringExecution": [own],
        },
    }
    before = {"containers": [], "affinity": affinity}
    after = with_preferences(before, ["m1", "m2"])

    def term(name: str, weight: int) -> dict[str, Any]:
        field = {"key": "metadata.name", "operator": "In", "values": [name]}
        return {"weight": weight, "preference": {"matchFields": [field]}}

    node = after["affinity"]["nodeAffinity"]
    assert node["preferredDuringSchedulingIgnoredDuringExecution"] == [own, term("m1", 100), term("m2", 99)]
    assert node["requiredDuringSchedulingIgnoredDuringExecution"] == required
    assert after["affinity"]["podAntiAffinity"] == {}
    assert affinity["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"] == [own]


@pytest.mark.simulated_time
async def test_job_in_the_member(worlds: Any) -> None:
    """The member's Job asks its pods to the machine, and what the Dispatch says stays as it is."""
    async with worlds() as world:
        process = Process(world)
        name = world.dispatch(1)
        found = world.hub.object(DISPATCHES, name, f"isthmus-node-{NODE}")
        hint = {"allocatable": {"cpu": "16"}, "free": {"cpu": "16"}}
        world.hub.put(DISPATCHES, {**found, "spec": {**found["spec"], "hint": hint}})
        await world.until(lambda: world.objects(PODS))
        (job,) = world.objects(JOBS)
        assert job["spec"]["template"]["metadata"]["annotations"][ANNOTATION_HINT] == "m1"
        assert "affinity" in job["spec"]["template"]["spec"]
        assert "affinity" not in world.shown(name).spec.manifest["spec"]["template"]["spec"]
        assert job["metadata"]["labels"]["isthmus.dev/hub"] == HUB_UID
        await world.until(lambda: world.state(name) == "Succeeded")
        await process.kill()
        process.check()
