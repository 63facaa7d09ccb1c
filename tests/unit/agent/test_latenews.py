"""An end that is told late says that others may have come, too."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from isthmus.agent.latenews import IN_TIME, KEPT, SPREAD, LateNews
from isthmus.api.core import Pod

END = datetime(2026, 11, 29, 12, tzinfo=UTC)


def _pod(phase: str, *, finished: bool = True) -> Pod:
    ran: dict[str, Any] = {"startedAt": END - timedelta(hours=1), **({"finishedAt": END} if finished else {})}
    state = {"running": ran} if phase == "Running" else {"terminated": ran}
    status = {"phase": phase, "containerStatuses": [{"name": "main", "state": state}]}
    return msgspec.convert({"metadata": {"uid": "u"}, "spec": {"nodeName": "m1"}, "status": status}, Pod)


LATE = timedelta(seconds=9)
RUNNING, ENDED = _pod("Running"), _pod("Failed")


@pytest.mark.parametrize(
    ("old", "new", "lag", "after", "behind"),
    [
        pytest.param(RUNNING, ENDED, IN_TIME, timedelta(), timedelta(), id="in time"),
        pytest.param(RUNNING, ENDED, LATE, timedelta(), LATE + SPREAD, id="late"),
        pytest.param(RUNNING, ENDED, LATE, KEPT / 2, LATE + KEPT / 2 + SPREAD, id="kept"),
        pytest.param(RUNNING, ENDED, LATE, KEPT, timedelta(), id="over"),
        pytest.param(RUNNING, ENDED, LATE, timedelta(seconds=-1), timedelta(), id="clock set back"),
        pytest.param(ENDED, ENDED, LATE, timedelta(), timedelta(), id="a change after the end"),
        pytest.param(None, ENDED, LATE, timedelta(), timedelta(), id="ended when first seen"),
        pytest.param(RUNNING, RUNNING, LATE, timedelta(), timedelta(), id="runs on"),
        pytest.param(RUNNING, _pod("Failed", finished=False), LATE, timedelta(), timedelta(), id="unseen"),
    ],
)
def test_how_far_behind(old: object, new: object, lag: timedelta, after: timedelta, behind: timedelta) -> None:
    """What is known is known up to the end that was told late, for a while; the time is that since then."""
    news = LateNews()
    news.pod_changed(old, new, END + lag)
    assert news.seconds(END + lag + after) == behind.total_seconds()


def test_the_last_one_counts() -> None:
    """What is told late is told in order, so that the last says up to when all is known."""
    news = LateNews()
    news.pod_changed(RUNNING, ENDED, END + timedelta(seconds=20))
    later = msgspec.convert(msgspec.to_builtins(ENDED), Pod)
    later.status.container_statuses[0].state.terminated.finished_at = END + timedelta(seconds=10)  # type: ignore[union-attr]
    news.pod_changed(RUNNING, later, END + timedelta(seconds=21))
    assert news.seconds(END + timedelta(seconds=21)) == 11 + SPREAD.total_seconds()
