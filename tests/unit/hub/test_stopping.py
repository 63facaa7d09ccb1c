import math
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.hub.desk import AFTER, ALLOWANCE, DUE, Desk, over

from isthmus.agent.stoprate import StopRate
from isthmus.api.computenode import ComputeNodeStatus
from isthmus.api.dispatch import Dispatch
from isthmus.hub.fencing import Wait
from isthmus.hub.stopping import Stopping, stop_seconds

FINAL = {"reading": {"sequence": 1, "observedAt": "2026-11-22T12:00:00Z", "final": True}}
GIVEN_UP = {"state": "Lost", "reason": "Fenced"}


def _waits(desk: Desk) -> float:
    verdict = desk.verdict()
    assert isinstance(verdict, Wait)
    return verdict.seconds


@pytest.mark.parametrize(
    ("other", "seconds"),
    [
        pytest.param({}, 101 / 10, id="a live one"),
        pytest.param({"state": "Accepted"}, 101 / 10, id="one that was accepted"),
        pytest.param(GIVEN_UP, 101 / 10, id="given up, and not accounted for"),
        pytest.param({"state": "Lost", "reason": "Forgotten"}, 101 / 10, id="forgotten, and not accounted for"),
        pytest.param({**GIVEN_UP, **FINAL}, 0, id="given up, and accounted for"),
        pytest.param({**GIVEN_UP, "released": True}, 0, id="given up, and cleared away"),
        pytest.param({"state": "Lost", "reason": "JobVanished"}, 0, id="lost by the member's word"),
        pytest.param({"state": "Succeeded"}, 0, id="ended"),
        pytest.param({"fenced": False}, 0, id="not fenced"),
        pytest.param({"fenced": False, "state": "Suspended"}, 101 / 10, id="not fenced, and being suspended"),
        pytest.param({"fenced": False, "state": "Suspended", "stopped": True}, 0, id="not fenced, and has stopped"),
        pytest.param({"fenced": False, "desired": "Cancelled"}, 101 / 10, id="not fenced, and being cancelled"),
        pytest.param({"fenced": False, "desired": "Cancelled", "state": None}, 0, id="not fenced, and never accepted"),
        pytest.param({"pods": 4}, 0, id="small: the Dispatch's own allowance is longer"),
        pytest.param({"grace": 90}, 60 + 101 / 10, id="slow to stop"),
    ],
)
def test_all_stop_at_once(other: dict[str, Any], seconds: float) -> None:
    """The wait covers the pods of all shards that the member stops in the same outage, at the rate of them all."""
    desk = Desk()
    desk.shard("other", **{"pods": 100, **other})
    desk.lose()
    expected = max(30 + 5 + seconds, ALLOWANCE)
    assert _waits(desk) == pytest.approx(AFTER + expected, abs=1)
    over(desk, _waits(desk) - 2)
    assert desk.reason() == "Wait"
    over(desk, 4)
    assert desk.reason() == "Fenced"


def test_the_members_rate() -> None:
    """It goes by the rate that the node's status tells, and never below what the Dispatch itself allows."""
    desk = Desk()
    desk.shard("other", pods=1000)
    desk.lose()
    known = desk.fleet.get("east")
    assert known is not None
    for rate, expected in ((None, 136), (3, 369), (1000, ALLOWANCE)):
        known.node = known.node.model_copy(
            update={"status": ComputeNodeStatus(stops_per_second=rate, stops_measured=5000)}
        )
        assert _waits(desk) == AFTER + expected


@pytest.mark.parametrize(
    ("pods", "rate", "seconds"),
    [
        pytest.param(1000, None, 100, id="not measured"),
        pytest.param(1000, StopRate(24, 24), 1 + 97.6, id="measured of few"),
        pytest.param(1000, StopRate(24, 2000), 1000 / 24, id="measured of more"),
        pytest.param(1000, StopRate(2, 30), 500, id="slow, and measured of few"),
    ],
)
def test_a_rate_vouches(pods: int, rate: StopRate | None, seconds: float) -> None:
    """A measured rate holds for as many pods as it was measured of, and more are stopped no faster than is assumed."""
    assert stop_seconds(pods, 1, rate) == 1 + 5 + math.ceil(seconds)


