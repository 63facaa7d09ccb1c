import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.cluster.federation.podrecorder import PodRecorder
from tests.cluster.federation.proof import (
    check_each_index_once,
    delete_jobs,
    recorded,
    runs_by_index,
    wait_complete,
)

from federation import Federation, compute_job, job_spec
from isthmus.api.names import LABEL_PLACEHOLDER, node_namespace, tenant_namespace
from testbed import Machine, wait_for
from testbed.rest import ApiError

MEMBERS = {
    "east": [Machine("e1", "16", "64Gi")],
    "far": [Machine("f1", "16", "64Gi")],
}
IN_EAST = {"tiers": ["Edge"]}
IN_FAR = {"tiers": ["Region"]}
# A job's life takes up to eight writes; another attempt begins a second life.
WRITES_PER_ATTEMPT = 12
# Dispatches of a node that was removed while its member was dead: nobody will ever say how long they ran.
WRITTEN_OFF: set[str] = set()


@pytest.fixture(scope="module")
def recorder(fed: Federation) -> Iterator[PodRecorder]:
    """All pods of the module; at its end nothing is left, all is billed, and the hub's log is looked through."""
    fed.join("east", tier="Edge")  # so that a job can ask for one or the other
    fed.join("far", tier="Region")
    with recorded(fed, MEMBERS, written_off=WRITTEN_OFF) as recorder:
        yield recorder


def _tenant(fed: Federation) -> str:
    return tenant_namespace(fed.hub.rest.get("/api/v1/namespaces/kube-system")["metadata"]["uid"], "team-a")


def _start(fed: Federation, name: str, placement: dict[str, Any], *, succeeded: int = 0, **spec: Any) -> str:
    """A job that runs and has that many pods succeeded; the name of its member Job."""
    fed.hub.apply([compute_job(name, job_spec(**spec), placement=placement)])

    def there() -> bool:
        status = fed.job(name).get("status", {})
        return bool(status.get("phase") == "Running" and status.get("succeeded", 0) >= succeeded)

    wait_for(there, 60, f"{name} to run with {succeeded} succeeded")
    return str(fed.job(name)["status"]["shards"][-1]["dispatch"])


def _writes(fed: Federation, since: datetime) -> int:
    """What the operator wrote in the hub since then, Events apart."""
    return sum(
        1
        for entry in fed.hub.audit_entries()
        if entry.time > since and entry.user.endswith(":isthmus") and entry.resource != "events"
    )


def _failed(fed: Federation, name: str) -> tuple[str, str]:
    failed = fed.wait_condition("computejobs", name, "Failed", "True", namespace="team-a", seconds=60)
    return failed["reason"], failed["message"]


def test_member_namespace_deleted(fed: Federation, recorder: PodRecorder) -> None:
    """What was done of the work there stays done, the rest runs again; few writes."""
    names = {f"begun-{number}": 2 for number in range(4)}
    # With time to spare: the namespace is to go while all of them run, on a busy machine too.
    template = job_spec(run_seconds="20", completions=2, parallelism=2)
    _start(fed, "halfway", IN_EAST, run_seconds="3", completions=10, parallelism=1, succeeded=1)
    fed.hub.apply([compute_job(name, template, placement=IN_EAST) for name in names])
    wait_for(lambda: {fed.job(name).get("status", {}).get("phase") for name in names} == {"Running"}, 30, "all to run")
    began = datetime.now(UTC)
    fed.clusters["east"].kubectl("delete", "namespace", _tenant(fed), "--wait=false")
    wait_complete(fed, [*names, "halfway"], seconds=120)
    check_each_index_once(fed, recorder.runs(), {**names, "halfway": 10})
    for name in (*names, "halfway"):
        assert [shard["state"] for shard in fed.job(name)["status"]["shards"]] == ["Lost", "Succeeded"]
    rerun = fed.job("halfway")["status"]["shards"][1]["indexes"]
    assert "0" not in rerun.replace("-", ",").split(",")
    attempts = 2 * len(names) + 2
    written = _writes(fed, began)
    print(f"{written} writes of the hub for {attempts} attempts")  # noqa: T201 - a figure to report
    assert written <= WRITES_PER_ATTEMPT * attempts + 20


