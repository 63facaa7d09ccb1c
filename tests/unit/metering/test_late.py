from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.api.dispatch import MeterQuantity, Reading
from isthmus.metering import Meter, Meters, apart, joined

CORES: Meter = ("MillicoreSeconds", "")
MEMORY: Meter = ("MebibyteSeconds", "")
AMOUNTS = st.fixed_dictionaries({CORES: st.integers(0, 1000), MEMORY: st.integers(0, 1000)})


def _reading(total: int = 0, late: int = 0, **fields: Any) -> Reading:
    def quantities(amount: int) -> list[MeterQuantity]:
        return [MeterQuantity(meter="MillicoreSeconds", quantity=amount)] if amount else []

    usual = {"sequence": 1, "observed_at": "2026-11-22T12:00:00Z"}
    return Reading(total=quantities(total), late=quantities(late), **{**usual, **fields})


def _amount(quantities: list[MeterQuantity]) -> int:
    return sum(each.quantity for each in quantities)


@pytest.mark.parametrize(
    ("previous", "used", "late", "expected"),
    [
        pytest.param(None, 100, 0, (100, 0), id="nothing is late"),
        pytest.param(None, 100, 30, (70, 30), id="all is new"),
        pytest.param(None, 100, None, (0, 100), id="all is late"),
        pytest.param(_reading(60), 100, 30, (70, 30), id="some was told"),
        pytest.param(_reading(60), 100, 90, (60, 40), id="what was told is not late"),
        pytest.param(_reading(60), 100, None, (60, 40), id="all since"),
        pytest.param(_reading(60, 40), 100, None, (60, 40), id="told again"),
        pytest.param(_reading(60, 40), 100, 10, (60, 40), id="told again in parts"),
        pytest.param(_reading(60, 40), 130, 10, (80, 50), id="more came"),
        pytest.param(_reading(60, 40), 130, 0, (90, 40), id="more that is not late"),
    ],
)
def test_apart(previous: Reading | None, used: int, late: int | None, expected: tuple[int, int]) -> None:
    """Late time is what is new, up to what is said to be late; the total has the rest."""
    found = apart(previous, _reading(used, sequence=2), None if late is None else Meters({CORES: late}))
    assert (_amount(found.total), _amount(found.late)) == expected
    assert found.sequence == 2


def test_joined() -> None:
    """Joined, the total has all that was used."""
    assert joined(None) is None
    plain = _reading(60)
    assert joined(plain) is plain
    whole = joined(_reading(60, 40))
    assert whole is not None
    assert (_amount(whole.total), whole.late) == (100, [])


@given(st.lists(st.tuples(AMOUNTS, st.none() | AMOUNTS), min_size=1, max_size=6))
def test_nothing_is_lost_or_falls(steps: list[tuple[dict[Meter, int], dict[Meter, int] | None]]) -> None:
    """However much is late, total and late time are together what was used, and neither ever falls."""
    used, previous = Meters(), None
    for number, (more, late) in enumerate(steps, 1):
        used += Meters(more)
        whole = _reading(sequence=number).model_copy(update={"total": used.quantities()})
        found = apart(previous, whole, None if late is None else Meters(late))
        total, apart_now = Meters.from_quantities(found.total), Meters.from_quantities(found.late)
        assert total + apart_now == used
        if previous is not None:
            before = Meters.from_quantities(previous.total), Meters.from_quantities(previous.late)
            assert total.maximum(before[0]) == total
            assert apart_now.maximum(before[1]) == apart_now
        previous = found
