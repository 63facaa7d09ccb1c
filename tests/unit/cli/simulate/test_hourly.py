import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.cli.simulate.hourly import Hourly

DAY = Hourly([float(hour) for hour in range(24)])


def test_the_figure_in_force() -> None:
    """Each hour has its own, each day alike."""
    assert [DAY.at(seconds) for seconds in (0, 3599, 3600, 86_399, 86_400 + 7200)] == [0, 0, 1, 23, 2]


def test_over_time() -> None:
    """Half of the hour from 1 and a quarter of that from 2; whole days sum up."""
    assert DAY.over(5400, 8100) == pytest.approx(0.5 * 1 + 0.25 * 2)
    assert DAY.over(0, 3 * 86_400) == pytest.approx(3 * sum(range(24)))


@given(
    start=st.floats(0, 1e6),
    first=st.floats(0, 1e6),
    second=st.floats(0, 1e6),
    figures=st.lists(st.floats(0, 100), min_size=24, max_size=24),
)
def test_parts_sum_to_the_whole(start: float, first: float, second: float, figures: list[float]) -> None:
    """Wherever a time is cut; and none costs more than the dearest hour throughout."""
    hourly = Hourly(figures)
    whole = hourly.over(start, start + first + second)
    parts = hourly.over(start, start + first) + hourly.over(start + first, start + first + second)
    assert parts == pytest.approx(whole, rel=1e-6, abs=1e-6)
    assert -1e-6 <= whole <= max(figures) * (first + second) / 3600 + 1e-3


def test_a_day_of_other_length() -> None:
    """It is refused."""
    with pytest.raises(ValueError, match="24 hours, not 23"):
        Hourly([1.0] * 23)