def test_node_removed() -> None:
    """A node's removal shortens no wait, and nor does another job's deletion after it."""
    desk = Desk()
    desk.shard("other", pods=100, armed=True)
    desk.shard("new", pods=1000, state=None)
    known = desk.known()
    known.node = known.node.model_copy(update={"status": ComputeNodeStatus(stops_per_second=1, stops_measured=30)})
    desk.lose()
    desk.store.node("east").drop("new")
    before = _waits(desk)
    assert before == AFTER + 30 + 101 + 5
    desk.fleet.drop("east")
    desk.store.node("east").drop("other")
    assert _waits(desk) == before


async def test_given_up_one_by_one() -> None:
    """One that was given up still counts for the next: it may be stopping yet."""
    desk = Desk()
    other = desk.shard("other", pods=1000, armed=True)
    desk.lose()
    long = _waits(desk)
    assert long > DUE
    over(desk, long + 1)
    assert await desk.fencing.give_up("east", other, desk.job)
    with desk.contact.attempt(desk.uid):
        pass
    desk.contact.failed(desk.at)
    assert _waits(desk) == long


@given(st.randoms(use_true_random=False))
def test_kept_up(draw: random.Random) -> None:
    """However Dispatches come, change and go, the sums are those of what is there."""
    stopping, there = Stopping(), dict[str, tuple[str, int, int | None]]()
    for number in range(40):
        name = f"d{draw.randrange(6)}"
        if draw.random() < 0.2:
            there.pop(name, None)
            stopping.drop(name)
            continue
        pods, grace = draw.randint(0, 50), draw.choice([None, 0, 5, 300])
        uid = str(number) if name not in there or draw.random() < 0.3 else there[name][0]
        if name in there and there[name][0] == uid:
            _, pods, grace = there[name]
        live = draw.random() < 0.8
        stopping.put(_dispatch(name, uid, pods, grace, "Running" if live else "Succeeded"))
        if live:
            there[name] = (uid, pods, grace)
        else:
            there.pop(name, None)
        assert stopping.pods == sum(pods for _, pods, _ in there.values())
        assert stopping.grace_seconds == max((30 if g is None else g for _, _, g in there.values()), default=0)


def _dispatch(name: str, uid: str, pods: int, grace: int | None, state: str) -> Dispatch:
    pod: dict[str, Any] = {"containers": [], "terminationGracePeriodSeconds": grace}
    spec = {
        "job": {"namespace": "t", "name": "j", "uid": "u"},
        "account": "t",
        "shard": 0,
        "attempt": 1,
        "sequence": 1,
        "fence": {"afterSeconds": 20, "stopAllowanceSeconds": 5},
        "manifest": {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": name},
            "spec": {"parallelism": pods, "template": {"spec": pod}},
        },
    }
    return Dispatch.model_validate(
        {"metadata": {"name": name, "uid": uid, "resourceVersion": "1"}, "spec": spec, "status": {"state": state}}
    )


@given(
    shards=st.lists(st.tuples(st.floats(0, 300), st.integers(0, 500)), min_size=1, max_size=20),
    rate=st.integers(1, 50),
    newest_first=st.booleans(),
)
def test_whatever_the_order(shards: list[tuple[float, int]], rate: int, newest_first: bool) -> None:
    """A member that stops pods at its rate for as long as any wait is done with each shard within the allowance."""
    waiting: list[tuple[float, int, int]] = []
    ends: dict[int, tuple[float, float]] = {}
    at = 0.0
    coming = sorted((begin, pods, number) for number, (begin, pods) in enumerate(shards))
    while coming or waiting:
        if not waiting:
            at = max(at, coming[0][0])
        waiting += [each for each in coming if each[0] <= at]
        coming = [each for each in coming if each[0] > at]
        begin, pods, number = waiting.pop(-1 if newest_first else 0)
        at += pods / rate
        ends[number] = (begin, at)
    total = sum(pods for _, pods in shards)
    assert all(end - begin <= stop_seconds(total, 0, StopRate(rate, total)) + 1e-6 for begin, end in ends.values())
