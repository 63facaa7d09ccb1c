"""The live view while jobs run, and its one-line form for where there is no terminal."""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from demo.board import Board, cost_of, node_of, phase_of
from demo.latency import percentile
from demo.members import Member
from demo.tariffs import CURRENCY
from isthmus.api.computejob import FINISHED, ComputeJob, Phase

BAR_WIDTH = 60
STYLES = {
    Phase.SUCCEEDED: "green",
    Phase.RUNNING: "cyan",
    Phase.DISPATCHED: "blue",
    Phase.PENDING: "yellow",
    Phase.SUSPENDED: "magenta",
    Phase.FAILED: "red",
    Phase.CANCELLED: "red",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One node's line."""

    member: Member
    gpus_free: int | None
    gpus: int | None
    running_pods: int
    running_jobs: int
    done: int
    spent: Decimal


@dataclasses.dataclass(frozen=True, slots=True)
class View:
    """One moment of the run: seconds since the first create call, latencies in milliseconds."""

    rows: tuple[Row, ...]
    phases: Counter[Phase]
    submitted: int
    total: int
    elapsed: float
    p50: float | None
    p99: float | None
    waited: int

    @classmethod
    def of(cls, board: Board, members: Sequence[Member], *, submitted: int, total: int, elapsed: float) -> "View":
        """What the board says now."""
        jobs = list(board.jobs.values())
        running = Counter(pod.member for pod in board.pods.all() if pod.phase == "Running")
        times = list(board.stopwatch.milliseconds().values())
        return cls(
            rows=tuple(_row(board, member, jobs, running[member.name]) for member in members),
            phases=Counter(phase_of(job) for job in jobs),
            submitted=submitted,
            total=total,
            elapsed=elapsed,
            p50=percentile(times, 50),
            p99=percentile(times, 99),
            waited=len(board.waited),
        )

    @property
    def finished(self) -> int:
        """Jobs that have ended, in whichever way."""
        return sum(self.phases[phase] for phase in FINISHED)

    def __rich__(self) -> RenderableType:
        """The live view."""
        return Padding(
            Group(self._table(), Text(), self._bar(), self._counts(), self._latency()), (0, 0, 0, 3), expand=False
        )

    def line(self) -> str:
        """The same in one line of plain text."""
        free = sum(row.gpus_free or 0 for row in self.rows)
        total = sum(row.gpus or 0 for row in self.rows)
        phases = ", ".join(f"{self.phases[phase]} {phase.lower()}" for phase in STYLES if self.phases[phase])
        spent = sum((row.spent for row in self.rows), Decimal(0))
        return (
            f"[{self.elapsed:3.0f} s] {self.submitted}/{self.total} handed in: {phases or 'none seen yet'}; "
            f"{free}/{total} GPUs free; {spent:.2f} {CURRENCY} spent"
        )

    def _table(self) -> Table:
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
        for name in ("NODE", "TIER", "REGION"):
            table.add_column(name, no_wrap=True)
        for name in ("GPUS FREE", "PODS RUNNING", "JOBS RUNNING", "JOBS DONE", f"SPENT {CURRENCY}"):
            table.add_column(name, justify="right", no_wrap=True)
        for row in self.rows:
            gpus = "–" if row.gpus is None else f"{row.gpus_free}/{row.gpus}"
            figures = (gpus, str(row.running_pods), str(row.running_jobs), str(row.done), f"{row.spent:.2f}")
            table.add_row(row.member.name, row.member.tier, row.member.region_name, *figures)
        return table

    def _bar(self) -> Text:
        bar = Text()
        drawn = 0
        seen = 0
        for phase, style in STYLES.items():
            seen += self.phases[phase]
            width = round(BAR_WIDTH * seen / self.total) - drawn
            bar.append("━" * width, style)
            drawn += width
        return bar.append("━" * (BAR_WIDTH - drawn), "bright_black")

    def _counts(self) -> Text:
        text = Text(f"{self.elapsed:.0f} s   {self.submitted} of {self.total} handed in")
        for phase, style in STYLES.items():
            if self.phases[phase]:
                text.append(f"   {phase} {self.phases[phase]}", style)
        return text

    def _latency(self) -> Text:
        if self.p50 is None or self.p99 is None:
            return Text("create call to Job in a member: none yet", "bright_black")
        return Text(
            f"create call to Job in a member: P50 {duration(self.p50)}, P99 {duration(self.p99)}; "
            f"{self.waited} jobs were told to wait for room",
            "bright_black",
        )


def duration(milliseconds: float) -> str:
    """Milliseconds for people."""
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


def _row(board: Board, member: Member, jobs: Sequence[ComputeJob], running: int) -> Row:
    node = board.nodes.get(member.name)
    profile = node.status.profile if node else None
    here = [job for job in jobs if node_of(job) == member.name]
    return Row(
        member=member,
        gpus_free=profile.gpu_free if profile else None,
        gpus=profile.gpu_total if profile else None,
        running_pods=running,
        running_jobs=sum(phase_of(job) in {Phase.DISPATCHED, Phase.RUNNING} for job in here),
        done=sum(phase_of(job) is Phase.SUCCEEDED for job in here),
        spent=sum((cost_of(job) for job in here), Decimal(0)),
    )
