from datetime import datetime, timedelta
from typing import Any, cast

import msgspec
import pytest
from tests.unit.agent.objects import MOMENT

from isthmus.agent.meter import ShardMeter
from isthmus.agent.stock import _late_time
from isthmus.api.core import Pod
from isthmus.api.dispatch import DispatchStatus
from isthmus.capacity import AcceleratorTable, MachineTable

VERDICT = 600
"""Seconds after the moment at which the hub gave the shard up, by its own clock; the last reading was at 100."""


class _Member:
    """A member whose clock is ahead of ours by some seconds, or that has not told what it shows."""

    def __init__(self, ahead: float | None) -> None:
        self.machines = MachineTable(AcceleratorTable.default())
        self.ahead = ahead

    def server_time(self) -> datetime | None:
        return None if self.ahead is None else _at(1000 + self.ahead)


def _meter(ahead: float | None) -> ShardMeter:
    member = cast("Any", _Member(ahead))
    return ShardMeter(member, "hub", "n1", view=member, jobs=member, now=lambda: _at(1000))


def _at(seconds: float) -> datetime:
    return MOMENT + timedelta(seconds=seconds)


def _pod(uid: str, begin: float, end: float) -> Pod:
    ran = {"startedAt": _at(begin).isoformat(), "finishedAt": _at(end).isoformat()}
    status = {"phase": "Failed", "containerStatuses": [{"name": "main", "state": {"terminated": ran}}]}
    spec = {"containers": [{"name": "main", "resources": {"requests": {"cpu": "1"}}}]}
    return msgspec.convert({"metadata": {"name": uid, "uid": uid}, "spec": spec, "status": status}, Pod)


def _status(reason: str = "Fenced", **status: Any) -> DispatchStatus:
    reading = {"sequence": 1, "observedAt": _at(100).isoformat().replace("+00:00", "Z")}
    verdict = _at(VERDICT).isoformat().replace("+00:00", "Z")
    told = {"state": "Lost", "reason": reason, "completionTime": verdict, "reading": reading, **status}
    return DispatchStatus.model_validate(told)


@pytest.mark.parametrize(
    ("ahead", "begin", "end", "unseen", "seconds"),
    [
        pytest.param(0, 0, 590, False, 0, id="stopped before the verdict"),
        pytest.param(0, 0, 600, False, 0, id="stopped with it"),
        pytest.param(0, 0, 700, False, 100, id="ran on"),
        pytest.param(0, 650, 700, False, 50, id="began after it"),
        pytest.param(0, 0, 590, True, 495, id="succeeded unseen: all that no reading has counted"),
        pytest.param(3600, 0, 3600 + 590, False, 0, id="a clock ahead, stopped before"),
        pytest.param(3600, 3600, 3600 + 700, False, 100, id="a clock ahead, ran on"),
        pytest.param(-3600, -3600, -3600 + 700, False, 100, id="a clock behind, ran on"),
        pytest.param(-1.5, 0, 600, False, 1, id="a lower bound of its clock: rather too much than too little is late"),
        pytest.param(None, 0, 700, False, 100, id="a clock that nothing is known of"),
    ],
)
def test_after_the_verdict(ahead: float | None, begin: float, end: float, unseen: bool, seconds: int) -> None:
    """Late is what a pod ran after the verdict, by the member's clock; of one that succeeded unseen it is more."""
    late, overrun = _late_time(_status(), [_pod("p", begin, end)], {"p"} if unseen else set(), _meter(ahead))
    assert late is not None
    assert late["MillicoreSeconds", ""] == seconds * 1000
    assert [pod.metadata.uid for pod in overrun] == ["p"] * (seconds > 0 and not unseen)


@pytest.mark.parametrize(
    "status",
    [
        pytest.param(_status("Unfenced"), id="it waited for nothing"),
        pytest.param(_status("Forgotten"), id="somebody's word"),
        pytest.param(_status(completionTime=None), id="it names no instant"),
    ],
)
def test_a_verdict_that_vouches_for_nothing(status: DispatchStatus) -> None:
    """All that no reading has counted is late."""
    pods = [_pod("before", 0, 90), _pod("across", 0, 590), _pod("unseen", 0, 590)]
    late, overrun = _late_time(status, pods, {"unseen"}, _meter(0))
    assert late is None
    assert [pod.metadata.uid for pod in overrun] == ["across"]


def test_a_verdict_by_the_members_clock() -> None:
    """Where the hub told the verdict by the member's clock, nothing is reckoned by its own, which may have been set."""
    told = _status(completionTime=_at(86_400).strftime("%Y-%m-%dT%H:%M:%SZ"), verdictTime="2026-11-22T12:10:00Z")
    late, _ = _late_time(told, [_pod("p", 0, VERDICT + 100)], set(), _meter(0))
    assert late is not None
    assert late["MillicoreSeconds", ""] == 100 * 1000
