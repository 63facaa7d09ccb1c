"""The end of a run: the ledger is waited for, the Settlements are compared, and the findings are drawn up."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from demo.audit import writes_by
from demo.findings import Findings, find
from demo.objects import settlement
from demo.patience import settles
from demo.plan import Plan
from demo.podtime import resource_seconds
from demo.stage import OPERATOR, Stage
from demo.statements import StatementCommand, TeamStatement, agrees
from demo.workload import TEAMS, DemoJob, Team
from isthmus.api.names import API_VERSION
from isthmus.api.settlement import Settlement
from isthmus.ledger import Ledger

BOOKING_SECONDS = 30.0  # long after which nothing more is booked of jobs that have ended


class Books:
    """The bill of one run, over the day that it began in and the next one."""

    def __init__(self, stage: Stage, folder: Path, now: datetime) -> None:
        """`now` lies before the first job; the CSV files go into the folder."""
        self._stage = stage
        self._folder = folder
        self.start = datetime(now.year, now.month, now.day, tzinfo=UTC)
        self.end = self.start + timedelta(days=2)
        self.command = StatementCommand(stage.ledger, self.start, self.end)

    def open(self) -> None:
        """Has a Settlement kept for each team's account."""
        self._stage.hub.apply([settlement(team, self.start, self.end) for team in TEAMS])

    def close(self, plan: Plan, submitted: Mapping[str, DemoJob], seconds: float) -> Findings:
        """Waits until all is booked, as long as that can take, and says what the run came to."""
        settles(self._is_booked, BOOKING_SECONDS, self._stage.check)
        return find(
            self._stage.board,
            members=plan.members,
            machines=plan.all_machines,
            submitted=submitted,
            statements=[self._statement(team) for team in TEAMS],
            ledger_seconds=self._ledger_seconds(),
            seconds=seconds,
            hub_writes=writes_by(OPERATOR, self._stage.hub.audit_entries()),
        )

    def _is_booked(self) -> bool:
        return self._ledger_seconds() == resource_seconds(self._stage.board.pods.all())

    def _ledger_seconds(self) -> dict[str, int]:
        with Ledger.open(self._stage.ledger, read_only=True) as ledger:
            return {str(meter): quantity for meter, quantity in ledger.totals().items()}

    def _statement(self, team: Team) -> TeamStatement:
        statement = self.command.statement(team, self._folder)

        def is_told() -> bool:
            return agrees(self._settlement(team), statement.total, statement.lines)

        settles(is_told, BOOKING_SECONDS, self._stage.check)
        return statement.compared_with(self._settlement(team))

    def _settlement(self, team: Team) -> Settlement:
        name = settlement(team, self.start, self.end)["metadata"]["name"]
        path = f"/apis/{API_VERSION}/namespaces/{team.namespace}/settlements/{name}"
        return Settlement.model_validate(self._stage.hub.get_json(path))
