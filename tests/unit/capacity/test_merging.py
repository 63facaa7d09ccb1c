from collections.abc import Callable, Mapping
from itertools import islice, product
from operator import attrgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.capacity import Accelerator, MachineTaint, Shape
from isthmus.capacity.groups import Group, Kind
from isthmus.capacity.merging import merged_shapes

GPU = Accelerator("NVIDIA", "nvidia.com/gpu", "A100")
OTHER = Accelerator("NVIDIA", "nvidia.com/gpu", "H100")
TAINT = MachineTaint("night", "", "NoSchedule")
GIB = 1 << 30


def group(cpu: int, memory: int, gpus: int = 0, *, kind: Kind | None = None) -> Group:
    """A machine of 64 cores, 256 GiB and 8 accelerators, or of another kind, with so much of it free at most."""
    kind = kind or PLAIN
    return Group(kind, tuple(map(min, (cpu, memory, gpus), kind.allocatable)))


RESOURCES = ("cpu", "memory", "nvidia.com/gpu")
ALLOCATABLE = (64_000, 256 * GIB, 8)
PLAIN = Kind(RESOURCES, ALLOCATABLE, (GPU,), (), ())
TAINTED = Kind(RESOURCES, ALLOCATABLE, (GPU,), (TAINT,), ())
NEWER = Kind(RESOURCES, ALLOCATABLE, (OTHER,), (), ())
ARM = Kind(RESOURCES, ALLOCATABLE, (GPU,), (), (("kubernetes.io/arch", "arm64"),))
SMALLER = Kind(RESOURCES, (48_000, 192 * GIB, 4), (GPU,), (), ())
KINDS = (PLAIN, TAINTED, NEWER, ARM, SMALLER)


def test_few() -> None:
    """Nothing is merged while there is room for all of it."""
    groups = {group(1000 * i, GIB): i + 1 for i in range(10)}
    assert sorted(s.count for s in merged_shapes(groups, 10)) == list(range(1, 11))


def test_nearly_alike() -> None:
    """Machines that differ by next to nothing are merged before any others, to the least of each figure."""
    groups = {
        group(32_000, 100 * GIB): 1,
        group(32_001, 100 * GIB + 1): 2,
        group(48_000, 200 * GIB): 4,
        group(32_000, 100 * GIB, 1): 8,
    }
    merged = merged_shapes(groups, 3)
    assert [(s.count, s.free["cpu"], s.free["memory"] // GIB, s.free["nvidia.com/gpu"]) for s in merged] == [
        (3, 32_000, 100, 0),
        (8, 32_000, 100, 1),
        (4, 48_000, 200, 0),
    ]


def test_accelerators_last() -> None:
    """Free accelerators are told exactly as long as there is room for it, whatever becomes of cpu and memory."""
    groups = {group(cpu * 1000, GIB, gpus): 1 for cpu, gpus in product(range(64), range(9))}
    merged = merged_shapes(groups, 9)
    assert sorted((s.free["nvidia.com/gpu"], s.count) for s in merged) == [(gpus, 64) for gpus in range(9)]


def test_too_many() -> None:
    """Where even merging is not enough, machines are left out, the smallest first; they are never made up."""
    tainted = [
        Kind(RESOURCES, (1000 * i, GIB, 8), (GPU,), (MachineTaint(f"t{i}", "", "NoSchedule"),), ())
        for i in range(1, 21)
    ]
    merged = merged_shapes({Group(kind, kind.allocatable): 1 for kind in tainted}, 8)
    assert sorted(s.allocatable["cpu"] for s in merged) == [1000 * i for i in range(13, 21)]


def test_missing_resource() -> None:
    """What one of the merged machines lacks the merged shape lacks."""
    plain = Kind(("cpu", "memory"), (8000, 8 * GIB), (), (), ())
    local = Kind(("cpu", "example.com/disk", "memory"), (8000, 3, 8 * GIB), (), (), ())
    groups = {Group(plain, (8000, 8 * GIB)): 1, Group(local, (8000, 3, 8 * GIB)): 1}
    assert merged_shapes(groups, 1) == (
        Shape(2, {"cpu": 8000, "memory": 8 * GIB}, {"cpu": 8000, "memory": 8 * GIB}, labels={}),
    )


GROUPS = st.dictionaries(
    st.builds(
        lambda cpu, memory, gpus, kind: group(cpu, memory * GIB, gpus, kind=kind),
        st.integers(0, 64_000),
        st.integers(0, 256),
        st.integers(0, 8),
        st.sampled_from(KINDS),
    ),
    st.integers(1, 5),
    min_size=1,
    max_size=60,
)


@given(GROUPS, st.integers(4, 12), st.integers(1, 64_000), st.integers(0, 256), st.integers(0, 8))
def test_never_more(groups: dict[Group, int], limit: int, cpu: int, memory: int, gpus: int) -> None:
    """However coarsely machines are told, no pod fits more often than on the machines themselves; few are left out."""
    request = {"cpu": cpu, "memory": memory * GIB, "nvidia.com/gpu": gpus}

    def fitting(shapes: tuple[Shape, ...], facts: object, vector: Callable[[Shape], Mapping[str, int]]) -> int:
        return sum(
            s.count * min(vector(s).get(name, 0) // value for name, value in request.items() if value)
            for s in shapes
            if (s.accelerators, s.taints, s.labels) == facts
        )

    merged = merged_shapes(groups, limit)
    exact = tuple(g.shape(count) for g, count in groups.items())
    assert len(merged) <= limit
    assert sum(s.count for s in merged) == sum(groups.values())
    for kind in KINDS:
        facts = (kind.accelerators, kind.taints, dict(kind.labels))
        for vector in (attrgetter("free"), attrgetter("allocatable")):
            assert fitting(merged, facts, vector) <= fitting(exact, facts, vector)
    assert all(s.free[name] <= s.allocatable[name] for s in merged for name in s.free)


@pytest.mark.parametrize("limit", [1, 4, 7])
def test_order(limit: int) -> None:
    """The same machines are told the same way, in whatever order they were met."""
    groups = {group(cpu, GIB * cpu % 97, cpu % 9, kind=KINDS[cpu % 5]): 1 for cpu in range(50)}
    backwards = dict(reversed(groups.items()))
    shuffled = dict(islice([*list(groups.items())[25:], *list(groups.items())[:25]], 50))
    assert merged_shapes(groups, limit) == merged_shapes(backwards, limit) == merged_shapes(shuffled, limit)
