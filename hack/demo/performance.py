"""All steps of the demo in their order, and the clusters kept up at the end where somebody watches."""

import time
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from demo.books import Books
from demo.findings import Findings
from demo.keeping import commands_screen, offer_access
from demo.plan import Plan
from demo.run import Run
from demo.screens import show_findings, write_report
from demo.source import CHECKOUT
from demo.stage import Stage
from demo.workload import TEAMS
from isthmus.api.computejob import ComputeJob

HEARTBEAT_SECONDS = 1.0


def perform(console: Console, stage: Stage, plan: Plan, folder: Path, *, keep: bool) -> int:
    """The exit code: 1 where something is not as it must be. Raises DemoError and KeyboardInterrupt."""
    began = time.monotonic()
    console.print(
        "\n[bold]Isthmus[/]: five Kubernetes control planes on this machine, work from a GPU cluster trace, and its "
        "bill.\nIt takes two to three minutes; Ctrl-C ends it and leaves nothing behind."
    )
    run = Run(console, stage, plan, folder)
    run.announce()
    run.start_clusters()
    run.join_members()
    books = Books(stage, folder, datetime.now(UTC))
    books.open()
    submitted, seconds = run.run_jobs()
    with console.status("closing the books"):
        findings = books.close(plan, submitted, seconds)
    report = write_report(findings, folder)
    explained = show_findings(console, run, plan, board=stage.board, findings=findings, submitted=submitted)
    told = f"Took {time.monotonic() - began:.0f} s. Figures for machines: {report.relative_to(CHECKOUT)}"
    console.print(f"\n{told}", highlight=False)
    if keep:
        _keep(run, stage, plan, folder, explained)
    return _verdict(console, findings)


def _keep(run: Run, stage: Stage, plan: Plan, folder: Path, explained: ComputeJob | None) -> None:
    """Leaves the clusters up until Ctrl-C."""
    run.headline("Your turn: in another terminal, from this folder")
    kubectl = offer_access(stage, plan.members, folder)
    commands = commands_screen(kubectl, TEAMS[0], explained, folder)
    run.console.print(commands, soft_wrap=True)
    run.console.print("\nThe clusters stay up until Ctrl-C.")
    try:
        while True:
            stage.check()
            time.sleep(HEARTBEAT_SECONDS)
    except KeyboardInterrupt:
        return


def _verdict(console: Console, findings: Findings) -> int:
    problems = findings.problems()
    for problem in problems:
        console.print(f"[bold red]✗[/] {problem}", highlight=False)
    return 1 if problems else 0
