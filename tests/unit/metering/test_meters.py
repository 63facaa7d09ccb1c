import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.api.dispatch import MeterQuantity
from isthmus.metering import (
    MEBIBYTE_SECONDS,
    METER_LIMIT,
    MILLI_GPU_SECONDS,
    MILLICORE_SECONDS,
    OTHER_MODELS,
    Meter,
    Meters,
    pod_meters,
)

CORES: Meter = (MILLICORE_SECONDS, "")
MEMORY: Meter = (MEBIBYTE_SECONDS, "")
A100: Meter = (MILLI_GPU_SECONDS, "A100")

METERS = st.dictionaries(
    st.sampled_from([CORES, MEMORY, A100, (MILLI_GPU_SECONDS, "H100")]), st.integers(0, 10**18)
).map(Meters)


@pytest.mark.parametrize(
    ("request_", "models", "seconds", "meters"),
    [
        pytest.param({}, {}, 60, {}, id="nothing asked"),
        pytest.param({"cpu": 500, "memory": 1 << 30}, {}, 60, {CORES: 30_000, MEMORY: 61_440}, id="cpu and memory"),
        pytest.param({"memory": 1}, {}, 60, {MEMORY: 60}, id="a started MiB counts whole"),
        pytest.param({"memory": (1 << 20) + 1}, {}, 1, {MEMORY: 2}, id="as do two"),
        pytest.param(
            {"cpu": 4000, "nvidia.com/gpu": 2}, {"nvidia.com/gpu": "A100"}, 3, {CORES: 12_000, A100: 6000}, id="GPUs"
        ),
        pytest.param(
            {"a/gpu": 2, "b/gpu": 1}, {"a/gpu": "A100", "b/gpu": "A100"}, 1, {A100: 3000}, id="one model twice"
        ),
        pytest.param(
            {"cpu": 4000, "example.com/fpga": 2, "pods": 1}, {}, 1, {CORES: 4000}, id="others are not metered"
        ),
        pytest.param({"cpu": 4000}, {}, 0, {}, id="no time"),
    ],
)
def test_pod_meters(request_: dict[str, int], models: dict[str, str], seconds: int, meters: dict[Meter, int]) -> None:
    """A pod is metered by what it asks for and by whole seconds."""
    assert pod_meters(request_, models, seconds) == Meters(meters)


@given(METERS, METERS)
def test_arithmetic(one: Meters, two: Meters) -> None:
    """Sums, differences and maxima are taken meter by meter, and what is zero is not there."""
    assert one + two == two + one
    assert (one + two) - two == one
    largest = one.maximum(two)
    assert all(largest[meter] == max(one[meter], two[meter]) for meter in {*one, *two})
    assert one.maximum(one + two) == one + two
    assert Meters.total([one, two, Meters()]) == one + two
    assert all(value > 0 for value in one.values())
    assert hash(one + two) == hash(two + one)


def test_below_zero() -> None:
    """Resource-time is never below zero."""
    with pytest.raises(ValueError, match="below zero"):
        Meters({CORES: -1})
    with pytest.raises(ValueError, match="below zero"):
        Meters({CORES: 1}) - Meters({CORES: 1, MEMORY: 1})


@given(METERS)
def test_quantities(meters: Meters) -> None:
    """A reading's quantities stand in one order, name each meter once and give the meters back."""
    quantities = meters.quantities()
    assert [(q.meter, q.model) for q in quantities] == sorted({(q.meter, q.model) for q in quantities})
    assert Meters.from_quantities(quantities) == meters
    assert Meters.from_quantities([*quantities, *quantities]) == meters + meters


def test_told() -> None:
    """Quantities are told as the API has them."""
    assert Meters({A100: 7, CORES: 0, MEMORY: 5}).quantities() == [
        MeterQuantity(meter="MebibyteSeconds", quantity=5),
        MeterQuantity(meter="MilliGPUSeconds", model="A100", quantity=7),
    ]


@given(st.lists(st.dictionaries(st.integers(0, 60), st.integers(1, 9)), min_size=1, max_size=6))
def test_bounded(steps: list[dict[int, int]]) -> None:
    """However many models come up, a reading has room, nothing is lost, and a model once named keeps its name."""
    used = Meters({CORES: 1})
    told = Meters()
    for step in steps:
        used += Meters({(MILLI_GPU_SECONDS, f"M{model:02}"): value for model, value in step.items()})
        before, told = told, used.bounded(told)
        assert len(told) <= METER_LIMIT
        assert sum(told.values()) == sum(used.values())
        assert all(told[meter] >= before[meter] for meter in before)
        assert all(told[meter] == used[meter] for meter in told if meter != OTHER_MODELS)
