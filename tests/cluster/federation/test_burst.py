"""Many jobs at once against machines that just hold them: none waits where it fits, and nothing is sent too much."""

import logging
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from demo.identity import Identity
from demo.watching import Watch
from federation import Federation, compute_job, job_spec
from isthmus.api.names import LABEL_HUB
from testbed import Cluster, Machine, wait_for

logger = logging.getLogger(__name__)

GPU = "nvidia.com/gpu"
PRODUCT = {f"{GPU}.product": "NVIDIA-A100-SXM4-80GB"}
MACHINES, GPUS = 4, 4
ROOM = MACHINES * GPUS
MEMBERS = {
    name: [Machine(f"{name}-{n}", "64", "256Gi", PRODUCT, {GPU: str(GPUS)}) for n in range(MACHINES)]
    for name in ("east", "west")
}
LONG, SHORT = "3600", "2"


class Unschedulable:
    """Pods that a member's scheduler found no room for, by name; each for whatever time."""

    def __init__(self, members: Mapping[str, Cluster]) -> None:
        self._lock = threading.Lock()
        self._found: set[str] = set()
        self._watches = [
            Watch(Identity.read(cluster.kubeconfig()), "/api/v1/pods", self._seen, selector=LABEL_HUB)
            for cluster in members.values()
        ]

    def _seen(self, _change: str, pod: Mapping[str, Any], _at: float) -> None:
        conditions = pod.get("status", {}).get("conditions", ())
        if any(c["type"] == "PodScheduled" and c.get("reason") == "Unschedulable" for c in conditions):
            with self._lock:
                self._found.add(pod["metadata"]["name"])

    def found(self) -> set[str]:
        """The pods so far. Raises what ended a watch, where something did."""
        for watch in self._watches:
            watch.check()
        with self._lock:
            return set(self._found)

    def close(self) -> None:
        """Stop following."""
        for watch in self._watches:
            watch.stop()


@pytest.fixture
def unschedulable(fed: Federation) -> Iterator[Unschedulable]:
    """Pods without room during a test."""
    found = Unschedulable({name: fed.clusters[name] for name in MEMBERS})
    yield found
    found.close()


def phases(fed: Federation) -> list[str]:
    """The phases of all jobs."""
    return [job.get("status", {}).get("phase", "") for job in fed.items("computejobs")]


def held(fed: Federation) -> int:
    """GPUs that pods hold which have not ended."""
    pods = [pod for name in MEMBERS for pod in fed.member_pods(name)]
    there = [p for p in pods if p["spec"].get("nodeName") and p["status"].get("phase") not in {"Succeeded", "Failed"}]
    return sum(int(pod["spec"]["containers"][0]["resources"]["limits"][GPU]) for pod in there)


def hints(fed: Federation) -> tuple[int, int]:
    """How many pods went where they were asked to go, and how many did not, since the hub started."""
    with urllib.request.urlopen(f"{fed.process.served_at()}/metrics", timeout=30) as answer:  # noqa: S310 - http
        lines = [line.split() for line in answer.read().decode().splitlines()]
    told = {line[0]: float(line[1]) for line in lines if line and line[0].startswith("isthmus_hints_total")}
    return tuple(int(told.get(f'isthmus_hints_total{{followed="{each}"}}', 0)) for each in ("true", "false"))  # type: ignore[return-value]  # it has two


def delete_all(fed: Federation) -> None:
    """Delete all jobs, and wait until they and their pods are gone."""
    fed.hub.kubectl("delete", "cjob", "--all", "-n", "team-a", "--timeout=120s")
    wait_for(lambda: held(fed) == 0, 60, "the members to be empty")


def test_all_that_fits_and_no_more(fed: Federation, unschedulable: Unschedulable) -> None:
    """As many jobs run at once as there are GPUs, each as it ends makes room for another, and no pod ever lacks any."""
    jobs = [compute_job(f"long-{n}", job_spec(run_seconds=LONG, gpus=1)) for n in range(2 * ROOM + 6)]
    fed.hub.apply(jobs)
    wait_for(lambda: held(fed) == 2 * ROOM, 90, "all GPUs to be held")
    wait_for(lambda: sorted(phases(fed)) == ["Pending"] * 6 + ["Running"] * 2 * ROOM, 30, "the rest to wait")
    delete_all(fed)
    assert unschedulable.found() == set()


def test_a_stream_of_short_jobs(fed: Federation, unschedulable: Unschedulable) -> None:
    """Jobs of several times the room come at once and end all the time: all run, and no pod ever lacks room."""
    count = 8 * ROOM
    fed.hub.apply([compute_job(f"short-{n}", job_spec(run_seconds=SHORT, gpus=1)) for n in range(count)])
    wait_for(lambda: phases(fed) == ["Succeeded"] * count, 240, "all jobs to end")
    assert unschedulable.found() == set()
    delete_all(fed)


def test_hints_keep_blocks_whole(fed: Federation, unschedulable: Unschedulable) -> None:
    """Small jobs go where the hub has them in mind, so that large ones find whole machines beside them."""
    before = hints(fed)
    small = [compute_job(f"small-{n}", job_spec(run_seconds=LONG, gpus=1)) for n in range(ROOM)]
    fed.hub.apply(small)
    wait_for(lambda: held(fed) == ROOM, 90, "the small jobs to run")
    wait_for(lambda: sum(hints(fed)) - sum(before) == ROOM, 30, "all pods to be counted")
    followed, other = (now - then for now, then in zip(hints(fed), before, strict=True))
    logger.info("%d of %d pods went where they were asked to", followed, followed + other)
    assert followed >= 0.9 * ROOM
    whole = [compute_job(f"whole-{n}", job_spec(run_seconds=LONG, gpus=GPUS)) for n in range(MACHINES)]
    fed.hub.apply(whole)
    wait_for(lambda: held(fed) == 2 * ROOM, 90, "the large jobs to run")
    assert unschedulable.found() == set()
    delete_all(fed)
