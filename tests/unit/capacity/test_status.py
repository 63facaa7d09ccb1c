from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from isthmus.api import profile as api
from isthmus.capacity import Accelerator, AcceleratorTotal, MachineTaint, Profile, Shape, from_status, to_status

NOW = datetime(2026, 11, 22, 3, 4, 5, 678_000, tzinfo=UTC)
GIB = 1 << 30

WORDS = st.text("abcXYZ019", min_size=1, max_size=12)
AMOUNTS = st.one_of(st.integers(0, 5000), st.integers(0, (1 << 63) - 1), st.integers(0, 4096).map(lambda n: n * GIB))
VECTORS = st.dictionaries(
    st.sampled_from(["cpu", "memory", "pods", "ephemeral-storage", "hugepages-2Mi", "nvidia.com/gpu"]), AMOUNTS
)
ACCELERATORS = st.builds(
    Accelerator,
    vendor=WORDS,
    resource_name=WORDS,
    model=WORDS,
    memory_bytes=st.none() | AMOUNTS,
    partition_profile=st.none() | WORDS,
    label=st.none() | st.tuples(WORDS, WORDS),
    other_labels=st.dictionaries(WORDS, WORDS, max_size=4).map(lambda labels: tuple(sorted(labels.items()))),
)
SHAPES = st.builds(
    Shape,
    count=st.integers(1, 1000),
    free=VECTORS,
    allocatable=VECTORS,
    accelerators=st.lists(ACCELERATORS, max_size=3).map(tuple),
    labels=st.dictionaries(WORDS, WORDS, max_size=3),
    taints=st.lists(
        st.builds(MachineTaint, WORDS, WORDS, st.sampled_from(["NoSchedule", "NoExecute"])), max_size=3
    ).map(tuple),
)


@given(st.lists(SHAPES, max_size=5).map(tuple), VECTORS)
def test_round_trip(shapes: tuple[Shape, ...], totals: dict[str, int]) -> None:
    """A profile comes back from a ComputeNode's status, through JSON, exactly as it was."""
    profile = Profile(NOW, 3, totals, totals, (), shapes, 7, (9, 12))
    published = api.Profile.model_validate(to_status(profile).to_manifest())
    assert from_status(published) == profile


def test_published() -> None:
    """The published profile has quantities, UTC, and the accelerators summed up."""
    whole = Accelerator("NVIDIA", "nvidia.com/gpu", "A100", 80 * GIB)
    part = Accelerator("NVIDIA", "nvidia.com/mig-1g.10gb", "A100", 10 * GIB, "1g.10gb")
    profile = Profile(
        observed_at=NOW.astimezone(timezone(timedelta(hours=8))),
        machines=2,
        allocatable={"cpu": 1500, "memory": 3 * GIB},
        free={"cpu": 1000, "memory": 1},
        accelerators=(AcceleratorTotal(whole, 8, 5), AcceleratorTotal(part, 7, 2)),
        shapes=(),
    )
    assert to_status(profile).to_manifest() == {
        "observedAt": "2026-11-22T03:04:05.678Z",
        "sequence": 0,
        "visibleBeyond": [],
        "machines": 2,
        "allocatable": {"cpu": "1500m", "memory": "3Gi"},
        "free": {"cpu": "1", "memory": "1"},
        "gpuTotal": 15,
        "gpuFree": 7,
        "accelerators": [
            {
                "vendor": "NVIDIA",
                "resourceName": "nvidia.com/gpu",
                "model": "A100",
                "memory": "80Gi",
                "total": 8,
                "free": 5,
            },
            {
                "vendor": "NVIDIA",
                "resourceName": "nvidia.com/mig-1g.10gb",
                "model": "A100",
                "memory": "10Gi",
                "partitionProfile": "1g.10gb",
                "total": 7,
                "free": 2,
            },
        ],
        "shapes": [],
    }


def test_bounded() -> None:
    """What the object has no room for is left out: rare resources, small totals, far sequences."""
    resources = {f"example.com/r{i}": 1 for i in range(100)} | {"cpu": 1000, "nvidia.com/gpu": 8}
    totals = tuple(AcceleratorTotal(Accelerator("NVIDIA", "nvidia.com/gpu", f"M{i:03}"), i, 0) for i in range(100))
    published = to_status(Profile(NOW, 1, resources, resources, totals, (), 1, tuple(range(400, 2, -1))))
    assert len(published.allocatable) == len(published.free) == 64
    assert {"cpu", "nvidia.com/gpu"} <= set(published.allocatable)
    assert [total.model for total in published.accelerators] == [f"M{i:03}" for i in range(36, 100)]
    assert published.gpu_total == sum(range(100))
    assert published.visible_beyond == list(range(3, 259))
