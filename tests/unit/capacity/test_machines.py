from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.api.core import Node, Pod
from isthmus.capacity import Accelerator, AcceleratorTotal, ExpectedPods, MachineTable, MachineTaint, Profile, Shape

NOW = datetime(2026, 11, 22, tzinfo=UTC)
GIB = 1 << 30
PRODUCT = "nvidia.com/gpu.product"
GPUS = {"cpu": "64", "memory": "256Gi", "pods": "110", "nvidia.com/gpu": "8"}
A100 = Accelerator("NVIDIA", "nvidia.com/gpu", "NVIDIA-A100-SXM4-80GB", label=(PRODUCT, "NVIDIA-A100-SXM4-80GB"))
A100_LABELS = {PRODUCT: "NVIDIA-A100-SXM4-80GB"}


def figures(table: MachineTable, *expected: ExpectedPods) -> Profile:
    """The profile at a fixed moment."""
    return table.profile(now=NOW, expected=expected)


def shape(count: int, free: dict[str, int], allocatable: dict[str, int], **more: Any) -> Shape:
    """A shape without labels unless told otherwise."""
    return Shape(count, free, allocatable, **{"labels": {}, **more})


def test_profile(new_node: Any, new_pod: Any) -> None:
    """Machines that are alike are counted together, bound pods are taken out of what is free, totals add up."""
    table = MachineTable()
    for name in "abc":
        table.upsert_machine(new_node(name, GPUS, labels={**A100_LABELS, "kubernetes.io/arch": "arm64"}))
    table.upsert_machine(new_node("d"))
    table.upsert_pod(new_pod("p", "c", {"cpu": "8", "memory": "16Gi", "nvidia.com/gpu": "3"}))
    full = {"cpu": 64_000, "memory": 256 * GIB, "nvidia.com/gpu": 8, "pods": 110}
    part = {"cpu": 56_000, "memory": 240 * GIB, "nvidia.com/gpu": 5, "pods": 109}
    small = {"cpu": 4000, "memory": 8 * GIB, "pods": 10}
    labels = {"kubernetes.io/arch": "arm64"}
    assert table.profile(now=NOW, sequence=7, visible_beyond=(9,)) == Profile(
        observed_at=NOW,
        machines=4,
        allocatable={"cpu": 196_000, "memory": 776 * GIB, "nvidia.com/gpu": 24, "pods": 340},
        free={"cpu": 188_000, "memory": 760 * GIB, "nvidia.com/gpu": 21, "pods": 339},
        accelerators=(AcceleratorTotal(replace(A100, label=None), 24, 21),),
        shapes=(
            shape(1, small, small),
            shape(1, part, full, accelerators=(A100,), labels=labels),
            shape(2, full, full, accelerators=(A100,), labels=labels),
        ),
        sequence=7,
        visible_beyond=(9,),
    )


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"ready": "False"}, id="not ready"),
        pytest.param({"ready": "Unknown"}, id="not heard of"),
        pytest.param({"ready": ""}, id="never ready"),
        pytest.param({"cordoned": True}, id="cordoned"),
        pytest.param({"taints": ["node.kubernetes.io/unreachable::NoExecute"]}, id="unreachable"),
        pytest.param({"taints": ["node.kubernetes.io/disk-pressure::NoSchedule"]}, id="out of disk"),
        pytest.param({"taints": ["node.cloudprovider.kubernetes.io/uninitialized:true:NoSchedule"]}, id="not set up"),
        pytest.param({"taints": ["ToBeDeletedByClusterAutoscaler:17:NoSchedule"]}, id="about to be removed"),
    ],
)
def test_out(new_node: Any, change: dict[str, Any]) -> None:
    """A machine that takes no pods is in no figure, and back in all of them once it does."""
    table = MachineTable()
    table.upsert_machine(new_node(**change))
    assert figures(table) == Profile(NOW, 0, {}, {}, (), ())
    table.upsert_machine(new_node())
    assert figures(table).machines == 1


