import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.cluster.federation.podrecorder import PodRecorder
from tests.cluster.federation.proof import (
    check_each_index_once,
    recorded,
    wait_complete,
)

from federation import Federation, compute_job, job_spec
from isthmus.api.names import dispatch_name, tenant_namespace
from testbed import Machine, Part, wait_for

MEMBERS = {
    "east": [Machine("e1", "16", "64Gi"), Machine("e2", "16", "64Gi")],
    "west": [Machine("w1", "16", "64Gi"), Machine("w2", "16", "64Gi")],
}
DOWN_SECONDS = 30
# On an idle machine it takes a fifth of a second; a busy one may take its time, a hub that waits for a dead member
# would take the ten seconds of a request's limit.
LONGEST_DISPATCH_SECONDS = 5.0
IN_EAST = {"tiers": ["Edge"]}
IN_WEST = {"tiers": ["Core"]}


@pytest.fixture(scope="module")
def recorder(fed: Federation) -> Iterator[PodRecorder]:
    """All pods of the module; at its end nothing is left, all is billed, and the hub's log is looked through."""
    fed.join("east", tier="Edge")  # so that a job can ask for one or the other
    with recorded(fed, MEMBERS) as recorder:
        yield recorder


def _start(fed: Federation, prefix: str, seconds: int, *, count: int = 2, completions: int = 3) -> dict[str, int]:
    """Jobs in the east, two pods at a time, of which the first are running; their completions by name."""
    names = {f"{prefix}-{number}": completions for number in range(count)}
    template = job_spec(run_seconds=str(seconds), completions=completions, parallelism=2)
    fed.hub.apply([compute_job(name, template, placement=IN_EAST) for name in names])
    for name in names:
        wait_for(lambda name=name: fed.job(name).get("status", {}).get("phase") == "Running", 60, f"{name} to run")  # type: ignore[misc]
    return names


def _dispatch_seconds(fed: Federation, prefix: str, until: float) -> list[float]:
    """From create to the Job being there, of one job after another in the west, until that instant."""
    hub_uid = fed.hub.rest.get("/api/v1/namespaces/kube-system")["metadata"]["uid"]
    jobs = f"/apis/batch/v1/namespaces/{tenant_namespace(hub_uid, 'team-a')}/jobs"
    seconds: list[float] = []
    while time.monotonic() < until:
        name = f"{prefix}-{len(seconds)}"
        began = time.monotonic()
        manifest = compute_job(name, job_spec(), placement=IN_WEST)
        made = fed.hub.rest.post("/apis/isthmus.dev/v1alpha1/namespaces/team-a/computejobs", manifest)
        dispatch = dispatch_name(name, made["metadata"]["uid"], 0, 1)

        def there(dispatch: str = dispatch) -> bool:
            found = fed.clusters["west"].rest.get(jobs)["items"]
            return dispatch in {job["metadata"]["name"] for job in found}

        wait_for(there, LONGEST_DISPATCH_SECONDS, f"{name} to be dispatched", interval_seconds=0.05)
        seconds.append(time.monotonic() - began)
        wait_complete(fed, [name], seconds=30)
    return seconds


def _check_outage(fed: Federation, jobs: dict[str, int], reason: str) -> None:
    """The node says that it can't be reached, and why; its jobs say that they wait for it."""
    fed.wait_condition("computenodes", "east", "Reachable", "False", reason=reason, seconds=30)
    ready = fed.condition("computenodes", "east", "Ready")
    assert (ready["status"], ready["reason"]) == ("False", reason)
    for name in jobs:
        stalled = fed.wait_condition("computejobs", name, "Stalled", "True", namespace="team-a", seconds=10)
        assert stalled["reason"] == "NodeUnreachable"
        assert reason in stalled["message"]


def _check_return(fed: Federation, recorder: PodRecorder, jobs: dict[str, int]) -> None:
    """The node is reached again, its jobs go on to their end, and no index ran twice."""
    fed.wait_condition("computenodes", "east", "Ready", "True", seconds=20)
    assert fed.condition("computenodes", "east", "Reachable")["status"] == "True"
    wait_complete(fed, jobs, seconds=120)
    for name, count in jobs.items():
        status = fed.job(name)["status"]
        found = (status["done"], status["completedIndexes"].replace(",", "-"), len(status["shards"]))
        assert found == (f"{count}/{count}", f"0-{count - 1}", 1)
        stalled = fed.condition("computejobs", name, "Stalled", "team-a")
        assert (stalled["status"], stalled["reason"]) == ("False", "Progressing")
    check_each_index_once(fed, recorder.runs(), jobs)


