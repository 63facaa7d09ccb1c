"""The demo, step by step."""

import time
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.live import Live

from demo.board import phase_of
from demo.failure import DemoError
from demo.identity import Identity
from demo.joining import unready
from demo.live import View
from demo.patience import INTERVAL_SECONDS, settles
from demo.plan import Plan
from demo.stage import HUB, Stage
from demo.startup import Startup
from demo.submitting import Submission
from demo.workload import TEAMS, DemoJob
from isthmus.api.computejob import FINISHED

JOIN_SECONDS = 60.0
RUN_SECONDS = 600.0
LINE_SECONDS = 5.0
TOLD = 3  # jobs that a failure names


class Run:
    """One run on a stage, each step under a headline of its own."""

    def __init__(self, console: Console, stage: Stage, plan: Plan, folder: Path) -> None:
        """Starts nothing."""
        self.console = console
        self._stage = stage
        self._plan = plan
        self._folder = folder
        self._step = 0

    def headline(self, text: str) -> None:
        """Begins the next step on the screen."""
        self._step += 1
        self.console.print(f"\n[bold cyan]{self._step}[/]  [bold]{text}[/]\n")

    def announce(self) -> None:
        """Tells the plan."""
        self.headline(f"Machines and jobs from {self._plan.source.title}")
        for line in self._plan.lines():
            self.console.print(f"   {line}", highlight=False)

    def start_clusters(self) -> None:
        """Starts the control planes and their machines."""
        self.headline("Five Kubernetes control planes: a hub and four members")
        with Startup(self.console, [HUB, *(member.name for member in self._plan.members)]) as startup:
            self._stage.start_clusters(self._plan.members, self._plan.machines, startup.progress)

    def join_members(self) -> None:
        """Starts the operator and enters the members; raises DemoError where one does not get ready."""
        self.headline("CRDs and rights, the operator, and the members entered as ComputeNodes")
        board = self._stage.board
        with self.console.status("installing"):
            self._stage.install()
            self._stage.start_hub()
            for member in self._plan.members:
                self._stage.join(member)
            if not settles(lambda: not unready(self._plan.members, board.nodes), JOIN_SECONDS, self._stage.check):
                raise DemoError(
                    f"After {JOIN_SECONDS:.0f} s: {'; '.join(unready(self._plan.members, board.nodes))}.",
                    f"The hub's log, {self._folder / 'hub.log'}, says why; on a busy machine, try again.",
                )
        for member in self._plan.members:
            told = f"Ready, Kubernetes {board.nodes[member.name].status.kubernetes_version}"
            price = board.nodes[member.name].status.price
            self.console.print(f"   {member.tier:<8}  {member.name:<15}  {told}, {price}", highlight=False)

    def run_jobs(self) -> tuple[Mapping[str, DemoJob], float]:
        """Hands in all jobs and sees them end; returns them by UID, and the seconds that it took.

        Raises DemoError where some have not ended in time.
        """
        teams = " and ".join(team.namespace for team in TEAMS)
        self.headline(f"{len(self._plan.jobs)} jobs from {teams}")
        hub = self._stage.hub
        clients = {team.namespace: Identity.read(hub.kubeconfig(team.user, ())).rest() for team in TEAMS}
        submission = Submission(self._plan.jobs, clients, self._stage.board.stopwatch)
        try:
            seconds = self._follow(submission)
            return submission.submitted, seconds
        finally:
            submission.stop()
            for client in clients.values():
                client.close()

    def _follow(self, submission: Submission) -> float:
        """Shows the run until every job has ended; returns the seconds that it took."""
        if not self.console.is_terminal:
            return self._follow_in_lines(submission)
        with Live(self._view(submission), console=self.console, refresh_per_second=4) as live:
            while True:
                view = self._view(submission)
                live.update(view)
                if self._is_over(submission, view):
                    return view.elapsed
                time.sleep(INTERVAL_SECONDS)

    def _follow_in_lines(self, submission: Submission) -> float:
        told = 0.0
        while True:
            view = self._view(submission)
            over = self._is_over(submission, view)
            if over or time.monotonic() - told >= LINE_SECONDS:
                told = time.monotonic()
                self.console.print(f"   {view.line()}", highlight=False, soft_wrap=True)
            if over:
                return view.elapsed
            time.sleep(INTERVAL_SECONDS)

    def _view(self, submission: Submission) -> View:
        return View.of(
            self._stage.board,
            self._plan.members,
            submitted=len(submission.submitted),
            total=len(self._plan.jobs),
            elapsed=submission.elapsed,
        )

    def _is_over(self, submission: Submission, view: View) -> bool:
        self._stage.check()
        submission.check()
        if view.elapsed > RUN_SECONDS:
            raise DemoError(
                f"After {RUN_SECONDS:.0f} s {view.total - view.finished} of {view.total} jobs have not ended: "
                f"{self._unended(submission)}.",
                f"The hub's log, {self._folder / 'hub.log'}, says what it did; on a busy machine, try again.",
            )
        return view.finished == view.total

    def _unended(self, submission: Submission) -> str:
        jobs = [job for job in self._stage.board.jobs.values() if phase_of(job) not in FINISHED]
        told = []
        for job in jobs[:TOLD]:
            why = next((each.message for each in job.status.conditions if each.type == "Placed"), "not looked at yet")
            told.append(f"{job.metadata['name']} is {phase_of(job)} ({why})")
        more = len(self._plan.jobs) - len(submission.submitted)
        return "; ".join(told) + (f"; {more} were not handed in yet" if more else "")