def test_leaving(new_node: Any) -> None:
    """A machine that is being deleted takes no pods."""
    table = MachineTable()
    node: Node = new_node()
    node.metadata.deletion_timestamp = NOW
    table.upsert_machine(node)
    assert figures(table).machines == 0


def test_taints(new_node: Any) -> None:
    """Taints that keep pods off stand in the shape; wishes do not."""
    table = MachineTable()
    table.upsert_machine(new_node(taints=["gpu:a100:NoSchedule", "later::PreferNoSchedule", "drain::NoExecute"]))
    (told,) = figures(table).shapes
    assert told.taints == (MachineTaint("drain", "", "NoExecute"), MachineTaint("gpu", "a100", "NoSchedule"))


def test_labels(new_node: Any) -> None:
    """A shape tells architecture, system and the labels asked for, and no other label of its machines."""
    labels = {"kubernetes.io/os": "linux", "kubernetes.io/hostname": "a", "zone": "1", "secret": "x"}
    table = MachineTable(shape_labels=["zone"])
    table.upsert_machine(new_node(labels=labels))
    (told,) = figures(table).shapes
    assert told.labels == {"kubernetes.io/os": "linux", "zone": "1"}


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_pod_life(new_node: Any, new_pod: Any, phase: str) -> None:
    """A pod counts from binding until it has ended or is gone, once, wherever it is told of again."""
    table = MachineTable()
    table.upsert_machine(new_node())
    empty = figures(table).free
    table.upsert_pod(new_pod(node=""))
    assert figures(table).free == empty
    table.upsert_pod(new_pod(phase="Pending"))
    table.upsert_pod(new_pod())
    assert figures(table).free == {"cpu": 3000, "memory": 7 * GIB, "pods": 9}
    table.upsert_pod(new_pod(phase=phase))
    assert figures(table).free == empty
    table.upsert_pod(new_pod())
    table.remove_pod("p")
    table.remove_pod("never seen")
    assert figures(table).free == empty


def test_resize_and_move(new_node: Any, new_pod: Any) -> None:
    """A pod whose request changes, or whose machine is another than was thought, counts as it is now."""
    table = MachineTable()
    table.upsert_machine(new_node("a"))
    table.upsert_machine(new_node("b"))
    table.upsert_pod(new_pod("p", "a", {"cpu": "1"}))
    table.upsert_pod(new_pod("p", "a", {"cpu": "2"}))
    table.upsert_pod(new_pod("q", "a", {"cpu": "1"}))
    table.upsert_pod(new_pod("q", "b", {"cpu": "1"}))
    assert [s.free["cpu"] for s in figures(table).shapes] == [2000, 3000]


def test_order_of_events(new_node: Any, new_pod: Any) -> None:
    """Pods may be told of before their machine, and stay counted while it is gone for a moment."""
    table = MachineTable()
    table.upsert_pod(new_pod())
    table.upsert_machine(new_node())
    assert figures(table).free["cpu"] == 3000
    table.remove_machine("a")
    assert figures(table).machines == 0
    table.upsert_machine(new_node())
    assert figures(table).free["cpu"] == 3000


def test_overcommitted(new_node: Any, new_pod: Any) -> None:
    """What is free is never below zero, though a machine may have lost what its pods were bound to."""
    table = MachineTable()
    table.upsert_machine(new_node("a", {"cpu": "4", "nvidia.com/gpu": "0", "pods": "1"}))
    table.upsert_pod(new_pod("p", "a", {"cpu": "5", "nvidia.com/gpu": "2"}))
    assert figures(table).shapes == (shape(1, {"cpu": 0, "pods": 0}, {"cpu": 4000, "pods": 1}),)


