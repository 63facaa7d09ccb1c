"""The fleet at one moment, as `top` shows it. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .kinds import condition

Object = Mapping[str, Any]
_SUFFIXES = {
    "": 1.0, "m": 0.001, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50, "Ei": 2.0**60,
}  # fmt: skip
PHASES = ("Running", "Dispatched", "Pending", "Suspended", "Succeeded", "Failed", "Cancelled")
LIVE = frozenset({"Running", "Dispatched", "Pending", "Suspended"})


@dataclass(frozen=True, slots=True)
class NodeLine:
    """One node."""

    name: str
    state: str
    good: bool
    tier: str
    region: str
    gpus: tuple[int, int] = (0, 0)
    """Used, of how many."""
    cpu: tuple[float, float] = (0.0, 0.0)
    memory: tuple[float, float] = (0.0, 0.0)
    jobs: int = 0
    price: str = ""


@dataclass(frozen=True, slots=True)
class JobLine:
    """One job that has not ended."""

    namespace: str
    name: str
    phase: str
    nodes: str
    done: str
    gpus: str
    cost: str
    age: str


@dataclass(frozen=True, slots=True)
class Fleet:
    """All nodes, the jobs that have not ended, and how many jobs there are of each phase."""

    nodes: Sequence[NodeLine]
    jobs: Sequence[JobLine]
    phases: Mapping[str, int] = field(default_factory=dict)


def fleet_of(nodes: Sequence[Object], jobs: Sequence[JobLine]) -> Fleet:
    """The fleet of these nodes and jobs; the jobs that run stand first."""
    order = {phase: place for place, phase in enumerate(PHASES)}
    live = [job for job in jobs if job.phase in LIVE or not job.phase]
    live.sort(key=lambda job: (order.get(job.phase, len(order)), job.namespace, job.name))
    lines = sorted((node_line(node) for node in nodes), key=lambda line: line.name)
    return Fleet(lines, live, Counter(job.phase or "Pending" for job in jobs))


def node_line(node: Object) -> NodeLine:
    """A node as it says of itself."""
    spec, status = node.get("spec") or {}, node.get("status") or {}
    profile = status.get("profile") or {}
    schedulable = condition(node, "Schedulable")
    good = schedulable.get("status") == "True"
    total, free = int(profile.get("gpuTotal", 0)), int(profile.get("gpuFree", 0))
    return NodeLine(
        name=str(node["metadata"]["name"]),
        state="Ready" if good else str(schedulable.get("reason") or "Unknown"),
        good=good,
        tier=str(spec.get("tier", "")),
        region=str((spec.get("region") or {}).get("code", "")),
        gpus=(total - free, total),
        cpu=_used(profile, "cpu"),
        memory=_used(profile, "memory"),
        jobs=int(status.get("jobs", 0)),
        price=str(status.get("price", "")),
    )


def _used(profile: Object, resource: str) -> tuple[float, float]:
    whole = amount((profile.get("allocatable") or {}).get(resource, "0"))
    return whole - amount((profile.get("free") or {}).get(resource, "0")), whole


def amount(quantity: str) -> float:
    """A Kubernetes quantity as a number, near enough for a bar; 0 for what is none."""
    number = quantity.rstrip("mkMGTPEi")
    try:
        return float(number) * _SUFFIXES[quantity[len(number) :]]
    except (ValueError, KeyError):
        return 0.0
