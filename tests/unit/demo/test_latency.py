import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.latency import Stopwatch, percentile
from demo.live import duration


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([], 50, None),
        ([7.0], 50, 7.0),
        ([7.0], 99, 7.0),
        ([4.0, 1.0, 3.0, 2.0], 50, 2.0),
        ([float(n) for n in range(1, 101)], 99, 99.0),
        ([float(n) for n in range(1, 202)], 99, 199.0),
        ([1.0, 2.0], 0, 1.0),
    ],
)
def test_percentiles_are_nearest_rank(values: list[float], percent: float, expected: float | None) -> None:
    """The smallest value that the percentage of all values does not exceed; none of nothing."""
    assert percentile(values, percent) == expected


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0, 100))
def test_a_percentile_is_one_of_the_values(values: list[float], percent: float) -> None:
    """Nothing is interpolated, and at least that share of the values is not above it."""
    found = percentile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) >= len(values) * percent / 100 - 1e-9


def test_a_job_may_be_seen_before_its_call_returns() -> None:
    """The order of the two reports does not matter, and only the first sight counts."""
    watch = Stopwatch()
    watch.seen("a", 10.25)
    watch.created("a", 10.0)
    watch.created("b", 11.0)
    watch.seen("b", 11.5)
    watch.seen("b", 19.0)
    watch.created("not through", 12.0)
    watch.seen("of another run", 12.0)

    assert watch.milliseconds() == {"a": 250.0, "b": 500.0}


@pytest.mark.parametrize(("milliseconds", "text"), [(84.4, "84 ms"), (999.0, "999 ms"), (31_240.0, "31.2 s")])
def test_durations_are_for_people(milliseconds: float, text: str) -> None:
    """Milliseconds up to a second, then seconds."""
    assert duration(milliseconds) == text