@pytest.mark.parametrize(
    ("allocatable", "taints", "reason"),
    [
        pytest.param({"cpu": "-1"}, [], "allocatable cpu of -1", id="below zero"),
        pytest.param({"cpu": "4", "memory": "lots"}, [], "'lots' is no Kubernetes quantity", id="no quantity"),
        pytest.param({"cpu": "9e18"}, [], "allocatable cpu of 9e18", id="more than there is"),
        pytest.param(
            {"cpu": "4"}, [f"t{i}::NoSchedule" for i in range(17)], "17 taints; at most 16 can be told", id="taints"
        ),
        pytest.param({"cpu": "4"}, ["a b:c:NoSchedule"], "the taint a b=c can't be", id="taint"),
        pytest.param({"cpu": "4"}, [f"a:{'x' * 64}:NoSchedule"], f"the taint a={'x' * 64} can't be", id="taint value"),
    ],
)
def test_rejected(new_node: Any, allocatable: dict[str, str], taints: list[str], reason: str) -> None:
    """A machine that says what can't be is left out with a reason, the others are not, and it may come right."""
    table = MachineTable()
    table.upsert_machine(new_node("a", {"cpu": "1"}))
    table.upsert_machine(new_node("odd", {"cpu": "1"}))
    table.upsert_machine(new_node("odd", allocatable, taints=taints))
    assert table.rejected == {"odd": reason}
    assert figures(table).allocatable == {"cpu": 1000}
    table.upsert_machine(new_node("odd", {"cpu": "2"}))
    assert table.rejected == {}
    assert figures(table).allocatable == {"cpu": 3000}


def test_rejected_label(new_node: Any) -> None:
    """A label that is to be told and can't be takes its machine out; other labels are not looked at."""
    table = MachineTable(shape_labels=["zone"])
    table.upsert_machine(new_node("a", labels={"zone": "north "}))
    table.upsert_machine(new_node("b", GPUS, labels={PRODUCT: "A100?"}))
    table.upsert_machine(new_node("c", labels={"other": "???"}))
    assert table.rejected == {"a": "the label zone=north  can't be", "b": f"the label {PRODUCT}=A100? can't be"}
    assert figures(table).machines == 1


def test_unreadable_pod(new_node: Any, new_pod: Any) -> None:
    """Where a bound pod's request can't be read nobody knows what is free, so the machine is left out until it goes."""
    table = MachineTable()
    table.upsert_machine(new_node())
    table.upsert_pod(new_pod(requests={"cpu": "many"}))
    assert list(table.rejected) == ["a"]
    assert figures(table).machines == 0
    table.upsert_pod(new_pod(requests={"cpu": "1"}))
    assert table.rejected == {}
    assert figures(table).free["cpu"] == 3000


def test_bounded(new_node: Any) -> None:
    """A machine with more resources than can be told keeps cpu, memory, pods and accelerators."""
    many = {f"example.com/r{i}": "1" for i in range(60)} | {f"nvidia.com/mig-{i}g.{i}gb": "1" for i in range(1, 20)}
    table = MachineTable()
    table.upsert_machine(new_node("a", {**GPUS, **many}))
    (told,) = figures(table).shapes
    assert len(told.allocatable) == 32
    assert len(told.accelerators) == 8
    assert {"cpu", "memory", "pods", *(a.resource_name for a in told.accelerators)} <= set(told.allocatable)


def test_machine_accelerators(new_node: Any) -> None:
    """What a machine holds is still known when a label or the plugin is gone for a moment, or the machine for good."""
    table = MachineTable()
    table.upsert_machine(new_node("a", GPUS, labels=A100_LABELS))
    assert table.machine_accelerators("a") == (A100,)
    table.upsert_machine(new_node("a", GPUS))
    table.upsert_machine(new_node("a", {"cpu": "64", "nvidia.com/gpu": "0"}))
    table.remove_machine("a")
    assert table.machine_accelerators("a") == (A100,)
    assert table.accelerator_models("a", {"cpu": 1, "nvidia.com/gpu": 1, "pods": 1}) == {
        "nvidia.com/gpu": "NVIDIA-A100-SXM4-80GB"
    }
    table.upsert_machine(new_node("a", GPUS, labels={PRODUCT: "NVIDIA-H100-80GB-HBM3"}))
    assert table.accelerator_models("a", {"nvidia.com/gpu": 1}) == {"nvidia.com/gpu": "NVIDIA-H100-80GB-HBM3"}


