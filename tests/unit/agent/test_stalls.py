from typing import Any

import pytest

from isthmus.agent.stalls import CATCH_UP_SECONDS, Stalls
from isthmus.agent.view import MemberView
from isthmus.capacity import AcceleratorTable
from isthmus.clusters import FakeCluster


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


def test_caught_up_after_a_stall() -> None:
    """Once the watch has passed the first list made after it; where the member was put back, a later list is lower."""
    clock = _Clock()
    ignore: Any = lambda *_: None  # noqa: E731
    view = MemberView(
        FakeCluster("member"),
        "hub",
        "node",
        AcceleratorTable.default(),
        clock=clock,
        on_shard=ignore,
        on_capacity=ignore,
        on_connection=ignore,
    )
    view._pod_informer._version = "10"
    view.pods_listed(view.stalls(), 20)
    assert view.has_caught_up(), "there was no stall"
    clock.now += 30
    assert not view.has_caught_up()
    for version, caught_up in ((12, False), (15, False), (9, True), (30, True)):
        view.pods_listed(view.stalls(), version)
        assert view.has_caught_up() is caught_up
    clock.now += 30
    view.pods_listed(1, 8)
    assert not view.has_caught_up(), "that list was asked for before the second stall"
