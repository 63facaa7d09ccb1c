"""Machines whose GPUs are published as ResourceSlices: what counts, under which name, and what is held."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from isthmus.api.core import Node, Pod
from isthmus.api.devices import DeviceClass, ResourceClaim, ResourceSlice
from isthmus.capacity import AcceleratorTable, MachineTable, Profile, from_status, impossible, to_status
from isthmus.capacity.supply import DEVICE_LIMIT
from testbed.devices import DRIVER, EXTENDED_RESOURCE, device_class, gpu, gpus, resource_slice

NOW = datetime(2026, 11, 22, tzinfo=UTC)
GIB = 1 << 30
IMPLICIT = f"deviceclass.resource.kubernetes.io/{DRIVER}"
Object = dict[str, Any]


def machine(name: str = "a", labels: Mapping[str, str] | None = None, **allocatable: str) -> Node:
    """A machine that is ready; `gpu` is what a device plugin says."""
    extended = {EXTENDED_RESOURCE: allocatable["gpu"]} if "gpu" in allocatable else {}
    manifest = {
        "metadata": {"name": name, "labels": dict(labels or {})},
        "status": {
            "allocatable": {"cpu": "64", "memory": "256Gi", "pods": "110", **extended},
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }
    return msgspec.convert(manifest, Node)


def pod(uid: str = "p", asked: int = 2, *, phase: str = "Running") -> Pod:
    """A pod on the machine that asks for so many of the extended resource."""
    requests = {"cpu": "1", EXTENDED_RESOURCE: str(asked)} if asked else {"cpu": "1"}
    manifest = {
        "metadata": {"name": uid, "uid": uid},
        "spec": {"nodeName": "a", "containers": [{"name": "main", "resources": {"requests": requests}}]},
        "status": {"phase": phase},
    }
    return msgspec.convert(manifest, Pod)


def claim(name: str, *devices: str, pod: str | None = None, machine: str = "a", **result: Any) -> ResourceClaim:
    """A claim to which these devices are allocated; `pod` says for whose extended resources it was made."""
    owner = {"kind": "Pod", "name": pod, "uid": pod, "controller": True}
    annotations = {"resource.kubernetes.io/extended-resource-claim": "true"}
    results = [{"driver": DRIVER, "pool": machine, "device": each, "request": "r", **result} for each in devices]
    manifest: Object = {
        "metadata": {
            "name": name,
            "namespace": "team",
            "annotations": annotations if pod else {},
            "ownerReferences": [owner] if pod else [],
        },
        "status": {"allocation": {"devices": {"results": results}}} if devices else {},
    }
    return msgspec.convert(manifest, ResourceClaim)


def member(
    *objects: Object, nodes: tuple[Node, ...] = (machine(),), table: AcceleratorTable | None = None
) -> MachineTable:
    """A member with these slices and classes; without a class among them, with the driver's own."""
    machines = MachineTable(table)
    for node in nodes:
        machines.upsert_machine(node)
    classes = [each for each in objects if each["kind"] == "DeviceClass"] or [device_class()]
    for each in classes:
        machines.devices.upsert_class(msgspec.convert(each, DeviceClass))
    for each in objects:
        if each["kind"] == "ResourceSlice":
            machines.devices.upsert_slice(msgspec.convert(each, ResourceSlice))
    return machines


def figures(machines: MachineTable) -> Profile:
    """The profile at a fixed moment, which the hub must believe and read back as it was."""
    profile = machines.profile(now=NOW)
    assert impossible(profile) is None
    assert from_status(to_status(profile)) == profile
    return profile


def counted(machines: MachineTable) -> dict[str, tuple[int, int]]:
    """Total and free of each accelerator resource."""
    totals: dict[str, tuple[int, int]] = {}
    for each in figures(machines).accelerators:
        name = each.accelerator.resource_name
        total, free = totals.get(name, (0, 0))
        totals[name] = total + each.total, free + each.free
    return totals


