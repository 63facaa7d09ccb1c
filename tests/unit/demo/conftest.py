from collections.abc import Sequence
from typing import Any

import pytest

from demo.board import Board
from demo.plan import Plan, make_plan
from demo.source import SAMPLE, Source
from demo.workload import DemoJob


@pytest.fixture(scope="session")
def plan() -> Plan:
    """The demo's plan on the sample."""
    return make_plan(Source(SAMPLE, "the sample"))


class World:
    """A board that was told of a run: the plan's first jobs, each on a member and, if it has ended, for two seconds."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.board = Board()
        self.submitted: dict[str, DemoJob] = {}
        for member in plan.members:
            profile = {
                "observedAt": "2026-11-22T10:00:00Z",
                "machines": 1,
                "allocatable": {},
                "free": {},
                "gpuTotal": 8,
                "gpuFree": 3,
            }
            self.board.on_node(
                "ADDED", {"metadata": {"name": member.name}, "spec": _node_spec(), "status": {"profile": profile}}, 0.0
            )

    def job(self, number: int, phase: str, node: str = "", **status: Any) -> str:
        """The plan's job of this number as the hub shows it; returns its UID."""
        drawn = self.plan.jobs[number]
        uid = f"uid-{number}"
        if uid not in self.submitted:
            self.submitted[uid] = drawn
            self.board.stopwatch.created(uid, float(number))
        shards = [{"node": node, "dispatch": f"job-{number}", "attempt": 1, "state": phase}] if node else []
        metadata = {"name": drawn.name, "namespace": drawn.team.namespace, "uid": uid}
        told = {"phase": phase, "shards": shards, **status}
        self.board.on_job("MODIFIED", {"metadata": metadata, "spec": {"template": {}}, "status": told}, 0.0)
        return uid

    def member_job(self, number: int, at: float) -> None:
        """The job's Job was seen in its member."""
        metadata = {"name": f"job-{number}", "labels": {"isthmus.dev/job-uid": f"uid-{number}"}}
        self.board.on_member_job("ADDED", {"metadata": metadata}, at)

    def pod(self, number: int, member: str, machine: str, phase: str = "Succeeded") -> None:
        """A pod of the job: one core, 1 GiB and one GPU; two seconds long where it has ended."""
        start, end = "2026-11-22T10:00:00Z", "2026-11-22T10:00:02Z"
        state = {"terminated": {"startedAt": start, "finishedAt": end}}
        if phase == "Running":
            state = {"running": {"startedAt": start}}
        requests = {"cpu": "1", "memory": "1Gi", "nvidia.com/gpu": "1"}
        pod = {
            "metadata": {
                "uid": f"{member}-{number}",
                "name": "pod",
                "labels": {"isthmus.dev/dispatch": f"job-{number}"},
            },
            "spec": {"nodeName": machine, "containers": [{"resources": {"requests": requests}}]},
            "status": {"phase": phase, "containerStatuses": [{"state": state}]},
        }
        self.board.pods.seen(member, pod)


def _node_spec() -> dict[str, Any]:
    return {
        "identity": {"code": "x"},
        "tier": "Core",
        "region": {"code": "r"},
        "access": {"kubeConfig": {"secretRef": {"name": "s"}}},
    }


@pytest.fixture
def world(plan: Plan) -> World:
    """A run that nothing has happened in yet."""
    return World(plan)


def numbers_of(plan: Plan, models: Sequence[str]) -> list[int]:
    """The plan's jobs that allow these models only."""
    return [number for number, job in enumerate(plan.jobs) if job.pod.models == tuple(models)]
