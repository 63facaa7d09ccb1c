"""Where the work went: resource-time and money by node, and by GPU model."""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal

from demo.accelerators import product_name
from demo.board import cost_of, node_of
from demo.members import Member
from demo.podtime import PodTime
from demo.trace import TraceMachine
from isthmus.api.computejob import ComputeJob

NO_GPU = "no GPU"


@dataclasses.dataclass(frozen=True, slots=True)
class NodeWork:
    """What went to one node; time in whole seconds."""

    member: Member
    jobs: int
    pods: int
    core_seconds: int
    gpu_seconds: int
    spent: Decimal


@dataclasses.dataclass(frozen=True, slots=True)
class ModelWork:
    """What ran on machines of one GPU model, by node: pods, and GPU-seconds."""

    model: str
    pods: int
    gpu_seconds: int
    pods_by_node: Mapping[str, int]


def work_by_node(
    members: Iterable[Member], jobs: Iterable[ComputeJob], pods: Iterable[PodTime]
) -> tuple[NodeWork, ...]:
    """One entry a member, in their order."""
    listed, ran = list(jobs), list(pods)
    return tuple(
        NodeWork(
            member=member,
            jobs=sum(node_of(job) == member.name for job in listed),
            pods=sum(pod.member == member.name for pod in ran),
            core_seconds=sum(pod.millicores * pod.seconds for pod in ran if pod.member == member.name) // 1000,
            gpu_seconds=sum(pod.gpus * pod.seconds for pod in ran if pod.member == member.name),
            spent=sum((cost_of(job) for job in listed if node_of(job) == member.name), Decimal(0)),
        )
        for member in members
    )


def work_by_model(machines: Iterable[TraceMachine], pods: Iterable[PodTime]) -> tuple[ModelWork, ...]:
    """One entry for each model that GPU work ran on, and one for pods without GPUs; most GPU-seconds first."""
    models = {machine.name: machine.model for machine in machines}
    by_model: dict[str, list[PodTime]] = defaultdict(list)
    for pod in pods:
        if pod.machine:
            by_model[product_name(models[pod.machine]) if pod.gpus else NO_GPU].append(pod)
    entries = [
        ModelWork(model, len(ran), sum(pod.gpus * pod.seconds for pod in ran), _by_node(ran))
        for model, ran in by_model.items()
    ]
    return tuple(sorted(entries, key=lambda entry: (-entry.gpu_seconds, entry.model)))


def _by_node(pods: Iterable[PodTime]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for pod in pods:
        counts[pod.member] += 1
    return dict(counts)
