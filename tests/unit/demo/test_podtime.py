from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.podtime import PodTimes, read_pod, resource_seconds

REQUESTS = {"cpu": "11300m", "memory": "48Gi", "nvidia.com/gpu": "2"}
RUNNING = {"running": {"startedAt": "2026-11-22T10:00:00Z"}}
ENDED = {"terminated": {"startedAt": "2026-11-22T10:00:00Z", "finishedAt": "2026-11-22T10:00:07Z", "exitCode": 0}}


def pod(*states: dict[str, Any], requests: Mapping[str, str] = REQUESTS, more: str = "") -> dict[str, Any]:
    """A pod with a container for each state, on a machine."""
    containers = [{"name": f"c{number}", "resources": {"requests": requests}} for number in range(len(states))]
    return {
        "metadata": {"uid": "u1", "name": "p1", "labels": {"isthmus.dev/dispatch": "job-1"}},
        "spec": {"containers": containers, "nodeName": "node-1", **({more: [{}]} if more else {})},
        "status": {"phase": "Running", "containerStatuses": [{"state": state} for state in states]},
    }


def totals(*pods: dict[str, Any]) -> dict[str, int]:
    """The resource-time after these states were seen."""
    times = PodTimes()
    for each in pods:
        times.seen("core", each)
    return resource_seconds(times.all())


def test_an_ended_pod_counts_with_its_requests() -> None:
    """Seven seconds of 11.3 cores, 48 GiB and two GPUs in the meters' units."""
    assert totals(pod(RUNNING), pod(ENDED)) == {
        "MillicoreSeconds": 7 * 11_300,
        "MebibyteSeconds": 7 * 48 * 1024,
        "MilliGPUSeconds": 7 * 2000,
    }


@pytest.mark.parametrize(
    "states",
    [(pod({}),), (pod({"waiting": {}}),), (pod(RUNNING),), (pod(ENDED, RUNNING),)],
    ids=["no status", "waiting", "running", "one of two containers runs"],
)
def test_a_pod_that_has_not_ended_counts_nothing(states: tuple[dict[str, Any], ...]) -> None:
    """Only an end makes a pod's seconds known."""
    assert set(totals(*states).values()) == {0}


def test_containers_count_from_the_first_start_to_the_last_end() -> None:
    """Two containers: the earlier start, the later end, both requests."""
    late = {"terminated": {"startedAt": "2026-11-22T10:00:03Z", "finishedAt": "2026-11-22T10:00:10Z"}}
    assert totals(pod(ENDED, late))["MillicoreSeconds"] == 10 * 2 * 11_300


@given(st.permutations([pod(RUNNING), pod(ENDED), pod({}), pod(ENDED)]))
def test_the_order_of_sight_does_not_matter(states: list[dict[str, Any]]) -> None:
    """What was seen once is not lost, and nothing counts twice."""
    assert totals(*states) == totals(pod(ENDED))


def test_pods_add_up() -> None:
    """Each pod counts once by its UID."""
    other = pod(ENDED)
    other["metadata"]["uid"] = "u2"
    assert totals(pod(ENDED), other, pod(ENDED))["MilliGPUSeconds"] == 2 * totals(pod(ENDED))["MilliGPUSeconds"]


@pytest.mark.parametrize(
    ("cpu", "memory", "millicores", "mebibytes"),
    [
        ("4", "5600Mi", 4000, 5600),
        ("500m", "1Gi", 500, 1024),
        ("1.5", "1048576", 1500, 1),
        ("1", "512Ki", 1000, 1),
        ("100m", "1G", 100, 954),
    ],
)
def test_quantities_are_read(cpu: str, memory: str, millicores: int, mebibytes: int) -> None:
    """Kubernetes quantities as an API server writes them, memory rounded up to whole MiB."""
    read = read_pod("core", pod(ENDED, requests={"cpu": cpu, "memory": memory}))
    assert (read.millicores, read.mebibytes, read.gpus) == (millicores, mebibytes, 0)


@pytest.mark.parametrize("field", ["initContainers", "overhead", "resources"])
def test_what_is_not_understood_is_refused(field: str) -> None:
    """A pod with more than plain containers is an error, not a guess."""
    with pytest.raises(ValueError, match="p1 has more than plain containers"):
        read_pod("core", pod(ENDED, more=field))


def test_a_pod_names_its_job_and_machine() -> None:
    """The Dispatch label and the machine are kept; the machine also when a later state lacks it."""
    times = PodTimes()
    unbound = pod({})
    del unbound["spec"]["nodeName"]
    for state in (pod(RUNNING), unbound):
        times.seen("core", state)
    (read,) = times.all()
    assert (read.member, read.dispatch, read.machine) == ("core", "job-1", "node-1")
