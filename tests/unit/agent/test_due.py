from collections import Counter
from typing import Any

import pytest
from tests.unit.agent.objects import dispatch

from isthmus.agent.due import (
    READING_SECONDS,
    REPORT_BUSY_SECONDS,
    REPORT_SECONDS,
    SETTLE_SECONDS,
    has_news,
    seconds_until_due,
    spread,
)
from isthmus.agent.execution import Execution
from isthmus.api.dispatch import DispatchStatus

LONG_AGO = float("inf")


def _status(state: str, **fields: Any) -> DispatchStatus:
    return dispatch(state, **fields).status


RUNNING = _status("Running", active=2)


@pytest.mark.parametrize(
    "new",
    [
        pytest.param(_status("Running", active=1), id="a pod fewer"),
        pytest.param(_status("Running", active=2, succeeded=1), id="a pod succeeded"),
        pytest.param(_status("Running", active=2, failed=1), id="a pod failed"),
        pytest.param(_status("Suspended", active=2), id="another state"),
        pytest.param(_status("Running", active=2, podProblem={"reason": "ErrImagePull"}), id="trouble"),
    ],
)
@pytest.mark.parametrize("noticed", [0.0, 0.25, 3.0])
def test_news_is_kept_back_for_a_second(new: DispatchStatus, noticed: float) -> None:
    """News is told a second after it was noticed, however long ago the last write was: more may follow."""
    assert has_news(RUNNING, new)
    for since in (0.0, LONG_AGO):
        due = seconds_until_due(RUNNING, new, urgent=False, backlog=True, since=since, noticed=noticed)
        assert due == REPORT_SECONDS - noticed


@pytest.mark.parametrize(("busy", "due"), [(False, REPORT_SECONDS), (True, READING_SECONDS)])
def test_pods_that_wait_to_begin_are_no_news_for_a_busy_hub(busy: bool, due: float) -> None:
    """How many pods a shard has that has not begun is told with what comes next, and with its first reading at last."""
    accepted, waiting = _status("Accepted"), _status("Accepted", active=2)
    assert has_news(accepted, waiting, busy=busy) is not busy
    assert seconds_until_due(accepted, waiting, urgent=False, backlog=False, since=0, noticed=0, busy=busy) == due


def test_progress_waits_longer_for_a_busy_hub() -> None:
    """While the hub's API is busy progress is kept back longer, and an end is not."""
    kept = [
        seconds_until_due(RUNNING, _status(state), urgent=False, backlog=True, since=60, noticed=2, busy=True)
        for state in ("Suspended", "Succeeded")
    ]
    assert kept == [REPORT_BUSY_SECONDS - 2, 0.0]


@pytest.mark.parametrize(
    "told", [{"armed": True}, {"stopped": True}, {"failed": 1}], ids=["armed", "stopped", "failed"]
)
def test_what_others_wait_for_is_told_though_the_hub_is_busy(told: dict[str, Any]) -> None:
    """That a shard stops by itself or has stopped, or failures that may pass a limit, are no progress that can wait."""
    new = _status("Running", active=2, **told)
    assert seconds_until_due(RUNNING, new, urgent=False, backlog=False, since=0, noticed=REPORT_SECONDS, busy=True) == 0


@pytest.mark.parametrize(
    ("urgent", "backlog", "pause"),
    [
        pytest.param(False, False, READING_SECONDS, id="nothing new"),
        pytest.param(False, True, SETTLE_SECONDS, id="pods that ended wait"),
        pytest.param(True, True, REPORT_SECONDS, id="a pod that is deleted waits"),
    ],
)
@pytest.mark.parametrize("since", [0.0, 0.25, 3.0, LONG_AGO])
def test_pause_between_writes(urgent: bool, backlog: bool, pause: float, since: float) -> None:
    """A reading comes that long after the last write, and at once where that is over or there was none."""
    assert not has_news(RUNNING, RUNNING)
    assert seconds_until_due(RUNNING, RUNNING, urgent=urgent, backlog=backlog, since=since, noticed=0) == pause - since


@pytest.mark.parametrize("state", ["Succeeded", "Failed", "Cancelled", "Refused", "Lost"])
def test_an_end_is_told_at_once(state: str) -> None:
    """The end of a shard waits for nothing."""
    assert seconds_until_due(RUNNING, _status(state), urgent=False, backlog=False, since=0.0, noticed=0.0) == 0.0


@pytest.mark.parametrize(("busy", "pause"), [(False, SETTLE_SECONDS), (True, REPORT_BUSY_SECONDS)])
def test_restarts_are_told_now_and_then(busy: bool, pause: float) -> None:
    """Restarts may add up to a limit, and come by the dozen: they are told, and not each by itself."""
    old, new = _status("Running", restarts=2), _status("Running", restarts=3)
    due = [
        seconds_until_due(before, after, urgent=False, backlog=False, since=1.0, noticed=0.0, busy=busy)
        for before, after in ((old, new), (new, old))
    ]
    assert due == [pause - 1.0, READING_SECONDS - 1.0]
    assert not has_news(old, new)


def test_what_is_taken_up_at_once_is_spread_out() -> None:
    """Of many shards that a new process takes up, about as many are due in each part of the time."""
    instants = [spread(f"uid-{number}", 60.0) for number in range(6000)]
    tenths = Counter(int(instant // 6) for instant in instants)
    assert set(tenths) == set(range(10))
    assert all(500 <= count <= 700 for count in tenths.values())


def test_only_an_earlier_process_shard_is_spread_out() -> None:
    """A shard that has no reading yet is told at once; of one that has, the next is due within its minute."""
    fresh, old = (
        dispatch("Accepted"),
        dispatch("Running", reading={"sequence": 3, "observedAt": "2026-11-22T12:00:00Z"}),
    )
    assert Execution.of(fresh, 1000.0).written_at == float("-inf")
    assert 1000.0 - READING_SECONDS < Execution.of(old, 1000.0).written_at <= 1000.0
