from datetime import timedelta

import msgspec
import pytest
from tests.unit.agent.objects import MOMENT

from isthmus.agent.stoprate import Stop, bursts_of, stops_of
from isthmus.api.core import Pod


def _pod(*, asked: float | None, ended: float | None, grace: int = 30, evicted: bool = False) -> Pod:
    metadata: dict[str, object] = {"name": "p", "uid": "p"}
    if asked is not None:
        due = MOMENT + timedelta(seconds=asked + grace)
        metadata |= {"deletionTimestamp": due.isoformat(), "deletionGracePeriodSeconds": grace}
    state = {"terminated": {"finishedAt": (MOMENT + timedelta(seconds=ended)).isoformat()}} if ended is not None else {}
    conditions = [{"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}] if evicted else []
    containers = [{"name": "main", "state": state}]
    status = {"phase": "Failed", "conditions": conditions, "containerStatuses": containers}
    return msgspec.convert({"metadata": metadata, "status": status}, Pod)


@pytest.mark.parametrize(
    ("asked", "ended", "expected"),
    [
        pytest.param(10.0, 12.0, (10.0, 12.0), id="stopped"),
        pytest.param(10.0, None, None, id="not stopped yet"),
        pytest.param(None, 12.0, None, id="ended by itself"),
        pytest.param(10.0, 5.0, None, id="ended before it was deleted"),
    ],
)
def test_stops(asked: float | None, ended: float | None, expected: tuple[float, float] | None) -> None:
    """A stop is from when the deletion was asked for, not from when it is due, to the last container's end."""
    found = dict(stops_of([_pod(asked=asked, ended=ended)]))
    instants = {uid: tuple((each - MOMENT).total_seconds() for each in stop) for uid, stop in found.items()}
    assert instants == ({"p": expected} if expected else {})


def _slowest(stops: list[Stop]) -> int | None:
    return min((burst.rate for burst in bursts_of(stops)), default=None)


def test_evicted() -> None:
    """An eviction is no stop of the shard, however many there are."""
    assert not dict(stops_of([_pod(asked=10.0, ended=12.0, evicted=True)]))


@pytest.mark.parametrize(
    ("pods", "seconds", "expected"),
    [(19, 1, None), (20, 0, 20), (20, 1, 20), (100, 10, 10), (1000, 95, 10), (20, 60, 1)],
)
def test_rate(pods: int, seconds: int, expected: int | None) -> None:
    """Pods over the time from the first deletion to the last end; few pods say nothing."""
    stops: list[Stop] = [(MOMENT, MOMENT + timedelta(seconds=seconds * number / pods)) for number in range(1, pods + 1)]
    assert _slowest(stops) == expected


def _burst(begin: float, pods: int, seconds: float) -> list[Stop]:
    asked = [MOMENT + timedelta(seconds=begin + seconds * number / pods) for number in range(pods)]
    return [(each, each + timedelta(seconds=1)) for each in asked]


@pytest.mark.parametrize(
    ("stops", "expected"),
    [
        pytest.param([stop for hour in range(40) for stop in _burst(3600 * hour, 1, 1)], None, id="one now and then"),
        pytest.param([*_burst(0, 1, 1), *_burst(7200, 1, 1), *_burst(9000, 200, 9)], 20, id="then all together"),
        pytest.param([*_burst(9000, 200, 9), *_burst(0, 60, 19)], 3, id="the slowest of two, in any order"),
        pytest.param([*_burst(0, 15, 1), *_burst(600, 15, 1)], None, id="neither is enough"),
        pytest.param([*_burst(0, 50, 5), *_burst(13, 50, 5)], 5, id="held up in between"),
        pytest.param([], None, id="none"),
    ],
)
def test_bursts(stops: list[Stop], expected: int | None) -> None:
    """Only pods that were stopped together make a rate: hours between evictions are no slowness of the member."""
    assert _slowest(stops) == expected
