"""`isthmus simulate replay`: a trace in its own time over members with prices and carbon by the hour."""

import json
import math
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from isthmus.cli.ending import fail, refuse
from isthmus.errors import TraceError

from .form import Form
from .numbers import counted, positive
from .objective import Objective
from .policy import Policy

_COMMAND = "simulate replay"
_PICTURES = {".png", ".svg"}


def replay(
    *,
    nodes: Annotated[Path, typer.Option(metavar="CSV", help="The machines: cpu_milli, memory_mib, gpu, model.")],
    pods: Annotated[Path, typer.Option(metavar="CSV", help="The pods, with creation_time and deletion_time.")],
    scenario: Annotated[
        Path | None, typer.Option(metavar="YAML", help="The members: regions, prices, carbon; else an example's.")
    ] = None,
    policy: Annotated[
        list[Policy] | None, typer.Option(help="What chooses the machine; repeat it. All, if not given.")
    ] = None,
    objective: Annotated[
        list[Objective] | None, typer.Option(help="What chooses the member; repeat it. All, if not given.")
    ] = None,
    load: Annotated[float, typer.Option(metavar="FACTOR", help="GPU-time asked for, over that of the machines.")] = 0.6,
    speed: Annotated[float, typer.Option(metavar="FACTOR", help="How many times as fast pods arrive.")] = 10,
    first_day: Annotated[float, typer.Option(metavar="DAY", help="Leave out pods created before this day.")] = 0,
    horizon: Annotated[float, typer.Option(metavar="HOURS", help="Prices and carbon are weighed so far ahead.")] = 24,
    seed: Annotated[int, typer.Option(help="Chance, where a policy leaves something to it.")] = 42,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw it: a .png or .svg file.")] = None,
    form: Annotated[Form, typer.Option("-o", "--output", help="How to write the figures.")] = Form.TABLE,
) -> None:
    """Replay a trace's arrivals and departures: waiting, use, cost and carbon.

    Every policy runs under the first objective, and the first policy under the other objectives. Machines are taken
    evenly from the list, as many as the load asks for, and dealt to the members.
    """
    _check(load=load, speed=speed, first_day=first_day, horizon=horizon, seed=seed, plot=plot)
    from .replaying import replays, set_up
    from .scenario import DEFAULT, read_scenario

    begun = time.perf_counter()
    done = []
    try:
        told = read_scenario(DEFAULT if scenario is None else scenario)
        stage = set_up(nodes, pods, told, load=load, speed=speed, first_day=first_day)
        for each in replays(stage, policy or list(Policy), objective or list(Objective), horizon=horizon, seed=seed):
            done.append(each)
            if sys.stderr.isatty():
                typer.echo(f"{each.policy.value}, {each.objective.value}: done", err=True)
        if plot is not None:
            from .plot import draw

            draw(done, plot)
    except TraceError as error:
        fail(_COMMAND, str(error))
    figures = {
        "load": load,
        "speed": speed,
        "members": [member.name for member in told.members],
        "machines": sum(len(member) for member in stage.machines),
        "gpus": stage.gpus,
        "jobs": len(stage.jobs),
        "impossible": stage.impossible,
        "hours": round(stage.span / 3600, 2),
        "currency": told.currency,
        "runs": [each.report() for each in done],
        "seconds": round(time.perf_counter() - begun, 2),
    }
    if form is Form.JSON:
        print(json.dumps(figures, indent=2))
    else:
        _table(figures)


def _check(*, load: float, speed: float, first_day: float, horizon: float, seed: int, plot: Path | None) -> None:
    for name, value, highest in (("--load", load, 100.0), ("--speed", speed, 1e6), ("--horizon", horizon, 1e4)):
        positive(_COMMAND, name, value, highest)
    if not math.isfinite(first_day) or first_day < 0:
        refuse(_COMMAND, f"--first-day is {first_day:g}; give a day of the trace, from 0 on")
    counted(_COMMAND, "--seed", seed)
    if plot is not None and plot.suffix not in _PICTURES:
        refuse(_COMMAND, f"--plot is {plot}; name a .png or .svg file")


def _table(figures: dict[str, Any]) -> None:
    currency = figures["currency"]
    head = ("POLICY", "OBJECTIVE", "WAIT: MEAN", "BY GPU", "P50", "P95", "P99", "USED %", f"COST {currency}", "CO2 T")
    rows = [
        (
            run["policy"],
            run["objective"],
            *(_time(run["waitSeconds"][key]) for key in ("mean", "meanByGpu", "p50", "p95", "p99")),
            f"{run['utilisation']:.1f}",
            f"{run['cost']:,.0f}",
            f"{run['carbonTonnes']:.2f}",
        )
        for run in figures["runs"]
    ]
    widths = [max(len(row[place]) for row in (head, *rows)) for place in range(len(head))]
    for row in (head, *rows):
        cells = (
            f"{text:<{width}}" if place < 2 else f"{text:>{width}}"
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join(cells).rstrip())
    print(
        f"{figures['jobs']} pods over {figures['hours']:g} h on {figures['gpus']} GPUs of {figures['machines']} "
        f"machines in {len(figures['members'])} members; {figures['impossible']} left out that fit no machine; "
        f"{figures['seconds']} s"
    )


def _time(seconds: float) -> str:
    """A duration in the unit that suits it."""
    if seconds < 100:
        return f"{seconds:.0f}s"
    return f"{seconds / 60:.0f}m" if seconds < 6000 else f"{seconds / 3600:.1f}h"
