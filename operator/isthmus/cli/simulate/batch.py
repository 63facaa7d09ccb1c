"""`isthmus simulate batch`: where a hub would place these jobs on these nodes, all at once, and what it would cost."""

import json
import time
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isthmus.api.instants import instant
from isthmus.cli.currency import currency_code
from isthmus.cli.ending import fail
from isthmus.cli.table import Table, show
from isthmus.errors import ManifestError

from .form import Form
from .numbers import counted, positive

if TYPE_CHECKING:
    from collections.abc import Mapping

    from isthmus.placement import Solution, Unplaced

    from .manifests import Offered

_COMMAND = "simulate batch"
_PARTLY = "PartlyPlaced"
_PAIR = "ContradictoryConstraints"
_NAMED = 3


def _instant(text: str) -> datetime:
    try:
        return instant(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time; write one such as 2026-11-01T08:00:00Z") from None


def batch(
    *,
    nodes: Annotated[Path, typer.Option(metavar="FILE", help="ComputeNodes with their status.profile: YAML or JSON.")],
    jobs: Annotated[Path, typer.Option(metavar="FILE", help="ComputeJobs: YAML or JSON.")],
    form: Annotated[Form, typer.Option("-o", "--output", help="How to write it.")] = Form.TABLE,
    now: Annotated[
        datetime | None, typer.Option(parser=_instant, metavar="TIME", help="When, for tariffs; the present if unset.")
    ] = None,
    currency: Annotated[
        str | None,
        typer.Option(parser=currency_code, metavar="CODE", help="What the hub bills in; the first node's if unset."),
    ] = None,
    seconds: Annotated[float, typer.Option(help="How long to search for a better placement.")] = 60.0,
    seed: Annotated[int, typer.Option(help="For the search; the same gives the same.")] = 0,
) -> None:
    """Place jobs on nodes as a hub would that got them all at once, and tell the cost and how far from the best it is.

    FILEs are lists of manifests, several documents, or kind List. Nothing is contacted.
    """
    positive(_COMMAND, "--seconds", seconds)
    counted(_COMMAND, "--seed", seed)
    from isthmus.garbage import collect_seldom
    from isthmus.placement import solve_batch

    from .manifestfile import read_manifests
    from .manifests import Jobs, snapshot_of

    collect_seldom()
    try:
        snapshot = snapshot_of(read_manifests(nodes, "ComputeNode"), now or datetime.now(UTC), currency)
        reading = Jobs()
        offered = {o.demand.key: o for o in map(reading.offered, read_manifests(jobs, "ComputeJob"))}
    except ManifestError as error:
        fail(_COMMAND, str(error))
    except RecursionError:
        fail(_COMMAND, "a manifest is nested too deeply; mend the file and try again")
    demands = [each.demand for each in offered.values()]
    solution = solve_batch(snapshot, demands, now=time.perf_counter, seconds=seconds, seed=seed)
    _write(report(solution, offered), form)


def report(solution: "Solution", offered: "Mapping[str, Offered]") -> dict[str, Any]:
    """What was decided, as JSON. Money is by the hour, in `currency`; `gap` is (objective - bound) / bound."""
    outcome = solution.outcome
    assignments: list[dict[str, Any]] = []
    unplaced = [_unplaced(each) for each in outcome.unplaced]
    for key, group in groupby(outcome.assignments, key=lambda each: each.demand.key):
        parts, job = list(group), offered[key]
        about = {"job": job.demand.name, "namespace": job.demand.namespace}
        widths = [part.width for part in parts]
        for part, indexes in zip(parts, job.indexes(widths), strict=True):
            cost = part.estimate_per_hour
            assignments.append(
                {
                    **about,
                    "node": part.node,
                    "indexes": None if indexes is None else str(indexes),
                    "pods": part.width,
                    "variant": part.variant,
                    "cost": None if cost is None else float(cost),
                }
            )
        if sum(widths) < job.demand.width:
            said = f"{sum(widths)} of {job.demand.width} pods found room; the rest waits"
            unplaced.append({**about, "reasons": [{"reason": _PARTLY, "nodes": 0, "message": said}]})
    return {
        "assignments": assignments,
        "unplaced": unplaced,
        "cost": None if solution.cost is None else float(solution.cost),
        "currency": next(iter(solution.costs), None) if len(solution.costs) == 1 else None,
        "objective": solution.objective,
        "bound": solution.bound,
        "gap": solution.gap,
        "seconds": round(solution.seconds, 6),
    }


def _unplaced(verdict: "Unplaced") -> dict[str, Any]:
    explanation = verdict.explanation
    words = {each.reason: each.message for each in reversed(explanation.nodes) if each.reason}
    reasons = [
        {"reason": reason, "nodes": count, "message": words.get(reason) or ""}
        for reason, count in explanation.reasons.items()
    ]
    alone = [{"reason": verdict.reason, "nodes": 0, "message": verdict.message}]
    return {
        "job": verdict.demand.name,
        "namespace": verdict.demand.namespace,
        "reasons": alone + reasons if verdict.reason == _PAIR or not reasons else reasons,
        "message": verdict.message,
    }


def _write(found: dict[str, Any], form: Form) -> None:
    if form is Form.JSON:
        print(json.dumps(found, indent=2))
        return
    rows = []
    for each in found["assignments"]:
        cost = "" if each["cost"] is None else f"{each['cost']:.4f}"
        name = f"{each['namespace']}/{each['job']}"
        rows.append((name, each["node"], each["indexes"] or "", str(each["pods"]), cost))
    show(Table(("JOB", "NODE", "INDEXES", "PODS", "COST/H"), rows))
    waiting: dict[str, list[str]] = {}
    for each in found["unplaced"]:
        said = each.get("message") or each["reasons"][0]["message"]
        waiting.setdefault(said, []).append(f"{each['namespace']}/{each['job']}")
    for said, names in waiting.items():
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        print(f"not placed: {', '.join(names[:_NAMED])}{more}: {said}")
    cost = (
        "in several currencies" if found["cost"] is None else f"{found['cost']:.4f} {found['currency'] or ''}".strip()
    )
    print(f"cost per hour: {cost}; {found['seconds']:.3f} s")
    if found["gap"] is not None:
        print(
            f"objective: {found['objective']:.4f}, {100 * found['gap']:.1f} % above the bound of {found['bound']:.4f}"
        )