def test_a_slice_tells_model_memory_and_how_many() -> None:
    """A machine with a slice of eight GPUs has eight, of the model and memory that it says, in totals and shape."""
    profile = figures(member(gpus("a", 8)))
    (total,) = profile.accelerators
    kind = total.accelerator
    assert (kind.vendor, kind.resource_name, kind.model) == ("NVIDIA", EXTENDED_RESOURCE, "NVIDIA-A100-SXM4-80GB")
    assert (kind.memory_bytes, kind.partition_profile, total.total, total.free) == (80 * GIB, None, 8, 8)
    (shape,) = profile.shapes
    assert (shape.free[EXTENDED_RESOURCE], shape.allocatable[EXTENDED_RESOURCE], shape.cards) == (8, 8, None)


@pytest.mark.parametrize("order", ["slices first", "machines first", "classes last"])
def test_what_comes_first_is_of_no_account(order: str) -> None:
    """Slices, classes, machines and claims may come in any order."""
    machines = MachineTable()
    steps = {
        "node": lambda: machines.upsert_machine(machine()),
        "class": lambda: machines.devices.upsert_class(msgspec.convert(device_class(), DeviceClass)),
        "slice": lambda: machines.devices.upsert_slice(msgspec.convert(gpus("a", 4), ResourceSlice)),
        "claim": lambda: machines.devices.upsert_claim(claim("c", "gpu-1")),
    }
    orders = {
        "slices first": ["claim", "slice", "class", "node"],
        "machines first": ["node", "class", "slice", "claim"],
        "classes last": ["slice", "node", "claim", "class"],
    }
    for step in orders[order]:
        steps[step]()
        figures(machines)
    assert counted(machines) == {EXTENDED_RESOURCE: (4, 3)}