def test_link_cut_and_healed(fed: Federation, recorder: PodRecorder) -> None:
    """A link that lets nothing through is noticed; the member works on behind it, and after it all is known."""
    jobs = _start(fed, "behind", 2)
    fed.clusters["east"].cut("drop")
    began = time.monotonic()
    seconds = _dispatch_seconds(fed, "beside", began + 10)  # while nobody knows of it yet
    _check_outage(fed, jobs, "Timeout")
    print(f"{len(seconds)} jobs elsewhere, create to Job: {statistics.median(seconds):.2f} s")  # noqa: T201 - a figure to report
    here = {name for name, _ in [(job["metadata"]["annotations"]["isthmus.dev/job-name"], 0) for job in _ended(fed)]}
    assert here >= set(jobs)  # they ended meanwhile
    assert {fed.job(name)["status"]["phase"] for name in jobs} == {"Running"}  # and nobody here can know
    fed.clusters["east"].heal()
    _check_return(fed, recorder, jobs)


def _ended(fed: Federation) -> list[dict[str, Any]]:
    return [job for job in fed.member_jobs("east") if job.get("status", {}).get("completionTime")]


def test_link_refused_while_the_hub_is_killed(fed: Federation, recorder: PodRecorder) -> None:
    """A hub that starts while a member is away takes up its shards when it is back."""
    jobs = _start(fed, "unseen", 3, count=1)
    fed.clusters["east"].cut("refuse")
    fed.process.kill()
    fed.process.start()
    _check_outage(fed, jobs, "Unreachable")
    fed.clusters["east"].heal()
    fed.wait_condition("computenodes", "east", "Ready", "True", seconds=60)
    _check_return(fed, recorder, jobs)


def test_controllers_stopped(fed: Federation, recorder: PodRecorder) -> None:
    """Work that comes while a member's controller manager is away starts when it is back, once."""
    jobs = _start(fed, "counted", 4, count=1)
    fed.clusters["east"].stop(Part.CONTROLLER_MANAGER)
    fed.hub.apply([compute_job("uncounted", job_spec(completions=2, parallelism=2), placement=IN_EAST)])
    fed.wait_condition("computejobs", "uncounted", "Placed", "True", namespace="team-a")
    wait_for(
        lambda: "uncounted" in {j["metadata"]["annotations"]["isthmus.dev/job-name"] for j in fed.member_jobs("east")},
        30,
        "the Job to be there",
    )
    assert fed.condition("computenodes", "east", "Ready")["status"] == "True"
    fed.clusters["east"].start(Part.CONTROLLER_MANAGER)
    wait_complete(fed, [*jobs, "uncounted"], seconds=90)
    check_each_index_once(fed, recorder.runs(), jobs | {"uncounted": 2})


def test_hub_api_server_restarted(fed: Federation, recorder: PodRecorder) -> None:
    """The hub outlives its own API server's absence, and misses nothing of what happened around it."""
    jobs = _start(fed, "apart", 4)
    nowhere = {"regions": ["nowhere"]}
    fed.hub.apply([compute_job(name, job_spec(), placement=nowhere) for name in ("dropped", "replaced")])
    for name in ("dropped", "replaced"):
        fed.wait_condition("computejobs", name, "Placed", "False", namespace="team-a")
    fed.hub.stop(Part.APISERVER)
    time.sleep(9)  # long enough for the members' work to end, and for watches to be tried again and again
    fed.hub.start(Part.APISERVER)
    fed.hub.kubectl("delete", "cjob", "dropped", "replaced", "-n", "team-a", "--timeout=20s")
    fed.hub.apply([compute_job("replaced", job_spec())])
    wait_complete(fed, [*jobs, "replaced"], seconds=120)
    check_each_index_once(fed, recorder.runs(), jobs | {"replaced": 1})

    # A place for the job that is gone: were it still waiting, it would be dispatched again and again.
    before = datetime.now(UTC)
    fed.join("west", region={"code": "nowhere"})
    fed.hub.apply([compute_job("somewhere", job_spec(), placement=nowhere)])
    wait_complete(fed, ["somewhere"], seconds=60)
    writes = [entry for entry in fed.hub.audit_entries() if entry.time > before and entry.name == "dropped"]
    assert len(writes) <= 1, writes


def test_api_server_down_for_half_a_minute(fed: Federation, recorder: PodRecorder) -> None:
    """Others go on undisturbed while a member's API server is away, and its jobs' state comes back right."""
    jobs = _start(fed, "away", 12, completions=2)
    fed.clusters["east"].stop(Part.APISERVER)
    began = time.monotonic()
    _check_outage(fed, jobs, "Unreachable")
    seconds = _dispatch_seconds(fed, "undisturbed", began + DOWN_SECONDS)
    print(f"{len(seconds)} jobs elsewhere, create to Job: {statistics.median(seconds):.2f} s")  # noqa: T201 - a figure to report
    assert fed.condition("computenodes", "west", "Ready")["status"] == "True"
    others = (Part.CONTROLLER_MANAGER, Part.SCHEDULER)
    for part in others:  # started anew, they need not wait out a minute's back-off
        fed.clusters["east"].kill(part)
    for part in (Part.APISERVER, *others):
        fed.clusters["east"].start(part)
    _check_return(fed, recorder, jobs)
