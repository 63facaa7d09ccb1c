from datetime import timedelta

import msgspec
import pytest
from tests.unit.agent.objects import MOMENT

from isthmus.agent.stoprate import Stop, stop_rate, stops_of
from isthmus.api.core import Pod


def _pod(*, asked: float | None, ended: float | None, grace: int = 30) -> Pod:
    metadata: dict[str, object] = {"name": "p", "uid": "p"}
    if asked is not None:
        due = MOMENT + timedelta(seconds=asked + grace)
        metadata |= {"deletionTimestamp": due.isoformat(), "deletionGracePeriodSeconds": grace}
    state = {"terminated": {"finishedAt": (MOMENT + timedelta(seconds=ended)).isoformat()}} if ended is not None else {}
    status = {"phase": "Failed", "containerStatuses": [{"name": "main", "state": state}]}
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


@pytest.mark.parametrize(
    ("pods", "seconds", "expected"),
    [(19, 1, None), (20, 0, 20), (20, 1, 20), (100, 10, 10), (1000, 95, 10), (20, 60, 1)],
)
def test_rate(pods: int, seconds: int, expected: int | None) -> None:
    """Pods over the time from the first deletion to the last end; few pods say nothing."""
    stops: list[Stop] = [(MOMENT, MOMENT + timedelta(seconds=seconds * number / pods)) for number in range(1, pods + 1)]
    assert stop_rate(stops) == expected