def test_labels_name_the_model_where_they_are_there() -> None:
    """With a vendor's label the model is what the label says, and an affinity to it leads to the machine."""
    labels = {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB", "nvidia.com/gpu.memory": "81920"}
    (shape,) = figures(member(gpus("a", 2), nodes=(machine(labels=labels),))).shapes
    assert dict(shape.accelerators[0].labels) == labels
    (bare,) = figures(member(gpus("a", 2))).shapes
    assert bare.accelerators[0].labels == ()


def test_devices_of_several_models_have_none_that_is_known() -> None:
    """Pods get any of a machine's devices: only what all of them have is promised, by no label."""
    mixed = resource_slice("a", [gpu("gpu-0"), gpu("gpu-1", model="NVIDIA H100", memory="40Gi")])
    labels = {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB"}
    (total,) = figures(member(mixed, nodes=(machine(labels=labels),))).accelerators
    assert (total.accelerator.model, total.accelerator.memory_bytes, total.total) == ("unknown", 40 * GIB, 2)


def test_only_the_newest_generation_counts_and_only_when_whole() -> None:
    """A newer generation replaces an older one, and until all of its slices are there nothing of the pool counts."""
    newer = [resource_slice("a", [gpu(f"gpu-{i}")], generation=2, part=i, parts=2) for i in range(2)]
    machines = member(gpus("a", 8))
    assert counted(machines) == {EXTENDED_RESOURCE: (8, 8)}
    machines.devices.upsert_slice(msgspec.convert(newer[0], ResourceSlice))
    assert counted(machines) == {}
    machines.devices.upsert_slice(msgspec.convert(newer[1], ResourceSlice))
    assert counted(machines) == {EXTENDED_RESOURCE: (2, 2)}
    machines.devices.remove_slice(newer[0]["metadata"]["name"])
    assert counted(machines) == {}
    machines.devices.remove_slice(newer[1]["metadata"]["name"])
    assert counted(machines) == {EXTENDED_RESOURCE: (8, 8)}


@pytest.mark.parametrize(
    "odd",
    [
        resource_slice("a", [gpu("gpu-0"), gpu("gpu-0")]),
        resource_slice("a", [gpu("gpu-0")], parts=0),
        resource_slice("a", [gpu("gpu-0")], parts=-1),
        resource_slice("a", [gpu("gpu-0")], parts=3),
        resource_slice("elsewhere", [gpu("gpu-0")]),
        resource_slice("a", [gpu("gpu-0")], nodeName="", allNodes=True),
        resource_slice("a", [gpu("gpu-0")], nodeName="", nodeSelector={"nodeSelectorTerms": []}),
        resource_slice("a", [gpu("gpu-0", nodeName="b")], nodeName="", perDeviceNodeSelection=True),
        resource_slice("a", [gpu("gpu-0", taints=[{"key": "k", "effect": "NoSchedule"}])]),
        resource_slice("a", [{"name": "gpu-0"}]),
        resource_slice("a", []),
        resource_slice("a", [gpu("gpu-0")], driver="other.example.com"),
    ],
    ids=[
        "name twice", "no slices", "fewer than none", "slices missing", "no such machine", "all machines",
        "selected machines", "another machine", "tainted", "no attributes", "no devices", "other driver",
    ],
)  # fmt: skip
def test_what_is_not_certain_counts_nothing(odd: Object) -> None:
    """Pools that are incomplete or wrong, and devices that are on no one machine or off limits, count nothing."""
    assert counted(member(odd)) == {}


@pytest.mark.parametrize("memory", ["-80Gi", "much", "0", "99999999999999999999Gi"])
def test_memory_that_cannot_be_is_unknown(memory: str) -> None:
    """A device whose memory is no such thing counts, with memory that nobody knows."""
    (total,) = figures(member(resource_slice("a", [gpu("gpu-0", memory=memory)]))).accelerators
    assert (total.accelerator.memory_bytes, total.total) == (None, 1)


def test_devices_with_machines_of_their_own_count_there() -> None:
    """Where each device of a slice names its machine, it counts on that one."""
    devices = [gpu("gpu-0", nodeName="a"), gpu("gpu-1", nodeName="b"), gpu("gpu-2", allNodes=True)]
    shared = resource_slice("rack", devices, nodeName="", perDeviceNodeSelection=True)
    profile = figures(member(shared, nodes=(machine(), machine("b"))))
    assert [(shape.count, shape.free[EXTENDED_RESOURCE]) for shape in profile.shapes] == [(2, 1)]


def test_a_machine_with_more_devices_than_can_be_counts_up_to_a_bound() -> None:
    """Of a list without end so many count as one machine may have."""
    parts = [resource_slice("a", [gpu(f"gpu-{p}-{i}") for i in range(128)], part=p, parts=8) for p in range(8)]
    assert counted(member(*parts)) == {EXTENDED_RESOURCE: (DEVICE_LIMIT, DEVICE_LIMIT)}


def test_a_pool_without_end_counts_nothing() -> None:
    """A pool of more devices than anybody has is not looked through."""
    parts = [resource_slice("a", [{"name": f"d-{p}-{i}"} for i in range(8200)], part=p, parts=8) for p in range(8)]
    assert counted(member(*parts, device_class(expression="true"))) == {}


def test_a_device_plugin_goes_before_slices() -> None:
    """A machine whose Node offers the cards has them once, by whatever name the slices would offer them again."""
    plugged = (machine(gpu="8"),)
    assert counted(member(gpus("a", 8), nodes=plugged)) == {EXTENDED_RESOURCE: (8, 8)}
    own = [device_class(extended_resource="nvidia.com/a100"), device_class("other", extended_resource=None)]
    assert counted(member(gpus("a", 8), *own, nodes=plugged)) == {EXTENDED_RESOURCE: (8, 8)}
    assert counted(member(gpus("a", 8), nodes=(machine(gpu="0"),))) == {EXTENDED_RESOURCE: (8, 8)}


def test_a_device_counts_under_one_name() -> None:
    """Of the classes that a device is of, the one with the name of a known accelerator has it."""
    big = f"device.capacity['{DRIVER}'].memory.compareTo(quantity('80Gi')) >= 0"
    classes = [
        device_class(),
        device_class("big", big, extended_resource="a.example.com/big"),
        device_class("any", "true", extended_resource=None),
    ]
    assert figures(member(gpus("a", 4), *classes)).allocatable.keys() & {"a.example.com/big"} == set()
    assert counted(member(gpus("a", 4), *classes)) == {EXTENDED_RESOURCE: (4, 4)}


def test_a_class_without_a_name_has_the_implicit_one() -> None:
    """A class that names no resource is to be had by its own name, where the member is known to have that."""
    machines = member(gpus("a", 2), device_class(extended_resource=None))
    assert counted(machines) == {}
    machines.devices.count_implicit_names(implicit=True)
    assert counted(machines) == {IMPLICIT: (2, 2)}
    machines.devices.upsert_class(msgspec.convert(device_class(), DeviceClass))
    assert counted(machines) == {EXTENDED_RESOURCE: (2, 2)}
    machines.devices.remove_class(DRIVER)
    assert counted(machines) == {}


def test_a_name_that_two_classes_give_is_the_newer_ones() -> None:
    """As in kube-scheduler the class that was made later has the name, of equally old ones the first by name."""
    none = device_class("b", "false")
    none["metadata"]["creationTimestamp"] = "2026-01-02T00:00:00Z"
    by_name = "deviceclass.resource.kubernetes.io/a"
    assert list(figures(member(gpus("a", 2), device_class("a"), none)).allocatable) == [
        "cpu",
        by_name,
        "memory",
        "pods",
    ]
    assert counted(member(gpus("a", 2), device_class("a"), device_class("b", "false"))) == {EXTENDED_RESOURCE: (2, 2)}


@pytest.mark.parametrize(
    "expression", ["device.driver.matches('gpu.*')", f"device.attributes['{DRIVER}'].nothing == 'x'"]
)
def test_a_class_that_cannot_be_judged_counts_nothing(expression: str) -> None:
    """An expression that is not read here, or has no value for a device of the machine, promises nothing."""
    assert counted(member(gpus("a", 2), device_class(expression=expression))) == {}


def test_other_devices_count_as_plain_resources() -> None:
    """Devices that are no accelerators count like any extended resource of a machine."""
    nics = resource_slice("a", [{"name": f"nic-{i}"} for i in range(4)], driver="dra.net")
    named = device_class("nics", "device.driver == 'dra.net'", extended_resource="example.com/nic")
    profile = figures(member(nics, named))
    assert (profile.allocatable["example.com/nic"], profile.free["example.com/nic"]) == (4, 4)
    assert profile.accelerators == ()


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"modelAttribute": "chip", "memoryCapacity": "hbm", "partitionAttribute": "cut"}, ("NPU-9", 64 * GIB, "half")),
        ({}, ("unknown", None, None)),
    ],
)
def test_the_table_of_drivers_can_be_extended(entry: Object, told: tuple[str, int | None, str | None]) -> None:
    """An administrator's entry says how to read a driver that nobody here knows."""
    attributes = {"chip": {"string": "NPU 9"}, "npu.example.com/cut": {"string": "half"}}
    npu = {"name": "n0", "attributes": attributes, "capacity": {"hbm": {"value": "64Gi"}}}
    table = AcceleratorTable.default().extended(
        [{"resourceName": "example.com/npu", "vendor": "Example", "devices": {"driver": "npu.example.com", **entry}}]
    )
    named = device_class("npu", "device.driver == 'npu.example.com'", extended_resource="example.com/npu")
    (total,) = figures(member(resource_slice("a", [npu], driver="npu.example.com"), named, table=table)).accelerators
    kind = total.accelerator
    assert (kind.vendor, kind.model, kind.memory_bytes, kind.partition_profile) == ("Example", *told)


