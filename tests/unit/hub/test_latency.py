from datetime import datetime, timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from tests.unit.hub.world import BEGIN, World

from isthmus.api.computejob import ComputeJob
from isthmus.api.dispatch import Dispatch
from isthmus.hub.instruments import Instruments
from isthmus.hub.jobrecord import JobRecord
from isthmus.hub.jobstore import JobStore
from isthmus.hub.latency import Latency

pytestmark = pytest.mark.simulated_time


class Stopwatch:
    """One job, seen at an instant; the clocks go when told to."""

    def __init__(self, **job: Any) -> None:
        self.at = 100.0
        self.registry = CollectorRegistry()
        world = World()
        self.store = JobStore(world.hub, lambda _: None)
        self.latency = Latency(self.store, Instruments(self.registry), lambda: self.at, self.now)
        world.job(**job)
        self.body = world.shown()
        assert self.body["metadata"]["creationTimestamp"] == BEGIN.strftime("%Y-%m-%dT%H:%M:%SZ")

    def now(self) -> datetime:
        """The time of day; it was noon at 100."""
        return BEGIN + timedelta(seconds=self.at - 100)

    def see(self) -> JobRecord:
        """Have the hub see the job for the first time."""
        self.store.learn(self.body)
        record = self.store.get(self.body["metadata"]["uid"])
        assert record is not None
        self.latency.seen(record)
        return record

    def dispatch(self, attempt: int = 1) -> Dispatch:
        """A Dispatch of the job."""
        spec = {
            "job": {"namespace": "team-a", "name": "train", "uid": self.body["metadata"]["uid"]},
            "account": "team-a",
            "shard": 0,
            "attempt": attempt,
            "sequence": 1,
            "manifest": {},
        }
        return Dispatch.model_validate({"metadata": {"name": "d"}, "spec": spec})

    def told(self, until: str) -> tuple[float | None, float | None]:
        """How many were timed until there, and how long all of them took."""
        name, labels = "isthmus_dispatch_latency_seconds", {"until": until}
        count = self.registry.get_sample_value(f"{name}_count", labels)
        seconds = self.registry.get_sample_value(f"{name}_sum", labels)
        return count, seconds and round(seconds, 3)


@pytest.mark.parametrize(
    ("seen_after", "took"),
    [
        pytest.param(0.3, 0.2, id="as it came"),
        pytest.param(0.99, 0.2, id="created late in its second"),
        pytest.param(601.0, 600.2, id="while no hub was there"),
    ],
)
async def test_from_creation_to_the_members_job(seen_after: float, took: float) -> None:
    """A job is timed from its creation, as exactly as that is known, to its Dispatches and to its member's Jobs."""
    watch = Stopwatch()
    watch.at += seen_after
    record = watch.see()
    watch.at += 0.2
    watch.latency.written(record, 1)
    watch.at += 0.1
    watch.latency.created(watch.dispatch())
    watch.latency.created(watch.dispatch())  # of two shards
    assert watch.told("DispatchWritten") == (1, took)
    assert watch.told("JobCreated") == (2, round(2 * (took + 0.1), 3))


async def test_what_is_not_timed() -> None:
    """Later attempts, jobs that began suspended or had nodes before this process, and jobs that are gone, are not."""
    watch = Stopwatch()
    record = watch.see()
    watch.latency.written(record, 2)
    watch.latency.created(watch.dispatch(attempt=2))
    watch.store.drop(record.uid)
    watch.latency.created(watch.dispatch())
    paused = Stopwatch(suspend=True)
    record = paused.see()
    record.job = ComputeJob.model_validate({**paused.body, "spec": {**paused.body["spec"], "suspend": False}})
    paused.latency.written(record, 1)
    pinned = Stopwatch()
    pinned.body["metadata"]["annotations"] = {"isthmus.dev/assigned": "1 east"}
    pinned.latency.written(pinned.see(), 1)
    for each in (watch, paused, pinned):
        assert each.told("DispatchWritten") == (0, 0)
        assert each.told("JobCreated") == (0, 0)
