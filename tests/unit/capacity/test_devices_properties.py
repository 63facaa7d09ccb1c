"""Whatever order slices, classes, claims and pods come and go in, the figures are those of what is there."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from isthmus.api.core import Node, Pod
from isthmus.api.devices import DeviceClass, ResourceClaim, ResourceSlice
from isthmus.capacity import MachineTable, Profile, impossible
from testbed.devices import DRIVER, EXTENDED_RESOURCE, device_class, gpu, resource_slice

NOW = datetime(2026, 11, 22, tzinfo=UTC)
MACHINES = "ab"


class Step(NamedTuple):
    """An object as it comes, or as it goes where `there` is false."""

    kind: str
    object: Any
    there: bool

    @property
    def key(self) -> tuple[str, str]:
        """Which object it is."""
        return self.kind, self.object.metadata.name


PUT: dict[str, Callable[[MachineTable, Any], None]] = {
    "slice": lambda table, each: table.devices.upsert_slice(each),
    "class": lambda table, each: table.devices.upsert_class(each),
    "claim": lambda table, each: table.devices.upsert_claim(each),
    "pod": lambda table, each: table.upsert_pod(each),
}
DROP: dict[str, Callable[[MachineTable, Any], None]] = {
    "slice": lambda table, each: table.devices.remove_slice(each.metadata.name),
    "class": lambda table, each: table.devices.remove_class(each.metadata.name),
    "claim": lambda table, each: table.devices.remove_claim(each.metadata.namespace, each.metadata.name),
}


def _slice(name: str, generation: int, part: int, parts: int, numbers: set[int], cut: bool) -> ResourceSlice:
    more: dict[str, Any] = {"consumesCounters": [{"counterSet": "all"}]} if cut else {}
    devices = [gpu(f"gpu-{part}{i}", **more) for i in sorted(numbers)]
    made = resource_slice(name, devices, generation=generation, part=part, parts=parts)
    return msgspec.convert(made, ResourceSlice)


def _claim(name: str, machine: str, numbers: set[int], holder: str | None) -> ResourceClaim:
    results = [{"driver": DRIVER, "pool": machine, "device": f"gpu-0{i}"} for i in sorted(numbers)]
    owner = {"kind": "Pod", "uid": holder, "controller": True}
    metadata: dict[str, Any] = {"name": name, "namespace": "team"}
    if holder is not None:
        note = {"resource.kubernetes.io/extended-resource-claim": "true"}
        metadata |= {"annotations": note, "ownerReferences": [owner]}
    status = {"allocation": {"devices": {"results": results}}} if results else {}
    return msgspec.convert({"metadata": metadata, "status": status}, ResourceClaim)


def _class(name: str, extended: bool) -> DeviceClass:
    made = device_class(name, extended_resource=EXTENDED_RESOURCE if extended else None)
    return msgspec.convert(made, DeviceClass)


def _pod(name: str, machine: str, asked: int) -> Pod:
    requests = {"cpu": "1", **({EXTENDED_RESOURCE: str(asked)} if asked else {})}
    spec = {"nodeName": machine, "containers": [{"resources": {"requests": requests}}]}
    manifest = {"metadata": {"name": name, "uid": name}, "spec": spec, "status": {"phase": "Running"}}
    return msgspec.convert(manifest, Pod)


_MACHINE = st.sampled_from(MACHINES)
_NUMBERS = st.sets(st.integers(0, 5))
_SLICES = st.builds(_slice, _MACHINE, st.integers(1, 3), st.integers(0, 1), st.integers(1, 2), _NUMBERS, st.booleans())
_CLAIMS = st.builds(_claim, st.sampled_from("xyz"), _MACHINE, _NUMBERS, st.sampled_from([None, "p", "q"]))
_CLASSES = st.builds(_class, st.sampled_from("cd"), st.booleans())
_PODS = st.builds(_pod, st.sampled_from("pq"), _MACHINE, st.integers(0, 3))
_STEPS = st.lists(
    st.one_of(
        st.builds(Step, st.just("slice"), _SLICES, st.booleans()),
        st.builds(Step, st.just("claim"), _CLAIMS, st.booleans()),
        st.builds(Step, st.just("class"), _CLASSES, st.booleans()),
        st.builds(Step, st.just("pod"), _PODS, st.just(value=True)),
    ),
    max_size=32,
)


def _machines(table: MachineTable) -> None:
    for name in MACHINES:
        allocatable = {"cpu": "64", "memory": "256Gi", "pods": "110"}
        status = {"allocatable": allocatable, "conditions": [{"type": "Ready", "status": "True"}]}
        table.upsert_machine(msgspec.convert({"metadata": {"name": name}, "status": status}, Node))


def _figures(table: MachineTable) -> Profile:
    profile = table.profile(now=NOW)
    assert impossible(profile) is None
    return profile


@given(_STEPS)
def test_figures_are_of_what_is_there(steps: list[Step]) -> None:
    """After each change the figures can be, and after all of them they are those of a table that saw the end alone."""
    there: dict[tuple[str, str], Step] = {}
    changed, fresh = MachineTable(), MachineTable()
    _machines(changed)
    for step in steps:
        there.pop(step.key, None)
        if step.there:
            there[step.key] = step
            PUT[step.kind](changed, step.object)
        else:
            DROP[step.kind](changed, step.object)
        _figures(changed)
    for step in reversed(there.values()):
        PUT[step.kind](fresh, step.object)
    _machines(fresh)
    assert _figures(changed) == _figures(fresh)