@pytest.mark.parametrize(
    ("driver", "attributes", "told"),
    [
        ("gpu.amd.com", {"productName": "AMD Instinct MI300X OAM", "partitionProfile": "spx_nps1"},
         ("AMD", "AMD_Instinct_MI300X_OAM", None)),
        ("gpu.amd.com", {"productName": "AMD Instinct MI300X OAM", "partitionProfile": "cpx_nps4"},
         ("AMD", "AMD_Instinct_MI300X_OAM", "cpx_nps4")),
        ("gpu.intel.com", {"model": "Flex 170"}, ("Intel", "Flex-170", None)),
        ("gaudi.intel.com", {"model": "Gaudi2"}, ("Intel", "Gaudi2", None)),
        ("gpu.nvidia.com", {"type": "mig", "productName": "NVIDIA A30", "profile": "1g.6gb"},
         ("NVIDIA", "NVIDIA-A30", "1g.6gb")),
    ],
)  # fmt: skip
def test_each_known_driver_is_read(
    driver: str, attributes: Mapping[str, str], told: tuple[str, str, str | None]
) -> None:
    """Model and partition stand where each vendor's driver puts them."""
    device = {"name": "d", "attributes": {name: {"string": value} for name, value in attributes.items()}}
    named = device_class(driver, f"device.driver == '{driver}'", extended_resource=None)
    machines = member(resource_slice("a", [device], driver=driver), named)
    machines.devices.count_implicit_names(implicit=True)
    (total,) = figures(machines).accelerators
    assert (total.accelerator.vendor, total.accelerator.model, total.accelerator.partition_profile) == told


