"""Preemption where the offer promises a notice: what is to be stopped runs on until it is over."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.cluster.federation.podrecorder import PodRecorder, Run
from tests.cluster.federation.proof import check_each_index_once, runs_by_index, shards, wait_complete

from federation import Federation, compute_job, compute_node, job_spec
from testbed import Machine, wait_for

MEMBERS = {"east": [Machine("e1", "8", "32Gi")], "west": [Machine("w1", "8", "32Gi")]}
LOW = {"split": "ByIndex", "preemptible": True}
PODS = 8


def begin(fed: Federation, name: str, *, run_seconds: int, notice: int) -> None:
    """Have a job fill one member, whose offer promises so many seconds' notice, while the other is full for long."""
    for member in MEMBERS:
        fed.hub.apply([compute_node(member, member, offer={"reclaimNoticeSeconds": notice})])
    fed.hub.apply([compute_job(f"{name}-fixed", template(3600), placement={"gang": True})])
    wait_for(lambda: running(fed, f"{name}-fixed") == PODS, 30, "one member to be full")
    fed.hub.apply([compute_job(name, template(run_seconds), placement=LOW)])
    wait_for(lambda: running(fed, name) == PODS, 30, "the other to be full")


def template(run_seconds: int) -> dict[str, Any]:
    """As many pods at once as a member has cores."""
    return job_spec(run_seconds=str(run_seconds), completions=PODS, parallelism=PODS)


def running(fed: Federation, name: str) -> int:
    """How many pods of a job run."""
    pods = fed.pods_of(name) if shards(fed, name) else []
    return sum(pod["status"]["phase"] == "Running" for pod in pods)


def told(fed: Federation, name: str) -> datetime:
    """From when the job's shard is stopped, as its condition Preempted says once it is told."""
    condition = fed.wait_condition("computejobs", name, "Preempted", "True", reason="Preempted", namespace="team-a")
    said = re.search(r"is stopped from (\S+Z) for a job of priority 100; what is not done", condition["message"])
    assert said is not None, condition
    return datetime.fromisoformat(said[1])


def runs_of(fed: Federation, recorder: PodRecorder, name: str) -> list[list[Run]]:
    """The pods of each of the job's indexes, in order."""
    return list(runs_by_index(fed, recorder.runs(), [name]).values())


def give_up(fed: Federation, name: str) -> None:
    """Delete what filled the other member, which is room for the rest."""
    fed.hub.kubectl("delete", "cjob", f"{name}-fixed", "-n", "team-a", "--timeout=60s")


@pytest.mark.parametrize("killed", [False, True], ids=["", "the hub is killed meanwhile"])
def test_it_runs_until_its_notice_is_over(fed: Federation, recorder: PodRecorder, killed: bool) -> None:
    """No pod is stopped before the time that the job was told, all are after it, and what they were at runs again."""
    name, urgent = f"low-{killed}".lower(), f"urgent-{killed}".lower()
    begin(fed, name, run_seconds=40, notice=15 if killed else 8)
    asked = datetime.now(UTC).replace(microsecond=0)
    fed.hub.apply([compute_job(urgent, template(2), priority=100, placement={"gang": True})])
    due = told(fed, name)
    assert due >= asked + timedelta(seconds=15 if killed else 8)
    if killed:
        fed.process.kill()
        fed.process.start()
    (first,) = shards(fed, name)
    wait_complete(fed, [urgent], seconds=60)
    assert [shard["node"] for shard in shards(fed, urgent)] == [first["node"]]
    for (run,) in runs_of(fed, recorder, urgent):
        assert run.time.started is not None
        assert run.time.started >= due
    for runs in runs_of(fed, recorder, name):
        assert runs[0].time.ended is not None
        assert runs[0].time.ended >= due, "stopped before its notice was over"
        assert runs[0].time.phase != "Succeeded"
    give_up(fed, name)
    wait_complete(fed, [name], seconds=120)
    check_each_index_once(fed, recorder.runs(), {name: PODS, urgent: PODS})
    assert next(shard["state"] for shard in shards(fed, name)) == "Cancelled"
    assert fed.condition("computejobs", name, "Preempted", "team-a")["status"] == "False"


def test_it_is_left_to_finish_within_its_notice(fed: Federation, recorder: PodRecorder) -> None:
    """What ends by itself before its notice is over is not stopped, and the job that waits begins at once."""
    begin(fed, "short", run_seconds=12, notice=60)
    fed.hub.apply([compute_job("patient", template(1), priority=100, placement={"gang": True})])
    due = told(fed, "short")
    wait_complete(fed, ["short", "patient"], seconds=60)
    assert datetime.now(UTC) < due
    assert [shard["state"] for shard in shards(fed, "short")] == ["Succeeded"]
    check_each_index_once(fed, recorder.runs(), {"short": PODS, "patient": PODS})
    assert all(len(runs) == 1 for runs in runs_of(fed, recorder, "short"))
    give_up(fed, "short")
