"""What the demo sees of the hub and its members, gathered from watches and read by whoever shows or sums it."""

import threading
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from demo.latency import Stopwatch
from demo.podtime import PodTimes
from demo.watching import Change
from isthmus.api.computejob import ComputeJob, Phase
from isthmus.api.computenode import ComputeNode
from isthmus.api.names import LABEL_JOB_UID


class Board:
    """The latest state of every ComputeNode and ComputeJob, the members' pods, and the times; thread-safe."""

    def __init__(self) -> None:
        self.stopwatch = Stopwatch()
        self.pods = PodTimes()
        self._lock = threading.Lock()
        self._nodes: dict[str, ComputeNode] = {}
        self._jobs: dict[str, ComputeJob] = {}
        self._job_of_dispatch: dict[str, str] = {}
        self._waited: set[str] = set()

    def on_node(self, change: Change, node: Mapping[str, Any], _at: float) -> None:
        """A ComputeNode in the hub changed."""
        with self._lock:
            if change == "DELETED":
                self._nodes.pop(node["metadata"]["name"], None)
            else:
                self._nodes[node["metadata"]["name"]] = ComputeNode.model_validate(node)

    def on_job(self, change: Change, job: Mapping[str, Any], _at: float) -> None:
        """A ComputeJob in the hub changed."""
        with self._lock:
            uid = job["metadata"]["uid"]
            if change == "DELETED":
                self._jobs.pop(uid, None)
                return
            self._jobs[uid] = read = ComputeJob.model_validate(job)
            if any(condition.type == "Placed" and condition.status == "False" for condition in read.status.conditions):
                self._waited.add(uid)

    def on_member_job(self, _change: Change, job: Mapping[str, Any], at: float) -> None:
        """A Job that the hub had created in a member was seen."""
        uid = job["metadata"]["labels"][LABEL_JOB_UID]
        self.stopwatch.seen(uid, at)
        with self._lock:
            self._job_of_dispatch[job["metadata"]["name"]] = uid

    @property
    def nodes(self) -> dict[str, ComputeNode]:
        """The ComputeNodes by name."""
        with self._lock:
            return dict(self._nodes)

    @property
    def jobs(self) -> dict[str, ComputeJob]:
        """The ComputeJobs by UID."""
        with self._lock:
            return dict(self._jobs)

    @property
    def waited(self) -> frozenset[str]:
        """The UIDs of the jobs that were once told that no node has room for them."""
        with self._lock:
            return frozenset(self._waited)

    @property
    def job_of_dispatch(self) -> dict[str, str]:
        """The ComputeJob's UID by the name of its Job in a member."""
        with self._lock:
            return dict(self._job_of_dispatch)


def phase_of(job: ComputeJob) -> Phase:
    """Where the job stands; Pending before the hub has looked at it."""
    return job.status.phase or Phase.PENDING


def node_of(job: ComputeJob) -> str | None:
    """The node that the job stands on, or ended on."""
    return job.status.shards[-1].node if job.status.shards else None


def cost_of(job: ComputeJob) -> Decimal:
    """What the job has cost so far."""
    return Decimal(job.status.cost.amount) if job.status.cost else Decimal(0)