def test_jobs_and_pods_deleted_by_hand(fed: Federation, recorder: PodRecorder) -> None:
    """What is missing of a Job that somebody deletes in the member runs again; what can't run in parts is PartlyLost.

    A pod that somebody deletes is replaced by the Job's controller; both are billed, and one of them succeeds.
    """
    peers = {"subdomain": "peers"}
    # All with time to spare: each is to be caught in the middle, after the last of them has begun.
    part = _start(fed, "part", IN_EAST, run_seconds="5", completions=8, parallelism=1, succeeded=1)
    whole = _start(fed, "whole", IN_EAST, run_seconds="5", completions=8, parallelism=1, succeeded=1, pod=peers)
    lost = _start(fed, "deleted", IN_EAST, run_seconds="25", completions=2, parallelism=2)
    orphaned = _start(fed, "orphaned", IN_EAST, run_seconds="25", completions=2, parallelism=2)
    evicted = _start(fed, "evicted", IN_EAST, run_seconds="20", completions=2, parallelism=2)
    victim = next(p for p in fed.member_pods("east") if p["metadata"]["labels"]["isthmus.dev/dispatch"] == evicted)
    fed.clusters["east"].kubectl("delete", "job", lost, part, whole, "-n", _tenant(fed), "--wait=false")
    fed.clusters["east"].kubectl("delete", "job", orphaned, "-n", _tenant(fed), "--cascade=orphan", "--wait=false")
    fed.clusters["east"].kubectl("delete", "pod", victim["metadata"]["name"], "-n", _tenant(fed), "--timeout=30s")
    reason, message = _failed(fed, "whole")
    assert reason == "PartlyLost"
    assert "subdomain" in message
    jobs = {"part": 8, "deleted": 2, "orphaned": 2, "evicted": 2}
    wait_complete(fed, jobs, seconds=120)
    check_each_index_once(fed, recorder.runs(), jobs)
    assert sum(len(each) for each in runs_by_index(fed, recorder.runs(), ["evicted"]).values()) == 3
    for name in ("deleted", "orphaned", "part"):
        shards = fed.job(name)["status"]["shards"]
        assert [shard["state"] for shard in shards] == ["Lost", "Succeeded"]
        assert "not Isthmus that deleted it" in shards[0]["message"]


def test_member_job_deleted_once_all_had_succeeded(fed: Federation, recorder: PodRecorder) -> None:
    """Where every pod had succeeded before its Job was deleted, unseen by the hub, the job is Complete."""
    dispatch = _start(fed, "over", IN_EAST, run_seconds="3", completions=2, parallelism=2)
    fed.process.pause()
    try:

        def ended() -> bool:
            jobs = {job["metadata"]["name"]: job for job in fed.member_jobs("east")}
            return bool(jobs[dispatch]["status"].get("succeeded") == 2)

        wait_for(ended, 60, "the Job to succeed")
        fed.clusters["east"].kubectl("delete", "job", dispatch, "-n", _tenant(fed), "--wait=false")
        wait_for(
            lambda: dispatch not in {job["metadata"]["name"] for job in fed.member_jobs("east")}, 30, "the Job to go"
        )
    finally:
        fed.process.resume()
    wait_complete(fed, ["over"], seconds=60)
    check_each_index_once(fed, recorder.runs(), {"over": 2})
    assert fed.job("over")["status"]["done"] == "2/2"


def test_copy_of_a_member_job_is_left_alone(fed: Federation, recorder: PodRecorder) -> None:
    """A Job with all our labels in a namespace that is not ours is neither taken for ours nor deleted."""
    dispatch = _start(fed, "copied", IN_EAST, run_seconds="3")
    found = next(job for job in fed.member_jobs("east") if job["metadata"]["name"] == dispatch)
    kept = {key: found["metadata"][key] for key in ("name", "labels", "annotations")}
    spec = {key: found["spec"][key] for key in ("template", "parallelism", "completions")}
    labels = {k: v for k, v in spec["template"]["metadata"]["labels"].items() if k.startswith("isthmus.dev/")}
    spec["template"]["metadata"] = {"labels": labels}
    jobs = "/apis/batch/v1/namespaces/default/jobs"
    fed.clusters["east"].rest.post(
        jobs, {"apiVersion": "batch/v1", "kind": "Job", "metadata": kept, "spec": {**spec, "suspend": True}}
    )
    wait_complete(fed, ["copied"], seconds=60)
    fed.hub.kubectl("delete", "cjob", "copied", "-n", "team-a", "--timeout=60s")
    assert fed.clusters["east"].rest.get(f"{jobs}/{dispatch}")["spec"]["suspend"] is True
    fed.clusters["east"].kubectl("delete", "job", dispatch, "-n", "default")
    assert {run.time.dispatch for run in recorder.runs()} >= {dispatch}


def test_secret_deleted_and_restored(fed: Federation, recorder: PodRecorder) -> None:
    """A node whose Secret vanishes says which one is missing; its work is taken up again with the Secret."""
    _start(fed, "locked-out", IN_EAST, run_seconds="4")
    fed.hub.kubectl("delete", "secret", "east", "-n", "isthmus-system")
    ready = fed.wait_condition("computenodes", "east", "Ready", "False", reason="SecretNotFound")
    assert "isthmus-system/east" in ready["message"]
    fed.wait_condition("computejobs", "locked-out", "Stalled", "True", namespace="team-a")
    fed.hub.apply([compute_job("waits", job_spec(), placement=IN_EAST)])
    placed = fed.wait_condition("computejobs", "waits", "Placed", "False", namespace="team-a")
    assert "SecretNotFound" in placed["message"]
    fed.put_secret("east")
    wait_complete(fed, ["locked-out", "waits"], seconds=60)
    assert fed.condition("computejobs", "locked-out", "Stalled", "team-a")["status"] == "False"
    check_each_index_once(fed, recorder.runs(), {"locked-out": 1, "waits": 1})


