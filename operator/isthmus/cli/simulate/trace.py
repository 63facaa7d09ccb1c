"""`isthmus simulate trace`: how much of a cluster's GPUs a policy gives out when more is asked for than there is."""

import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from isthmus.cli.ending import fail
from isthmus.errors import TraceError

from .form import Form
from .numbers import counted, positive
from .policy import Policy

_COMMAND = "simulate trace"
_HIGHEST_LOAD = 100
_MOST_SEEDS = 10_000
_FIRST_SEED = 42  # as in the published experiment


def trace(
    *,
    nodes: Annotated[Path, typer.Option(metavar="CSV", help="The machines: cpu_milli, memory_mib, gpu, model.")],
    pods: Annotated[
        Path, typer.Option(metavar="CSV", help="The pods: cpu_milli, memory_mib, num_gpu, gpu_milli, maybe gpu_spec.")
    ],
    load: Annotated[float, typer.Option(metavar="FACTOR", help="GPUs asked for, over those there are.")] = 1.3,
    seeds: Annotated[int, typer.Option(help="How often, each time with another order of pods.")] = 10,
    first_seed: Annotated[int, typer.Option(help="The first seed; the others follow it.")] = _FIRST_SEED,
    policy: Annotated[Policy, typer.Option(help="What chooses the machine.")] = Policy.FRAGMENTATION,
    members: Annotated[int, typer.Option(help="Deal the machines to so many members.")] = 1,
    form: Annotated[Form, typer.Option("-o", "--output", help="How to write the figures.")] = Form.TABLE,
) -> None:
    """Offer a cluster more pods than it can hold, and tell how many of its GPUs are in use.

    Pods are drawn from the trace's and arrive one by one; none leaves, and one that fits nowhere is dropped.
    """
    positive(_COMMAND, "--load", load, _HIGHEST_LOAD)
    counted(_COMMAND, "--seeds", seeds, 1, _MOST_SEEDS)
    counted(_COMMAND, "--first-seed", first_seed)
    counted(_COMMAND, "--members", members, 1)
    from .overload import read_overload, report

    begun = time.perf_counter()
    chosen = range(first_seed, first_seed + seeds)
    allocations: list[float] = []
    try:
        overload = read_overload(nodes, pods, policy, load, members)
        for seed, found in zip(chosen, overload.run(chosen), strict=True):
            allocations.append(found)
            if sys.stderr.isatty():
                typer.echo(f"seed {seed}: {found:.2f} % ({len(allocations)} of {seeds})", err=True)
    except TraceError as error:
        fail(_COMMAND, str(error))
    _write(report(overload, chosen, allocations, time.perf_counter() - begun), form)


def _write(figures: dict[str, Any], form: Form) -> None:
    if form is Form.JSON:
        print(json.dumps(figures, indent=2))
        return
    print(f"{'SEED':>6}  ALLOCATION")
    for seed, found in zip(figures["seeds"], figures["allocation"], strict=True):
        print(f"{seed:>6}  {found:>8.2f} %")
    members = "" if figures["members"] == 1 else f", {figures['members']} members"
    print(f"median  {figures['median']:>7.2f} %")
    print(f"{figures['policy']}, load {figures['load']:g}{members}: {figures['gpus']} GPUs, {figures['seconds']} s")
