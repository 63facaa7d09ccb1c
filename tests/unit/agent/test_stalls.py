import pytest

from isthmus.agent.stalls import CATCH_UP_SECONDS, Stalls


class _Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("gaps", "blind"),
    [
        pytest.param([1, 1, 2, 3], 0, id="a busy process"),
        pytest.param([1, 30], 30, id="stopped"),
        pytest.param([1, 30, 1, 1], 32, id="reading what came meanwhile"),
        pytest.param([1, 30, 1, 1, 30, 1], 63, id="stopped again"),
        pytest.param([1, 30, *[1] * int(CATCH_UP_SECONDS)], 0, id="caught up"),
        pytest.param([1, 30, *[1] * int(CATCH_UP_SECONDS), 20], 20, id="caught up and stopped again"),
    ],
)
def test_stalls(gaps: list[float], blind: float) -> None:
    """What came during a stall counts as unread until there was time to read it."""
    clock = _Clock()
    stalls = Stalls(clock)
    seconds = 0.0
    for gap in gaps:
        clock.now += gap
        seconds = stalls.blind_seconds()
    assert seconds == blind