def _gone(fed: Federation, node: str) -> bool:
    try:
        fed.get("computenodes", node)
    except ApiError as error:
        return error.code == 404
    return False


def _namespaces(fed: Federation) -> set[str]:
    return {item["metadata"]["name"] for item in fed.hub.rest.get("/api/v1/namespaces")["items"]}


def test_node_deleted_with_work_on_it(fed: Federation, recorder: PodRecorder) -> None:
    """A node that is deleted takes no more work, waits for what it has and says so, over a restart of the hub too."""
    _start(fed, "staying", IN_EAST, run_seconds="3600")
    fed.hub.apply([compute_job("ended", job_spec(), placement=IN_EAST)])
    wait_complete(fed, ["ended"], seconds=60)
    fed.hub.kubectl("delete", "computenode", "east", "--wait=false")
    ready = fed.wait_condition("computenodes", "east", "Ready", "False", reason="Deleting")
    assert "1 shard stands on it" in ready["message"]
    fed.process.kill()
    fed.process.start()
    fed.hub.apply([compute_job("refused", job_spec(), placement=IN_EAST)])
    fed.wait_condition("computejobs", "refused", "Placed", "False", namespace="team-a")
    assert not _gone(fed, "east")
    before = datetime.now(UTC)
    time.sleep(5)  # to count what it writes while it waits
    assert _writes(fed, before) <= 15
    fed.hub.kubectl("delete", "cjob", "staying", "refused", "-n", "team-a", "--timeout=60s")
    wait_for(lambda: _gone(fed, "east"), 30, "the node to go")
    assert fed.member_jobs("east") + fed.member_pods("east") == []  # what had ended there was cleared away
    assert fed.job("ended")["status"]["phase"] == "Succeeded"
    delete_jobs(fed)
    place = node_namespace("east")
    wait_for(lambda: place not in _namespaces(fed), 30, "the node's namespace to go")
    fed.join("east", tier="Edge")
    fed.hub.apply([compute_job("again", job_spec(), placement=IN_EAST)])
    wait_complete(fed, ["again"], seconds=60)
    check_each_index_once(fed, recorder.runs(), {"again": 1})


def test_deletions_while_members_are_dead(fed: Federation, recorder: PodRecorder) -> None:
    """A job and a node whose members are dead are let go after about a minute, and are swept when those return."""
    left = _start(fed, "left-behind", IN_EAST, run_seconds="3600", completions=2, parallelism=2)
    kept = _start(fed, "kept", IN_EAST, run_seconds="3600")
    cut_off = _start(fed, "cut-off", IN_FAR, run_seconds="3600")
    WRITTEN_OFF.add(cut_off)
    for member in MEMBERS:
        fed.clusters[member].cut("refuse")
        fed.wait_condition("computenodes", member, "Reachable", "False")
    began = time.monotonic()
    since = datetime.now(UTC)
    fed.hub.kubectl("delete", "cjob", "left-behind", "-n", "team-a", "--wait=false")
    fed.hub.kubectl("delete", "computenode", "far", "--wait=false")
    stalled = fed.wait_condition("computejobs", "left-behind", "Stalled", "True", namespace="team-a", seconds=20)
    assert stalled["reason"] == "NodeUnreachable"
    fed.wait_condition("computenodes", "far", "Ready", "False", reason="Deleting")
    fed.hub.kubectl("wait", "--for=delete", "cjob/left-behind", "-n", "team-a", "--timeout=90s")
    job_seconds = time.monotonic() - began
    wait_for(lambda: _gone(fed, "far"), 30, "the node to go")
    node_seconds = time.monotonic() - began
    print(f"job let go after {job_seconds:.0f} s, node after {node_seconds:.0f} s")  # noqa: T201 - a figure to report
    assert 50 <= job_seconds <= 90
    assert 50 <= node_seconds <= 90
    assert _writes(fed, since) <= 100
    wait_for(
        lambda: "NodeRemoved" in fed.condition("computejobs", "cut-off", "Stalled", "team-a").get("message", ""),
        20,
        "the job to say that its node was removed",
    )
    fed.hub.kubectl("delete", "cjob", "cut-off", "-n", "team-a", "--timeout=30s")  # nobody is waited for any more

    for member in MEMBERS:
        fed.clusters[member].heal()
    fed.wait_condition("computenodes", "east", "Ready", "True", seconds=60)
    fed.join("far", tier="Region")

    def standing() -> set[str]:
        objects = [o for member in MEMBERS for o in [*fed.member_jobs(member), *fed.member_pods(member)]]
        return {o["metadata"]["labels"]["isthmus.dev/dispatch"] for o in objects}

    wait_for(lambda: not standing() & {left, cut_off}, 60, "orphans to be swept")
    assert kept in standing()
    assert fed.job("kept")["status"]["phase"] == "Running"
    assert not [j for m in MEMBERS for j in fed.member_jobs(m) if LABEL_PLACEHOLDER in j["metadata"]["labels"]]
    assert {run.time.dispatch for run in recorder.runs()} >= {left, cut_off, kept}
