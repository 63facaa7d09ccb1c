"""What is shown and written when the jobs have ended."""

import json
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console, RenderableType
from rich.padding import Padding

from demo.board import Board
from demo.choosing import choose_explained
from demo.findings import Findings
from demo.plan import Plan
from demo.run import Run
from demo.source import CHECKOUT
from demo.summary import work_by_model, work_by_node
from demo.tour import explanation_screen, figures_screen, models_screen, nodes_screen, statement_screen
from demo.workload import DemoJob
from isthmus.api.computejob import ComputeJob


def show_findings(
    console: Console, run: Run, plan: Plan, *, board: Board, findings: Findings, submitted: Mapping[str, DemoJob]
) -> ComputeJob | None:
    """Where the work went, one job's explanation, the bill, the figures; returns the job that was explained."""
    jobs = {uid: job for uid, job in board.jobs.items() if uid in submitted}
    pods = board.pods.all()

    def show(screen: RenderableType) -> None:
        console.print(Padding(screen, (0, 0, 0, 3), expand=False))

    run.headline("Where the work went, by tier and by GPU model")
    show(nodes_screen(work_by_node(plan.members, jobs.values(), pods)))
    console.print()
    show(models_screen(work_by_model(plan.all_machines, pods), plan.members))
    explained = choose_explained(jobs.values())
    if explained is not None:
        run.headline("Why a job stands where it does")
        show(explanation_screen(explained, submitted[explained.metadata["uid"]]))
    run.headline("The bill")
    show(statement_screen(findings.statements, CHECKOUT))
    run.headline("Figures")
    show(figures_screen(findings))
    return explained


def write_report(findings: Findings, folder: Path) -> Path:
    """Writes report.json and returns its path."""
    path = folder / "report.json"
    path.write_text(json.dumps(findings.report(), indent=2) + "\n")
    return path
