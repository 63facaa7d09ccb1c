import io
from typing import Any

import pytest
from rich.console import Console

from isthmus.cli.kubectl.fleet import Fleet, JobLine, amount, fleet_of
from isthmus.cli.kubectl.fleetview import screen


def node(
    name: str, schedulable: str = "True", reason: str = "Schedulable", gpus: tuple[int, int] = (1, 4)
) -> dict[str, Any]:
    """A node that has so many GPUs free of all."""
    profile = {
        "gpuFree": gpus[0],
        "gpuTotal": gpus[1],
        "allocatable": {"cpu": "10", "memory": "64Gi"},
        "free": {"cpu": "7500m", "memory": "16Gi"},
    }
    conditions = [{"type": "Schedulable", "status": schedulable, "reason": reason}]
    spec = {"tier": "Core", "region": {"code": "cn-east"}}
    return {
        "metadata": {"name": name},
        "spec": spec,
        "status": {"profile": profile, "conditions": conditions, "jobs": 2},
    }


def job(name: str, phase: str) -> JobLine:
    """A job of team-a."""
    return JobLine("team-a", name, phase, "east", "0/1", "1", "0.1 CNY", "3s")


def shown(fleet: Fleet, columns: int, rows: int | None = None) -> list[str]:
    """The screen's lines."""
    console = Console(file=io.StringIO(), width=columns, color_system=None)
    with console.capture() as capture:
        console.print(screen(fleet, columns=columns, rows=rows, at="08:00:00Z"))
    return [line.rstrip() for line in capture.get().splitlines()]


def test_what_runs_stands_first_and_what_ended_is_counted() -> None:
    """Jobs are ordered by phase and name, those that ended are in the counts alone, nodes are ordered by name."""
    jobs = [job("c", "Pending"), job("b", "Running"), job("a", "Succeeded"), job("a2", "Running"), job("new", "")]
    fleet = fleet_of([node("west"), node("east")], jobs)
    assert [each.name for each in fleet.nodes] == ["east", "west"]
    assert [each.name for each in fleet.jobs] == ["a2", "b", "c", "new"]
    assert dict(fleet.phases) == {"Pending": 2, "Running": 2, "Succeeded": 1}
    first = fleet.nodes[0]
    assert (first.gpus, first.cpu, first.jobs, first.state) == ((3, 4), (2.5, 10.0), 2, "Ready")


def test_a_node_that_takes_no_work_says_why() -> None:
    """The state is the reason; of a node that nobody has looked at nothing is known."""
    fleet = fleet_of([node("a", "False", "Cordoned"), {"metadata": {"name": "b"}}], [])
    assert [(line.state, line.good) for line in fleet.nodes] == [("Cordoned", False), ("Unknown", False)]


@pytest.mark.parametrize("columns", [30, 60, 80, 120, 160])
def test_the_screen_is_no_wider_than_the_terminal(columns: int) -> None:
    """Columns are left out where there is no room; names always stay."""
    fleet = fleet_of([node("east"), node("[red]x[/red]")], [job("train-" * 12, "Running")])
    lines = shown(fleet, columns)
    assert all(len(line) <= columns for line in lines)
    assert any(line.startswith("[red]x[/r") for line in lines)
    assert any("train-tr" in line for line in lines)


@pytest.mark.parametrize("rows", [12, 24, 40])
def test_the_screen_is_no_taller_than_the_terminal(rows: int) -> None:
    """What has no room is counted."""
    fleet = fleet_of([node(f"n{i:02}") for i in range(30)], [job(f"j{i:03}", "Running") for i in range(100)])
    lines = shown(fleet, 100, rows)
    assert len(lines) <= rows
    more = [line for line in lines if line.startswith("…")]
    nodes, jobs = sum(line.startswith("n") for line in lines), sum(line.startswith("team-a") for line in lines)
    assert more == [f"… {30 - nodes} more nodes", f"… {100 - jobs} more jobs"]


@pytest.mark.parametrize(
    ("quantity", "number"),
    [("1500m", 1.5), ("2", 2.0), ("16Gi", 16 * 2.0**30), ("1e3", 1000.0), ("1k", 1000.0), ("", 0.0), ("x", 0.0)],
)
def test_quantities_as_numbers(quantity: str, number: float) -> None:
    """Near enough for a bar; 0 for what is none."""
    assert amount(quantity) == number
