import dataclasses
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from demo.findings import Findings, find
from demo.screens import write_report
from demo.statements import TeamStatement
from isthmus.api.settlement import Settlement

from .conftest import World, numbers_of

SECONDS = {"MillicoreSeconds": 6000, "MebibyteSeconds": 6144, "MilliGPUSeconds": 6000}
NODES = ("core-beijing", "region-guian", "edge-shenzhen")


def statement(total: str = "1.20", lines: int = 9, *, unpriced: int = 0, told: str | None = "1.20") -> TeamStatement:
    """A team's statement and a Settlement that says `told`."""
    manifest = {
        "metadata": {},
        "spec": {"period": {"start": "2026-11-22T00:00:00Z", "end": "2026-11-23T00:00:00Z"}, "currency": "CNY"},
        "status": {"total": told, "lines": 9},
    }
    settlement = Settlement.model_validate(manifest)
    return TeamStatement("vision", Decimal(total), lines, unpriced, "", Path("s.csv"), settlement)


@pytest.fixture
def findings(world: World) -> Findings:
    """Three jobs that ended well on three tiers, one of which was told to wait."""
    held = [{"type": "Placed", "status": "False", "reason": "NoRoom", "lastTransitionTime": "2026-11-22T10:00:00Z"}]
    world.job(1, "Pending", conditions=held)
    for number, node in enumerate(NODES):
        world.job(number, "Succeeded", node)
        world.member_job(number, number + (0.1, 30.0, 0.2)[number])
        world.pod(number, node, "")
    return found(world)


def found(world: World, **changes: Any) -> Findings:
    """The findings of a run of six seconds and 24 writes."""
    arguments: dict[str, Any] = {"statements": [statement()], "ledger_seconds": SECONDS, "seconds": 6.0}
    return find(
        world.board,
        members=world.plan.members,
        machines=world.plan.all_machines,
        submitted=world.submitted,
        hub_writes=24,
        **{**arguments, **changes},
    )


def test_the_report_says_all_that_was_promised(findings: Findings, tmp_path: Path) -> None:
    """Every field with its figure; nothing is left out where a member got no work."""
    assert json.loads(write_report(findings, tmp_path).read_text()) == {
        "jobs": {"submitted": 3, "complete": 3, "failed": 0},
        "nodes": [
            {"name": "core-beijing", "tier": "Core", "jobs": 1, "podSeconds": 2},
            {"name": "region-guian", "tier": "Region", "jobs": 1, "podSeconds": 2},
            {"name": "industry-suzhou", "tier": "Industry", "jobs": 0, "podSeconds": 0},
            {"name": "edge-shenzhen", "tier": "Edge", "jobs": 1, "podSeconds": 2},
        ],
        "ledgerSeconds": SECONDS,
        "memberSeconds": SECONDS,
        "statement": {"currency": "CNY", "total": "1.20", "lines": 9},
        "dispatchP50Milliseconds": 200.0,
        "dispatchP99Milliseconds": 30000.0,
        "placedAtOnce": {"jobs": 2, "dispatchP50Milliseconds": 100.0, "dispatchP99Milliseconds": 200.0},
        "jobsPerSecond": 0.5,
        "hubWritesPerJob": 8.0,
    }
    assert findings.problems() == []


def test_statements_of_all_teams_add_up(world: World) -> None:
    """The report's total and lines are the sum over the accounts, in exact decimals."""
    report = found(world, statements=[statement("0.10", 2), statement("0.20", 3)]).report()
    assert report["statement"] == {"currency": "CNY", "total": "0.30", "lines": 5}


def test_a_run_without_anything_has_no_figures(world: World) -> None:
    """Nothing divides by zero, and percentiles of nothing are null."""
    report = found(world, seconds=0.0).report()
    assert report["dispatchP50Milliseconds"] is None
    assert report["jobsPerSecond"] == report["hubWritesPerJob"] == 0.0


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"complete": 2, "failed": 1}, "1 of 3 jobs are not Complete."),
        ({"ledger_seconds": {**SECONDS, "MilliGPUSeconds": 5999}}, "'MilliGPUSeconds': 5999"),
        ({"ledger_seconds": {}}, "The ledger says {}"),
        ({"nodes": ()}, "Work went to 0 tiers only: none."),
        ({"wrong_models": ("a on b (T4)",)}, "a on b (T4)"),
        ({"statements": (statement(unpriced=2),)}, "2 lines of vision have no price."),
        ({"statements": (statement(told="1.19"),)}, "The statement of vision is 1.20 CNY"),
        ({"statements": (statement(lines=8),)}, "The statement of vision is 1.20 CNY"),
        ({"statements": (statement(told=None),)}, "The statement of vision is 1.20 CNY"),
    ],
    ids=[
        "unfinished",
        "ledger differs",
        "ledger empty",
        "few tiers",
        "wrong model",
        "unpriced",
        "other total",
        "other lines",
        "no total",
    ],
)
def test_what_is_wrong_is_said(findings: Findings, change: dict[str, Any], problem: str) -> None:
    """Each thing that must hold and does not is one problem, in words."""
    (said,) = dataclasses.replace(findings, **change).problems()
    assert problem in said


def test_a_pod_on_a_model_that_is_not_allowed_is_found(world: World) -> None:
    """A job for T4 whose pod stands on a G2 machine is named; one on a T4 machine is not."""
    wrong, right = numbers_of(world.plan, ["T4"])[:2]
    machines = {machine.model: machine for machine in world.plan.all_machines}
    for number, model in ((wrong, "G2"), (right, "T4")):
        world.job(number, "Succeeded", "core-beijing")
        world.member_job(number, number + 0.1)
        world.pod(number, "core-beijing", machines[model].name)

    name = world.plan.jobs[wrong].name
    assert found(world).wrong_models == (f"{name} on {machines['G2'].name} (G2)",)