def test_claims_take_each_device_once() -> None:
    """A device is held as long as some claim has it, however many; one held for administration is free."""
    machines = member(gpus("a", 4))
    for each in (claim("one", "gpu-0", "gpu-1"), claim("two", "gpu-1"), claim("watcher", "gpu-2", adminAccess=True)):
        machines.devices.upsert_claim(each)
    assert counted(machines) == {EXTENDED_RESOURCE: (4, 2)}
    machines.devices.remove_claim("team", "one")
    assert counted(machines) == {EXTENDED_RESOURCE: (4, 3)}
    machines.devices.upsert_claim(claim("two"))
    assert counted(machines) == {EXTENDED_RESOURCE: (4, 4)}
    machines.devices.upsert_claim(claim("stray", "gpu-9"))
    machines.devices.upsert_claim(claim("stray", "gpu-1", machine="nowhere"))
    machines.devices.remove_claim("team", "never")
    assert counted(machines) == {EXTENDED_RESOURCE: (4, 4)}


def test_a_pods_extended_resources_count_once_from_binding_until_its_claim_is_gone() -> None:
    """What a pod asks for counts once, whether its claim or its binding is seen first, and until both are gone."""
    machines = member(gpus("a", 4))
    own = claim("c", "gpu-0", "gpu-1", pod="p")
    machines.devices.upsert_claim(own)
    assert counted(machines) == {EXTENDED_RESOURCE: (4, 4)}  # not bound: like any pod it counts from then on
    machines.upsert_pod(pod())
    assert counted(machines) == {EXTENDED_RESOURCE: (4, 2)}
    machines.devices.remove_claim("team", "c")
    assert counted(machines) == {EXTENDED_RESOURCE: (4, 2)}
    machines.devices.upsert_claim(own)
    assert counted(machines) == {EXTENDED_RESOURCE: (4, 2)}
    machines.upsert_pod(pod(phase="Succeeded"))
    assert counted(machines) == {EXTENDED_RESOURCE: (4, 2)}  # the scheduler gives them out once the claim is gone
    machines.devices.upsert_claim(claim("c", "gpu-0", pod="p"))
    assert counted(machines) == {EXTENDED_RESOURCE: (4, 3)}
    machines.devices.remove_claim("team", "c")
    assert counted(machines) == {EXTENDED_RESOURCE: (4, 4)}


