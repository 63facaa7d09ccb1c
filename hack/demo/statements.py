"""The teams' statements, taken with the product's own command, and the hub's Settlements beside them."""

import dataclasses
import json
import subprocess
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from demo.failure import DemoError
from demo.tariffs import CURRENCY
from demo.workload import Team
from isthmus.api.settlement import Settlement

COMMAND = Path(sys.executable).parent / "isthmus"
DEADLINE_SECONDS = 60


@dataclasses.dataclass(frozen=True, slots=True)
class TeamStatement:
    """A team's statement: its total and lines from the ledger, the Settlement in the hub, and where the CSV lies."""

    account: str
    total: Decimal
    lines: int
    unpriced: int
    table: str
    csv: Path
    settlement: Settlement | None = None

    def compared_with(self, settlement: Settlement) -> "TeamStatement":
        """The same, with the Settlement."""
        return dataclasses.replace(self, settlement=settlement)

    def problems(self) -> list[str]:
        """What does not fit together."""
        problems = []
        if self.unpriced:
            problems.append(f"{self.unpriced} lines of {self.account} have no price.")
        if self.settlement is None or not agrees(self.settlement, self.total, self.lines):
            told = self.settlement.status.to_manifest() if self.settlement else "nothing"
            problems.append(f"The statement of {self.account} is {self.total} {CURRENCY}; its Settlement says {told}.")
        return problems


def agrees(settlement: Settlement, total: Decimal, lines: int) -> bool:
    """Whether the Settlement says the same as the statement."""
    status = settlement.status
    return status.total is not None and Decimal(status.total) == total and status.lines == lines


@dataclasses.dataclass(frozen=True, slots=True)
class StatementCommand:
    """`isthmus statement` on a ledger for a period."""

    ledger: str
    start: datetime
    end: datetime

    def statement(self, team: Team, folder: Path) -> TeamStatement:
        """The team's statement; its CSV is written into the folder. Raises DemoError where the command fails."""
        csv = folder / f"statement-{team.account}.csv"
        csv.write_text(self._run(team, "csv"), newline="")
        content = json.loads(self._run(team, "json"))
        return TeamStatement(
            account=team.account,
            total=Decimal(content["total"]),
            lines=len(content["lines"]),
            unpriced=content["unpricedLines"],
            table=self._run(team, "table"),
            csv=csv,
        )

    def line(self, team: Team, form: str) -> list[str]:
        """The command that shows the team's statement."""
        period = [f"--start={self.start:%Y-%m-%dT%H:%M:%SZ}", f"--end={self.end:%Y-%m-%dT%H:%M:%SZ}"]
        who = [f"--account={team.account}", f"--currency={CURRENCY}"]
        return [str(COMMAND), "statement", f"--ledger={self.ledger}", *who, *period, f"--format={form}"]

    def _run(self, team: Team, form: str) -> str:
        command = self.line(team, form)
        done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False)
        if done.returncode:
            raise DemoError(
                f"`{' '.join(command)}` failed: {done.stderr.strip()}",
                "Run it by hand; the ledger is a plain SQLite file.",
            )
        return done.stdout
