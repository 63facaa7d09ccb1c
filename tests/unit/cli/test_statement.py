import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from isthmus.api.computenode import Identity, ModelPrice, Prices, Tariff
from isthmus.api.dispatch import JobReference, MeterQuantity, Reading
from isthmus.cli.statement import statement
from isthmus.ledger import Ledger, ReadingBooked

NOVEMBER = ("--start", "2026-11-01", "--end", "2026-12-01", "--currency", "CNY")
Run = Callable[..., Result]


@pytest.fixture
def ledger_url(tmp_path: Path) -> str:
    """A ledger with a priced and an unpriced line of one account."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    prices = Prices(
        core_second="0.0001", gibibyte_second="0.00001", gpu_second=[ModelPrice(model="A100", price="0.003")]
    )
    with Ledger.open(url) as ledger:
        digest = ledger.record_tariff(
            Tariff(version="7", currency="CNY", prices=prices), "core-1", Identity(code="=CN-1")
        )
        for number, (node, model) in enumerate([("core-1", "A100"), ("edge-1", "H800")], 1):
            job = JobReference(namespace="team", name=f"train-{number}", uid=f"uid-{number}")
            total = [MeterQuantity(meter="MilliGPUSeconds", model=model, quantity=3_600_500)]
            reading = Reading(sequence=1, observed_at="2026-11-22T10:00:00Z", final=True, total=total)
            ledger.book([ReadingBooked(f"d{number}", job, "acme", node, 1, digest if number == 1 else None, reading)])
    return url


@pytest.fixture
def run(ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `isthmus statement`, the ledger named by the environment."""
    monkeypatch.setenv("ISTHMUS_LEDGER", ledger_url)
    app = typer.Typer(rich_markup_mode=None)
    app.command()(statement)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(app, arguments)

    return invoke


def test_table(run: Run) -> None:
    """The table sums by node and model, names the total, and says that it lacks what is Unpriced."""
    result = run("--account", "acme", *NOVEMBER)
    assert result.exit_code == 0
    assert [line.rstrip() for line in result.stdout.splitlines()] == [
        "account acme, 2026-11-01T00:00:00Z up to 2026-12-01T00:00:00Z",
        "",
        "NODE    MODEL  QUANTITY  UNIT   AMOUNT CNY",
        "core-1  A100     1.0001  GPU-h     10.8015",
        "edge-1  H800     1.0001  GPU-h    Unpriced",
        "",
        "total CNY 10.80 over 2 lines, of it -0.0015 by rounding",
        "1 line is Unpriced (NoTariff): the total is not all that is owed",
    ]


def test_late_time(run: Run, ledger_url: str) -> None:
    """What was recorded and is not billed is told below the total."""
    with Ledger.open(ledger_url) as ledger:
        late = [MeterQuantity(meter="MillicoreSeconds", quantity=5_400_000)]
        reading = Reading(sequence=1, observed_at="2026-11-22T10:00:00Z", final=True, late=late)
        job = JobReference(namespace="team", name="lost", uid="uid-9")
        ledger.book([ReadingBooked("d9", job, "acme", "edge-1", 1, None, reading)])
    told = "not billed: 1.5000 core-h that came to light after the work had been given to another node"
    assert told in run("--account", "acme", *NOVEMBER).stdout
    assert "not billed" not in run("--node", "core-1", *NOVEMBER).stdout


def test_table_of_a_node(run: Run) -> None:
    """A node's table is by the accounts that it earned from."""
    result = run("--node", "core-1", *NOVEMBER)
    assert "node core-1, 2026" in result.stdout
    assert "acme     A100     1.0001  GPU-h     10.8015" in result.stdout
    assert "Unpriced" not in result.stdout


def test_csv(run: Run) -> None:
    """CSV holds each line, and its amounts sum to the total; a node's code can't act as a formula."""
    result = run("--account", "acme", *NOVEMBER, "-o", "csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout_bytes.decode(), newline="")))
    assert [(row["lineType"], row["node"], row["identityCode"], row["amount"]) for row in rows] == [
        ("Usage", "core-1", "'=CN-1", "10.8015"),
        ("Usage", "edge-1", "", ""),
        ("Rounding", "", "", "-0.0015"),
    ]
    assert result.stdout_bytes.count(b"\r\n") == 4


def test_json_to_a_file(run: Run, tmp_path: Path) -> None:
    """--output writes the file and nothing to the terminal."""
    path = tmp_path / "november.json"
    result = run("--account", "acme", *NOVEMBER, "-o", "json", "--output", str(path))
    assert (result.exit_code, result.output) == (0, "")
    made = json.loads(path.read_text())
    assert (made["total"], made["unpricedLines"], len(made["lines"])) == ("10.80", 1, 2)


def test_period_to_the_second(run: Run) -> None:
    """The period is half-open and may be given to the second, in any zone."""

    def lines(start: str, end: str) -> int:
        arguments = ("--account", "acme", "--currency", "CNY", "-o", "json", "--start", start, "--end", end)
        return len(json.loads(run(*arguments).stdout)["lines"])

    assert lines("2026-11-22T18:00:00+08:00", "2026-11-22T10:00:01Z") == 2
    assert lines("2026-11-22", "2026-11-22T10:00:00Z") == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give exactly one of --account and --node"),
        (("--account", "a", "--node", "b"), "give exactly one of --account and --node"),
        (("--account", "a", "--start", "2026-12-02"), "--start must be before --end"),
        (("--account", "a", "--start", "then"), "write a day such as 2026-11-01"),
        (("--account", "a", "--end", "2026-12-01T00:00:00"), "names no time zone"),
        (("--account", "a", "--currency", "yuan"), "write three capitals such as CNY"),
        (("--account", "a", "-o", "xml"), "'xml' is not one of"),
    ],
)
def test_usage(run: Run, arguments: tuple[str, ...], said: str) -> None:
    """A wrong option ends with 2 and says what to write."""
    result = run(*NOVEMBER, *arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--ledger", "sqlite:////nowhere/ledger.db"), "there is no ledger /nowhere/ledger.db; check the path"),
        (("--ledger", "nowhere"), "the ledger's URL can't be read; write sqlite:////absolute/path"),
        (("--output", "/nowhere/a.csv"), "can't write /nowhere/a.csv: No such file or directory; name a file"),
    ],
)
def test_failure(run: Run, arguments: tuple[str, ...], said: str) -> None:
    """What can't be read or written ends with 1 and one line that says what to do."""
    result = run("--account", "acme", *NOVEMBER, *arguments)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith(f"isthmus statement: {said}")
    assert result.stderr.count("\n") == 1


def test_while_the_hub_writes(run: Run, ledger_url: str) -> None:
    """A statement is read while the hub has the ledger open, and holds what it booked last."""
    with Ledger.open(ledger_url) as hub:
        job = JobReference(namespace="team", name="more", uid="more")
        total = [MeterQuantity(meter="MillicoreSeconds", quantity=1)]
        for number in range(3):
            reading = Reading(sequence=1, observed_at="2026-11-22T10:00:00Z", total=total)
            hub.book([ReadingBooked(f"more-{number}", job, "acme", "core-1", 1, None, reading)])
            result = run("--account", "acme", *NOVEMBER, "-o", "json")
            assert len(json.loads(result.stdout)["lines"]) == 3 + number
        start, end = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
        assert len(hub.statement(account="acme", start=start, end=end, currency="CNY").lines) == 5
