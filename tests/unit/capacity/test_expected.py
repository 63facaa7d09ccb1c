from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.api.core import PodToleration
from isthmus.capacity import ExpectedPods, MachineTable

NOW = datetime(2026, 11, 22, tzinfo=UTC)
GPUS = {"cpu": "8", "nvidia.com/gpu": "4", "pods": "10"}
ANYWHERE: Mapping[str, tuple[str, ...]] = {}


def pods(
    count: int, cpu: int, gpus: int = 0, labels: Mapping[str, tuple[str, ...]] = ANYWHERE, tolerated: str = ""
) -> ExpectedPods:
    """Pods that ask for so many cores and accelerators."""
    request = {"cpu": cpu * 1000, "pods": 1} | ({"nvidia.com/gpu": gpus} if gpus else {})
    tolerations = (PodToleration(key=tolerated, operator="Exists"),) if tolerated else ()
    return ExpectedPods(request, count, labels, tolerations)


def free(table: MachineTable, *expected: ExpectedPods) -> list[tuple[int, int, int]]:
    """Machines by free cores and accelerators: (cores, accelerators, machines)."""
    shapes = table.profile(now=NOW, expected=expected).shapes
    return sorted((s.free["cpu"] // 1000, s.free.get("nvidia.com/gpu", 0), s.count) for s in shapes)


@pytest.fixture
def fleet(new_node: Any) -> MachineTable:
    """Three machines with accelerators, two without, one of these for those who tolerate its taint."""
    table = MachineTable()
    for name in ("g1", "g2", "g3"):
        table.upsert_machine(new_node(name, GPUS, labels={"rack": name}))
    table.upsert_machine(new_node("c1", {"cpu": "8", "pods": "10"}))
    table.upsert_machine(new_node("c2", {"cpu": "8", "pods": "10"}, taints=["night::NoSchedule"]))
    return table


@pytest.mark.parametrize(
    ("expected", "left"),
    [
        pytest.param([], [(8, 0, 1), (8, 0, 1), (8, 4, 3)], id="none"),
        pytest.param([pods(2, 3)], [(5, 0, 1), (5, 4, 1), (8, 0, 1), (8, 4, 2)], id="over machines of all kinds"),
        pytest.param([pods(7, 3)], [(2, 0, 1), (2, 4, 2), (5, 4, 1), (8, 0, 1)], id="more pods than machines"),
        pytest.param(
            [pods(3, 3, tolerated="night")], [(5, 0, 1), (5, 0, 1), (5, 4, 1), (8, 4, 2)], id="tolerated taint"
        ),
        pytest.param(
            [pods(5, 1, gpus=2)], [(6, 0, 2), (7, 2, 1), (8, 0, 1), (8, 0, 1)], id="one on each, then from the start"
        ),
        pytest.param(
            [pods(1, 1, gpus=1), pods(1, 1, gpus=3)],
            [(6, 0, 1), (8, 0, 1), (8, 0, 1), (8, 4, 2)],
            id="one after the other",
        ),
        pytest.param(
            [pods(2, 1, gpus=4, labels={"rack": ("g2", "g9")})],
            [(7, 0, 1), (8, 0, 1), (8, 0, 1), (8, 4, 2)],
            id="only where its labels lead; the rest is taken from nothing",
        ),
        pytest.param([pods(1, 1, gpus=8)], [(8, 0, 1), (8, 0, 1), (8, 4, 3)], id="fits no machine"),
        pytest.param([pods(0, 1), pods(-3, 1)], [(8, 0, 1), (8, 0, 1), (8, 4, 3)], id="no pods"),
        pytest.param([ExpectedPods({}, 5, {})], [(8, 0, 1), (8, 0, 1), (8, 4, 3)], id="nothing asked"),
    ],
)
def test_subtract(fleet: MachineTable, expected: list[ExpectedPods], left: list[tuple[int, int, int]]) -> None:
    """Expected pods are taken from machines that fit them, one by one, and never from a sum over machines."""
    assert free(fleet, *expected) == left


def test_what_waits_for_a_machine(fleet: MachineTable) -> None:
    """Pods that fit nowhere are told beside the figures, so that machines to come are not given out to others."""
    profile = fleet.profile(now=NOW, expected=[pods(3, 1, gpus=8), pods(1, 1)])
    assert profile.waiting == (pods(3, 1, gpus=8),)


def test_without_trace(fleet: MachineTable) -> None:
    """What was expected once is forgotten once it no longer is."""
    before = free(fleet)
    free(fleet, pods(4, 2, labels={"rack": ("g1",)}))
    assert free(fleet) == before


@given(
    st.lists(st.tuples(st.integers(1, 8), st.integers(0, 4)), min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(1, 12), st.integers(1, 4), st.integers(0, 2)), max_size=6),
)
def test_conserved(new_node: Any, machines: list[tuple[int, int]], expected: list[tuple[int, int, int]]) -> None:
    """Whole pods are taken, none below zero, no machine is lost, and a pod is left over only where none takes it."""
    table = MachineTable()
    for i, (cpu, gpus) in enumerate(machines):
        table.upsert_machine(new_node(f"m{i}", {"cpu": str(cpu), "nvidia.com/gpu": str(gpus), "pods": "100"}))
    before = table.profile(now=NOW)
    after = table.profile(now=NOW, expected=[pods(*each) for each in expected])
    assert sum(s.count for s in after.shapes) == after.machines == len(machines)
    assert min((v for s in after.shapes for v in s.free.values()), default=0) >= 0
    placed = before.free["pods"] - after.free["pods"]
    assert placed <= sum(count for count, _, _ in expected)
    if placed < sum(count for count, _, _ in expected):
        tight = [
            (cpu, gpus)
            for _, cpu, gpus in expected
            if not any(s.free["cpu"] >= cpu * 1000 and s.free.get("nvidia.com/gpu", 0) >= gpus for s in after.shapes)
        ]
        assert tight
