"""The screens after the run: where the work went, why one job stands where it does, and the bill."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from demo.choosing import refused, scored
from demo.findings import Findings
from demo.live import duration
from demo.members import Member
from demo.statements import TeamStatement
from demo.summary import ModelWork, NodeWork
from demo.tariffs import CURRENCY
from demo.workload import DemoJob
from isthmus.api.computejob import ComputeJob


def _table(*columns: str, right: Sequence[str] = ()) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", no_wrap=column in right)
    return table


def nodes_screen(work: Sequence[NodeWork]) -> Table:
    """Where the work went by tier."""
    figures = ("JOBS", "PODS", "CORE-SECONDS", "GPU-SECONDS", f"COST {CURRENCY}")
    table = _table("TIER", "NODE", "REGION", *figures, right=figures)
    for node in work:
        table.add_row(
            node.member.tier,
            node.member.name,
            node.member.region_name,
            str(node.jobs),
            str(node.pods),
            f"{node.core_seconds:,}",
            f"{node.gpu_seconds:,}",
            f"{node.spent:.2f}",
        )
    return table


def models_screen(work: Sequence[ModelWork], members: Sequence[Member]) -> Table:
    """Where the work went by GPU model: how many pods on each node."""
    names = [member.name.upper() for member in members]
    table = _table("PODS BY GPU MODEL", "GPU-SECONDS", *names, right=("GPU-SECONDS", *names))
    for model in work:
        counts = (str(model.pods_by_node.get(member.name, "")) for member in members)
        table.add_row(model.model, f"{model.gpu_seconds:,}" if model.gpu_seconds else "", *counts)
    return table


def explanation_screen(job: ComputeJob, drawn: DemoJob) -> RenderableType:
    """One job and each node's verdict on it."""
    explanation = job.status.explanation
    if explanation is None:
        return Text("The job has no explanation.")
    table = _table("NODE", "SCORE", "WHY", right=("SCORE",))
    for verdict in scored(explanation):
        won = verdict.node == explanation.winner
        parts = " · ".join(f"{name} {value}" for name, value in (verdict.parts or {}).items())
        table.add_row(verdict.node, str(verdict.score), parts, style="bold green" if won else "")
    for verdict in refused(explanation):
        table.add_row(verdict.node, "–", f"{verdict.reason}: {verdict.message or ''}", style="yellow")
    title = Text.assemble((f"{drawn.team.namespace}/{drawn.name}", "bold"), f": {wish(drawn)}")
    return Group(title, Text(), table)


def wish(job: DemoJob) -> str:
    """What the job asks for, in a sentence."""
    pods = "one pod" if job.completions == 1 else f"{job.completions} pods, {job.parallelism} at once"
    if job.mode == "Indexed":
        pods += ", each with an index"
    parts = [f"{job.pod.cpu_milli / 1000:g} cores", f"{job.pod.memory_mib / 1024:.0f} GiB"]
    if job.pod.gpus:
        model = " or ".join(job.pod.models) or "any model"
        parts.insert(0, f"{job.pod.gpus} GPU{'s' if job.pod.gpus > 1 else ''} of {model}")
    where = f", in {' or '.join(job.tiers)}" if job.tiers else ""
    return f"{pods}; {', '.join(parts)} each{where}; {job.team.objective.lower()}"


def statement_screen(statements: Sequence[TeamStatement], checkout: Path) -> RenderableType:
    """Each team's statement, and where in the checkout the whole of it lies."""
    parts: list[RenderableType] = []
    for statement in statements:
        parts += [
            Text(statement.table.rstrip("\n")),
            Text(f"{statement.lines} lines in {statement.csv.relative_to(checkout)}\n", "bright_black"),
        ]
    total = sum((statement.total for statement in statements), Decimal(0))
    agreed = not any(statement.problems() for statement in statements)
    told = "the hub's Settlements say the same" if agreed else "the hub's Settlements say something else"
    parts.append(Text(f"Together: {total:.2f} {CURRENCY}; {told}.", "bold"))
    return Group(*parts)


def figures_screen(findings: Findings) -> RenderableType:
    """What was measured."""
    report = findings.report()
    table = _table("", "")
    table.show_header = False
    told = (
        ("jobs", f"{findings.complete} of {findings.submitted} complete, {report['jobsPerSecond']} a second"),
        ("create call to Job in a member", _latency(findings.latencies.p50, findings.latencies.p99)),
        (
            f"… of the {findings.latencies_at_once.jobs} that were not told to wait",
            _latency(findings.latencies_at_once.p50, findings.latencies_at_once.p99),
        ),
        ("the hub's writes a job", str(report["hubWritesPerJob"])),
        ("metered by the hub", _seconds(findings.ledger_seconds)),
        ("summed from the members' pods", _seconds(findings.member_seconds)),
    )
    for name, value in told:
        table.add_row(name, value)
    return table


def _latency(p50: float | None, p99: float | None) -> str:
    return "none" if p50 is None or p99 is None else f"P50 {duration(p50)}, P99 {duration(p99)}"


def _seconds(totals: Mapping[str, int]) -> str:
    return ", ".join(f"{value:,} {meter}" for meter, value in sorted(totals.items()))
