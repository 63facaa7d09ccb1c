import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cluster.chart.test_release import fields, with_field
from tests.cluster.federation.podrecorder import PodRecorder
from tests.cluster.federation.proof import check_each_index_once, recorded, runs_by_index, wait_complete

from federation import Federation, compute_job, job_spec
from federation.federation import DEPLOYMENT, merged
from testbed import Machine, wait_for

MEMBERS = {"east": [Machine("e", "50", "200Gi")], "west": [Machine("w", "50", "200Gi")]}
JOBS = 200
TAG = "0.1.1-next"
CHANGES = {"hub": {"logLevel": "info", "currency": "CNY"}, "image": {"tag": TAG}}


@pytest.fixture(scope="module")
def fed() -> Iterator[Federation]:
    """A hub and two members that have room for less than half of the work."""
    with Federation(MEMBERS) as federation:
        federation.process.start()
        for name in MEMBERS:
            federation.join(name)
        yield federation


@pytest.fixture(scope="module")
def recorder(fed: Federation) -> Iterator[PodRecorder]:
    """All pods there are; at the end nothing is left, and the ledger has the time of all of them."""
    with recorded(fed, MEMBERS) as recorder:
        yield recorder


def phases(fed: Federation) -> Counter[str]:
    """How many jobs are in which phase."""
    return Counter(job.get("status", {}).get("phase", "") for job in fed.items("computejobs"))


def levels(log: bytes) -> Counter[str]:
    """How many lines the hub logged at which level."""
    return Counter(json.loads(line)["level"] for line in log.splitlines())


def test_jobs_in_flight_survive_an_upgrade(fed: Federation, recorder: PodRecorder, copied: Path) -> None:
    """`helm upgrade` with other arguments, another image and another definition, 200 jobs in flight: each runs once."""
    jobs = {f"job-{number}": 2 if number % 4 == 0 else 1 for number in range(JOBS)}
    fed.hub.apply(
        [
            compute_job(name, job_spec(run_seconds=str(30 + number % 10), completions=each, parallelism=each))
            for number, (name, each) in enumerate(jobs.items())
        ]
    )
    wait_for(lambda: phases(fed)["Running"] >= 20, 120, "the first jobs to run", interval_seconds=0.5)
    before = fed.process.pod
    assert "later" not in fields(fed.hub)

    fed.release.upgrade(merged(fed.values, CHANGES), chart=with_field(copied, "later"))
    assert fed.hub.rest.get(DEPLOYMENT)["spec"]["strategy"] == {"type": "Recreate"}
    fed.process.stop()
    told = fed.process.log.stat().st_size
    at = phases(fed)
    assert at["Running"] + at["Dispatched"] >= 20, at
    assert at["Pending"] + at[""] >= 20, at
    fed.roll_out()

    after = fed.process.pod
    assert (after.generation, after.image) == (before.generation + 1, f"isthmus:{TAG}")
    assert ("--log-level=debug" in before.command, "--log-level=info" in after.command) == (True, True)
    assert after.ledger == before.ledger
    assert "later" in fields(fed.hub)
    wait_complete(fed, jobs, seconds=360)
    check_each_index_once(fed, recorder.runs(), jobs)
    again = {key: runs for key, runs in runs_by_index(fed, recorder.runs(), jobs).items() if len(runs) > 1}
    assert again == {}, "no pod was lost, so none ran a second time"
    log = fed.process.log.read_bytes()
    assert (levels(log[:told])["debug"] > 0, levels(log[told:])["debug"]) == (True, 0)