def test_claims_of_all_kinds_add_up() -> None:
    """Devices of pods by extended resources, by claims of their own and of pods whose claim is not seen yet."""
    machines = member(gpus("a", 8))
    machines.upsert_pod(pod("p", 2))
    machines.devices.upsert_claim(claim("p", "gpu-0", "gpu-1", pod="p"))
    machines.upsert_pod(pod("q", 0))
    machines.devices.upsert_claim(claim("shared", "gpu-2", "gpu-3", "gpu-4"))
    machines.upsert_pod(pod("r", 1))
    assert counted(machines) == {EXTENDED_RESOURCE: (8, 2)}
    assert machines.accelerator_models("a", {EXTENDED_RESOURCE: 1}) == {EXTENDED_RESOURCE: "NVIDIA-A100-SXM4-80GB"}


def cut(name: str, profile: str | None = None) -> Object:
    """A whole GPU, or a MIG device of it, that takes of the GPU's counters."""
    device = gpu(name, consumesCounters=[{"counterSet": "gpu-0", "counters": {"slices": {"value": "1"}}}])
    if profile is not None:
        device["attributes"] |= {"type": {"string": "mig"}, "profile": {"string": profile}}
    return device


def test_a_gpu_that_is_cut_as_asked_for_counts_once() -> None:
    """Of a GPU and the partitions that it may be cut into the GPU counts, while no part of it is held."""
    devices = [cut("gpu-0"), cut("gpu-0-mig-a", "1g.10gb"), cut("gpu-0-mig-b", "1g.10gb"), gpu("gpu-1")]
    mig = f"device.attributes['{DRIVER}'].type == 'mig'"
    parts = device_class("mig.nvidia.com", mig, extended_resource="nvidia.com/mig-1g.10gb")
    machines = member(resource_slice("a", devices), device_class(), parts)
    assert counted(machines) == {EXTENDED_RESOURCE: (2, 2)}
    machines.devices.upsert_claim(claim("c", "gpu-0-mig-b"))
    assert counted(machines) == {EXTENDED_RESOURCE: (2, 1)}
    machines.devices.remove_claim("team", "c")
    assert counted(machines) == {EXTENDED_RESOURCE: (2, 2)}
    devices[1]["taints"] = [{"key": "k", "effect": "NoExecute"}]
    machines.devices.upsert_slice(msgspec.convert(resource_slice("a", devices), ResourceSlice))
    assert counted(machines) == {EXTENDED_RESOURCE: (2, 2)}
    machines.devices.upsert_claim(claim("c", "gpu-0-mig-a"))
    assert counted(machines) == {EXTENDED_RESOURCE: (2, 1)}


def test_a_machine_that_goes_and_comes_back_has_its_devices() -> None:
    """Slices outlive the Node object: when the machine is back they count again."""
    machines = member(gpus("a", 2))
    machines.remove_machine("a")
    assert counted(machines) == {}
    machines.devices.upsert_slice(msgspec.convert(gpus("a", 3), ResourceSlice))
    machines.upsert_machine(machine())
    assert counted(machines) == {EXTENDED_RESOURCE: (3, 3)}


def test_a_vendor_that_is_known_by_the_resource_alone_is_not_counted_twice() -> None:
    """Slices of a driver that nobody knows don't count beside a device plugin's cards of the resource's vendor."""
    npus = resource_slice("a", [gpu("npu-0")], driver="npu.example.com")
    named = device_class("npu", "device.driver == 'npu.example.com'", extended_resource="huawei.com/npu")
    assert counted(member(npus, named)) == {"huawei.com/npu": (1, 1)}
    plugged = machine()
    plugged.status.allocatable["huawei.com/Ascend910"] = "8"
    assert counted(member(npus, named, nodes=(plugged,))) == {"huawei.com/Ascend910": (8, 8)}
