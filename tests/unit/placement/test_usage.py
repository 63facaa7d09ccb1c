import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.placement import Usage

_steps = st.lists(st.tuples(st.floats(0, 50), st.integers(0, 16)), min_size=1, max_size=12)


def test_half_a_life() -> None:
    """What is held from now on makes half of its amount in a half-life, three quarters in two; then it falls so."""
    usage = Usage(0.0).holding({"gpu": 8}, 0.0, 10.0)
    assert usage.average_at(0, 10) == {}
    assert usage.average_at(10, 10) == {"gpu": pytest.approx(4)}
    assert usage.average_at(20, 10) == {"gpu": pytest.approx(6)}
    after = usage.holding({}, 20.0, 10.0)
    assert after.average_at(30, 10) == {"gpu": pytest.approx(3)}
    assert not after.idle(30, 10)
    assert after.idle(1000, 10)


@given(steps=_steps, half_life=st.floats(1, 100))
def test_a_past_told_at_once_is_as_one_lived_through(steps: list[tuple[float, int]], half_life: float) -> None:
    """A hub that begins anew and is told what was held when comes to the average of one that was there all along."""
    lived, at, spans = Usage(0.0), 0.0, []
    for lasted, amount in steps:
        lived = lived.holding({"gpu": amount}, at, half_life)
        spans.append((at, at + lasted, amount))
        at += lasted
    told = Usage(at)
    for began, ended, amount in spans:
        told = told.with_past({"gpu": amount}, began, ended, half_life)
    expected = lived.average_at(at, half_life).get("gpu", 0.0)
    assert told.average_at(at, half_life).get("gpu", 0.0) == pytest.approx(expected, abs=1e-6)


@given(steps=_steps, half_life=st.floats(1, 100))
def test_an_average_is_never_beyond_what_was_held(steps: list[tuple[float, int]], half_life: float) -> None:
    """However holdings change, the average stays between nothing and the most that was held."""
    usage, at = Usage(0.0), 0.0
    for lasted, amount in steps:
        usage = usage.holding({"gpu": amount}, at, half_life)
        at += lasted
        average = usage.average_at(at, half_life).get("gpu", 0.0)
        assert 0 <= average <= max(amount for _, amount in steps) + 1e-6


def test_a_clock_that_seems_to_go_back_changes_nothing() -> None:
    """A moment before the last one counts as that one."""
    usage = Usage(100.0, {"gpu": 4.0}, {"gpu": 2})
    assert usage.average_at(50, 10) == {"gpu": 4.0}
    assert usage.holding({}, 50, 10).at == 100.0
