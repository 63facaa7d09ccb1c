"""What a run came to: every figure of the report, and what about it is not as it must be."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from demo.board import Board, node_of, phase_of
from demo.latency import percentile
from demo.members import Member
from demo.podtime import PodTime, resource_seconds
from demo.statements import TeamStatement
from demo.tariffs import CURRENCY
from demo.trace import TraceMachine
from demo.workload import DemoJob
from isthmus.api.computejob import Phase

LEAST_TIERS = 3


@dataclasses.dataclass(frozen=True, slots=True)
class NodeFigures:
    """What one node did: jobs that ended there, and whole seconds that their pods ran."""

    name: str
    tier: str
    jobs: int
    pod_seconds: int


@dataclasses.dataclass(frozen=True, slots=True)
class Latencies:
    """Milliseconds from the create call to the first sight of the member Job, nearest rank."""

    jobs: int
    p50: float | None
    p99: float | None


@dataclasses.dataclass(frozen=True, slots=True)
class Findings:
    """The figures of a run."""

    submitted: int
    complete: int
    failed: int
    nodes: tuple[NodeFigures, ...]
    ledger_seconds: Mapping[str, int]
    member_seconds: Mapping[str, int]
    statements: tuple[TeamStatement, ...]
    latencies: Latencies
    latencies_at_once: Latencies  # of the jobs that the hub never told to wait for room
    wrong_models: tuple[str, ...]  # pods on a machine of a model that their job does not allow
    seconds: float  # from the first create call to the last job's end
    hub_writes: int

    def report(self) -> dict[str, object]:
        """The report as it is written."""
        return {
            "jobs": {"submitted": self.submitted, "complete": self.complete, "failed": self.failed},
            "nodes": [
                {"name": node.name, "tier": node.tier, "jobs": node.jobs, "podSeconds": node.pod_seconds}
                for node in self.nodes
            ],
            "ledgerSeconds": dict(sorted(self.ledger_seconds.items())),
            "memberSeconds": dict(sorted(self.member_seconds.items())),
            "statement": {
                "currency": CURRENCY,
                "total": str(sum((statement.total for statement in self.statements), Decimal(0))),
                "lines": sum(statement.lines for statement in self.statements),
            },
            "dispatchP50Milliseconds": _rounded(self.latencies.p50),
            "dispatchP99Milliseconds": _rounded(self.latencies.p99),
            "placedAtOnce": {
                "jobs": self.latencies_at_once.jobs,
                "dispatchP50Milliseconds": _rounded(self.latencies_at_once.p50),
                "dispatchP99Milliseconds": _rounded(self.latencies_at_once.p99),
            },
            "jobsPerSecond": round(self.complete / self.seconds, 2) if self.seconds else 0.0,
            "hubWritesPerJob": round(self.hub_writes / self.submitted, 2) if self.submitted else 0.0,
        }

    def problems(self) -> list[str]:
        """What is not as it must be, each in a sentence."""
        problems = []
        if self.complete != self.submitted:
            problems.append(f"{self.submitted - self.complete} of {self.submitted} jobs are not Complete.")
        if dict(self.ledger_seconds) != dict(self.member_seconds):
            problems.append(
                f"The ledger says {dict(self.ledger_seconds)}, the members' pods say {dict(self.member_seconds)}."
            )
        tiers = {node.tier for node in self.nodes if node.jobs}
        if len(tiers) < LEAST_TIERS:
            problems.append(f"Work went to {len(tiers)} tiers only: {', '.join(sorted(tiers)) or 'none'}.")
        if self.wrong_models:
            problems.append(
                f"Pods stood on GPU models that their jobs don't allow: {', '.join(self.wrong_models[:5])}."
            )
        problems.extend(problem for statement in self.statements for problem in statement.problems())
        return problems


def find(
    board: Board,
    *,
    members: Sequence[Member],
    machines: Iterable[TraceMachine],
    submitted: Mapping[str, DemoJob],
    statements: Sequence[TeamStatement],
    ledger_seconds: Mapping[str, int],
    seconds: float,
    hub_writes: int,
) -> Findings:
    """The figures of a run that has ended; `submitted` holds the jobs by the UID that they were given."""
    jobs = {uid: job for uid, job in board.jobs.items() if uid in submitted}
    pods = board.pods.all()
    times = board.stopwatch.milliseconds()
    return Findings(
        submitted=len(submitted),
        complete=sum(phase_of(job) is Phase.SUCCEEDED for job in jobs.values()),
        failed=sum(phase_of(job) in {Phase.FAILED, Phase.CANCELLED} for job in jobs.values()),
        nodes=tuple(
            NodeFigures(
                name=member.name,
                tier=member.tier,
                jobs=sum(node_of(job) == member.name for job in jobs.values()),
                pod_seconds=sum(pod.seconds for pod in pods if pod.member == member.name),
            )
            for member in members
        ),
        ledger_seconds=ledger_seconds,
        member_seconds=resource_seconds(pods),
        statements=tuple(statements),
        latencies=_latencies(list(times.values())),
        latencies_at_once=_latencies([time for uid, time in times.items() if uid not in board.waited]),
        wrong_models=_wrong_models(pods, machines, submitted, board.job_of_dispatch),
        seconds=seconds,
        hub_writes=hub_writes,
    )


def _latencies(times: Sequence[float]) -> Latencies:
    return Latencies(len(times), percentile(times, 50), percentile(times, 99))


def _wrong_models(
    pods: Iterable[PodTime],
    machines: Iterable[TraceMachine],
    submitted: Mapping[str, DemoJob],
    job_of_dispatch: Mapping[str, str],
) -> tuple[str, ...]:
    models = {machine.name: machine.model for machine in machines}
    wrong = []
    for pod in pods:
        job = submitted.get(job_of_dispatch.get(pod.dispatch, ""))
        if job and job.pod.models and pod.machine and models[pod.machine] not in job.pod.models:
            wrong.append(f"{job.name} on {pod.machine} ({models[pod.machine]})")
    return tuple(wrong)


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 1)
