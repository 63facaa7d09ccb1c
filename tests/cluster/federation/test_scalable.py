"""Machines that a member's autoscaler has yet to add: the test is the autoscaler."""

from typing import Any

import pytest

from federation import Federation, compute_job, compute_node, job_spec
from testbed import Machine, wait_for

MEMBERS = {"grows": [Machine("small", "4", "16Gi")]}
LARGE = {"name": "large", "allocatable": {"cpu": 16, "memory": "64Gi"}, "maximum": 2}
LONG = "3600"


@pytest.fixture(scope="module", autouse=True)
def offer(fed: Federation) -> None:
    """The member says that two large machines may come."""
    fed.hub.apply([compute_node("grows", "grows", offer={"scalable": [LARGE]})])


def add_machine(fed: Federation, name: str) -> None:
    """What an autoscaler does for pods that wait."""
    fed.clusters["grows"].add_machines([Machine(name, "16", "64Gi")])


def pods(fed: Federation, name: str) -> list[tuple[str, str]]:
    """Phase and machine of each pod of a job."""
    found = fed.pods_of(name) if fed.job(name).get("status", {}).get("shards") else []
    return [(pod["status"]["phase"], pod["spec"].get("nodeName", "")) for pod in found]


def submit(fed: Federation, name: str) -> None:
    """A job of one pod that only a large machine holds, and no two of them one."""
    fed.hub.apply([compute_job(name, job_spec(run_seconds=LONG, cpu="12"))])


def placed(fed: Federation, name: str) -> dict[str, Any]:
    """A job's condition Placed."""
    return dict(fed.condition("computejobs", name, "Placed", "team-a"))


def test_a_job_waits_in_the_member_for_its_machine(fed: Federation) -> None:
    """With no machine that fits, jobs are sent for as many as may come; their pods wait there and run as these come."""
    submit(fed, "first")
    wait_for(lambda: pods(fed, "first") == [("Pending", "")], 30, "its pod to wait in the member")
    told = fed.job("first")["status"]["explanation"]["nodes"][0]["message"]
    assert told == "there is room only on machines that the member's autoscaler has yet to add"
    stalled = fed.wait_condition("computejobs", "first", "Stalled", "True", namespace="team-a")
    assert stalled["reason"] == "Unschedulable"
    add_machine(fed, "large-1")
    wait_for(lambda: pods(fed, "first") == [("Running", "large-1")], 30, "it to run on the machine that came")
    fed.wait_condition("computejobs", "first", "Stalled", "False", namespace="team-a")


def test_no_more_than_may_come(fed: Federation) -> None:
    """A machine that came counts to the maximum: of two more jobs one is sent, and the other waits in the hub."""
    submit(fed, "second")
    wait_for(lambda: pods(fed, "second") == [("Pending", "")], 30, "the second pod to wait in the member")
    submit(fed, "third")
    fed.wait_condition("computejobs", "third", "Placed", "False", namespace="team-a")
    said = "1 InsufficientCapacity (needs a pod of 12 cpu + 1Gi memory; room for none now, short of cpu)"
    assert placed(fed, "third")["message"].startswith(f"0/1 nodes are available: {said}")
    add_machine(fed, "large-2")
    wait_for(lambda: pods(fed, "second") == [("Running", "large-2")], 30, "the second to run")
    assert placed(fed, "third")["reason"] == "InsufficientCapacity"
    assert pods(fed, "third") == []
    fed.hub.kubectl("delete", "cjob", "first", "-n", "team-a", "--timeout=60s")
    wait_for(lambda: pods(fed, "third") == [("Running", "large-1")], 30, "the third to run once there is room")


def test_what_is_too_large_for_them_never_waits_there(fed: Federation) -> None:
    """A job that no such machine would hold is told so, and sent nowhere."""
    fed.hub.apply([compute_job("huge", job_spec(cpu="17"))])
    fed.wait_condition("computejobs", "huge", "Placed", "False", reason="NeverFits", namespace="team-a")
    assert pods(fed, "huge") == []