def test_unknown_machine() -> None:
    """A pod on a machine never seen is metered under the model that its resource name tells."""
    models = MachineTable().accelerator_models("gone", {"huawei.com/Ascend910": 8, "cpu": 1, "example.com/fpga": 1})
    assert models == {"huawei.com/Ascend910": "Ascend910"}


def test_departed_are_bounded(new_node: Any) -> None:
    """Machines that come and go without end (spot machines) do not fill the memory."""
    table = MachineTable()
    for i in range(5000):
        table.upsert_machine(new_node(f"spot-{i}", {"nvidia.com/gpu": "1"}))
        table.remove_machine(f"spot-{i}")
    assert table.machine_accelerators("spot-0") == ()
    assert table.machine_accelerators("spot-4999") != ()


def test_unchanged(new_node: Any, new_pod: Any) -> None:
    """While nothing changes the figures are not computed anew, but told with the time and sequence asked for."""
    table = MachineTable()
    table.upsert_machine(new_node())
    first = figures(table)
    table.upsert_machine(new_node())
    later = table.profile(now=NOW + timedelta(minutes=1), sequence=3)
    assert later.shapes is first.shapes
    assert (later.observed_at, later.sequence) == (NOW + timedelta(minutes=1), 3)
    table.upsert_pod(new_pod())
    assert figures(table).free["cpu"] == 3000
    waiting = ExpectedPods({"cpu": 1000, "pods": 1}, 1, {})
    assert figures(table, waiting).free["cpu"] == 2000
    assert figures(table).free["cpu"] == 3000


MACHINES = st.sampled_from(["a", "b", "c"])
REQUESTS = st.sampled_from([{"cpu": "1"}, {"cpu": "500m", "memory": "1Gi"}, {"nvidia.com/gpu": "1"}])
EVENTS = st.one_of(
    st.tuples(st.just("machine"), MACHINES, st.sampled_from(["4", "8", "-1"]), st.sampled_from(["True", "False"])),
    st.tuples(st.just("no machine"), MACHINES),
    st.tuples(st.just("pod"), st.integers(0, 5), MACHINES, REQUESTS, st.sampled_from(["Running", "Failed"])),
    st.tuples(st.just("no pod"), st.integers(0, 5)),
)


@given(st.lists(EVENTS, max_size=40))
def test_events(new_node: Any, new_pod: Any, events: list[tuple[Any, ...]]) -> None:
    """After any events the figures are those of a table that was told only how things stand at the end."""
    table = MachineTable()
    nodes: dict[str, Node] = {}
    pods: dict[str, Pod] = {}
    for kind, *rest in events:
        if kind == "machine":
            name, gpus, ready = rest
            nodes[name] = new_node(name, {**GPUS, "nvidia.com/gpu": gpus}, ready=ready)
            table.upsert_machine(nodes[name])
        elif kind == "no machine":
            nodes.pop(rest[0], None)
            table.remove_machine(rest[0])
        elif kind == "pod":
            number, machine, requests, phase = rest
            pods[f"p{number}"] = new_pod(f"p{number}", machine, requests, phase=phase)
            table.upsert_pod(pods[f"p{number}"])
        else:
            pods.pop(f"p{rest[0]}", None)
            table.remove_pod(f"p{rest[0]}")
        figures(table)
    fresh = MachineTable()
    for pod in pods.values():
        fresh.upsert_pod(msgspec.convert(msgspec.to_builtins(pod), Pod))
    for node in sorted(nodes.values(), key=lambda n: n.metadata.name):
        fresh.upsert_machine(node)
    assert figures(table) == figures(fresh)
    assert table.rejected == fresh.rejected
