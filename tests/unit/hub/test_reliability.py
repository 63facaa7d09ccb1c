from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.api.dispatch import Dispatch
from isthmus.hub.dispatches import NodeDispatches
from isthmus.hub.reliability import Record

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def ended(state: str | None, name: str = "d", *, version: int = 1, days: float = 0, **status: Any) -> Dispatch:
    """A shard that ended so, so many days ago."""
    at = (NOW - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    spec = {
        "job": {"namespace": "team", "name": "train", "uid": "u"},
        "account": "team",
        "shard": 0,
        "attempt": 1,
        "sequence": 1,
        "manifest": {},
    }
    metadata = {"name": name, "uid": name, "resourceVersion": str(version), "creationTimestamp": at}
    told = {"completionTime": at, **status} if state else {}
    return Dispatch.model_validate({"metadata": metadata, "spec": spec, "status": {"state": state, **told}})


def record_of(*shards: Dispatch) -> Record:
    """The record that these leave."""
    record = Record()
    for shard in shards:
        record.ended(shard)
    return record


@pytest.mark.parametrize(
    ("shards", "percent"),
    [
        pytest.param([], 95, id="nothing is known"),
        pytest.param([ended("Succeeded")] * 100, 100, id="all went well"),
        pytest.param([ended("Failed")] * 100, 100, id="what fails by itself is no fault of the node"),
        pytest.param([ended("Lost", reason="Fenced")], 90, id="one loss does not condemn it"),
        pytest.param([ended("Lost", reason="Fenced")] * 20, 50, id="as many losses as the prior has shards"),
        pytest.param([ended("Refused", reason="MemberForbidden")] * 20, 50, id="refusals count"),
        pytest.param([ended("Lost", reason="NeverCreated")] * 99, 95, id="what the hub lost does not"),
        pytest.param([ended("Lost", reason="StoppedByPause")] * 99, 95, id="nor what the job's own rules end"),
        pytest.param([ended("Cancelled")] * 99, 95, id="nor what was cancelled"),
        pytest.param([ended("Lost", reason="Fenced", days=7)] * 99, 95, id="nor what is long over"),
        pytest.param([ended("Lost", reason="Fenced", days=6)] * 20, 50, id="but the last seven days do"),
        pytest.param([ended("Lost", reason="NeverAccepted", completionTime=None)] * 20, 50, id="without an end"),
    ],
)
def test_percent(shards: list[Dispatch], percent: int) -> None:
    """A node's record is the share of its shards that ran to their end, with a prior."""
    assert record_of(*shards).percent(NOW) == percent


@given(kept=st.integers(0, 500), lost=st.integers(0, 500))
def test_bounds(kept: int, lost: int) -> None:
    """It is always a whole step within 0 and 100, and another loss never makes it better."""
    shards = [*[ended("Succeeded")] * kept, *[ended("Lost", reason="Fenced")] * lost]
    found = record_of(*shards).percent(NOW)
    assert 0 <= found <= 100
    assert found % 5 == 0
    assert record_of(*shards, ended("Lost", reason="Fenced")).percent(NOW) <= found


def test_old_days_are_forgotten() -> None:
    """A loss counts for a week, however often the record is asked in it."""
    record = record_of(*[ended("Lost", reason="Fenced")] * 20)
    assert [record.percent(NOW + timedelta(days=day)) for day in range(9)] == [50] * 7 + [95] * 2


def test_each_end_counts_once() -> None:
    """Whether it was seen alive before or is first seen ended, and however often it is shown, an end counts once."""
    dispatches = NodeDispatches()
    for number in range(20):
        dispatches.put(ended(None, f"d{number}"))
    assert dispatches.record.percent(NOW) == 95
    for version in (2, 3, 4):
        for number in range(20):
            dispatches.put(ended("Lost", f"d{number}", version=version, reason="Fenced"))
            dispatches.rest(f"d{number}")
    assert dispatches.record.percent(NOW) == 50
    for number in range(20):
        dispatches.drop(f"d{number}")
    assert dispatches.record.percent(NOW) == 50, "what is deleted has been there"
