from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.api.quantities import GIBIBYTE
from isthmus.capacity import Accelerator, AcceleratorTotal, ExpectedPods, MachineTable, Profile, Shape, impossible

NOW = datetime(2026, 11, 22, tzinfo=UTC)
GPU = "nvidia.com/gpu"
A100 = Accelerator("NVIDIA", GPU, "A100", 80 * GIBIBYTE)
HAS = {"cpu": 8000, "memory": 64 * GIBIBYTE, "pods": 110, GPU: 4}
FREE = {**HAS, "cpu": 2000, GPU: 1}
SHAPE = Shape(2, FREE, HAS, (A100,))
GOOD = Profile(
    NOW,
    machines=2,
    allocatable={name: 2 * amount for name, amount in HAS.items()},
    free={name: 2 * amount for name, amount in FREE.items()},
    accelerators=(AcceleratorTotal(A100, 8, 2),),
    shapes=(SHAPE,),
    sequence=4,
    visible_beyond=(6,),
)


def test_good() -> None:
    """Figures that add up are let through, those of shapes below the totals too."""
    assert impossible(GOOD) is None
    assert impossible(replace(GOOD, shapes=(replace(SHAPE, count=1),))) is None


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        pytest.param({"machines": -1}, "-1 machines; a member has 0 to 100000", id="machines below zero"),
        pytest.param({"machines": 10**9}, "1000000000 machines; a member has 0 to 100000", id="absurdly many machines"),
        pytest.param({"machines": 1}, "shapes of 2 machines, where there are 1", id="more in shapes than there are"),
        pytest.param({"shapes": (replace(SHAPE, count=-5),)}, "a shape of -5 machines", id="count below zero"),
        pytest.param({"shapes": (replace(SHAPE, count=0),)}, "a shape of 0 machines", id="count of zero"),
        pytest.param({"shapes": (SHAPE,) * 257}, "257 shapes; at most 256 are told", id="too many shapes"),
        pytest.param({"sequence": -1}, "a sequence that no Dispatch can have", id="sequence below zero"),
        pytest.param({"visible_beyond": (1 << 60,)}, "a sequence that no Dispatch can have", id="sequence without end"),
        pytest.param(
            {"shapes": (replace(SHAPE, free={**FREE, "cpu": 8001}),)},
            "shape 1 has 8001m cpu free of 8",
            id="more free than there is",
        ),
        pytest.param(
            {"shapes": (replace(SHAPE, free={**FREE, GPU: -1}),)}, f"shape 1 has -1 {GPU} free", id="free below zero"
        ),
        pytest.param(
            {"shapes": (replace(SHAPE, free={**FREE, "amd.com/gpu": 1}),)},
            "shape 1 has 1 amd.com/gpu free of 0",
            id="free of what there is none",
        ),
        pytest.param(
            {"shapes": (replace(SHAPE, allocatable={**HAS, "memory": 1 << 62}),)},
            "shape 1 has 4294967296Gi memory allocatable",
            id="absurd size",
        ),
        pytest.param(
            {"shapes": (replace(SHAPE, allocatable={**HAS, GPU: 10**7}),)},
            f"shape 1 has 10000000 x {GPU} on one machine",
            id="absurdly many accelerators on a machine",
        ),
        pytest.param(
            {"free": {**GOOD.free, "cpu": 17_000}}, "17 cpu free of 16 in all", id="more free than there is in all"
        ),
        pytest.param({"free": {**GOOD.free, GPU: 1}}, f"2 {GPU} free by shapes, of 1 in all", id="sums do not match"),
        pytest.param({"free": {**GOOD.free, "cpu": -1}}, "-1 cpu free in all", id="total below zero"),
        pytest.param({"accelerators": (AcceleratorTotal(A100, 8, 9),)}, "9 of 8 A100 free", id="too many free"),
        pytest.param({"accelerators": (AcceleratorTotal(A100, 8, -1),)}, "-1 of 8 A100 free", id="below zero"),
        pytest.param(
            {"accelerators": (AcceleratorTotal(A100, 10**6 + 1, 2),)},
            "1000001 accelerators; a member has at most 1000000",
            id="absurdly many accelerators",
        ),
    ],
)
def test_impossible(changes: dict[str, Any], told: str) -> None:
    """What no member can have is named, with the figure."""
    assert impossible(replace(GOOD, **changes)) == told


@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(0, 8)), max_size=6),
    st.lists(st.tuples(st.integers(1, 12), st.integers(1, 4), st.integers(0, 2)), max_size=6),
)
def test_what_agents_make(new_node: Any, machines: list[tuple[int, int]], expected: list[tuple[int, int, int]]) -> None:
    """No profile that an agent makes of machines and pods is taken for impossible."""
    table = MachineTable()
    for i, (cpu, gpus) in enumerate(machines):
        table.upsert_machine(new_node(f"m{i}", {"cpu": str(cpu), GPU: str(gpus), "pods": "100"}))
    pods = [ExpectedPods({"cpu": cpu * 1000, GPU: gpus, "pods": 1}, count, {}) for count, cpu, gpus in expected]
    assert impossible(table.profile(now=NOW, expected=pods)) is None


def test_merged_shapes(new_node: Any) -> None:
    """Shapes that are merged, or left out for want of space, do not make a profile impossible."""
    table = MachineTable()
    for i in range(600):
        table.upsert_machine(new_node(f"m{i}", {"cpu": str(1 + i * 3), "memory": f"{1 + i * 7}Gi", "pods": "100"}))
    assert impossible(table.profile(now=NOW)) is None
