"""Measures batches, single arrivals and preemption; writes its results and their tables in docs/performance.md.

Run: python -m placement [--seeds 9] [--large-seeds 3] [--repeats 3] (with benchmarks/ on PYTHONPATH, as
`make bench-placement` has it)
"""

import argparse
import json
import os
from importlib.metadata import version
from pathlib import Path
from typing import Any

from isthmus.garbage import collect_seldom
from placement import arrivals, batches, preempting
from placement.instances import Size
from placement.page import NAME, with_figures
from report.machine import describe
from report.writing import RESULTS, write

LOADS = (0.75, 1.1)


def main() -> None:
    """Run all of it, print the figures as they come, and keep them."""
    parser = argparse.ArgumentParser(prog="placement", description=__doc__)
    parser.add_argument("--seeds", type=int, default=9, help="instances of 2,000 jobs for each load")
    parser.add_argument("--large-seeds", type=int, default=3, help="instances of 10,000 jobs for each load")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each, of which the fastest counts")
    parser.add_argument("--result", type=Path, default=RESULTS / NAME, help="where the figures go")
    parser.add_argument("--only-preemption", action="store_true", help="keep the other figures as they are")
    arguments = parser.parse_args()
    collect_seldom()  # as the hub does
    machine = {**describe(), "highs": version("highspy"), "loadAverageBefore": round(os.getloadavg()[0], 1)}
    if arguments.only_preemption:
        report = json.loads(arguments.result.read_text(encoding="utf-8"))
        write({**report, "preemption": _preemption(machine, arguments.repeats)}, arguments.result, NAME, with_figures)
        return
    single = arrivals.measured(100, 20, 1000, 1)
    print(f"arrivals: {single}", flush=True)
    room = _preemption(machine, arguments.repeats)
    found = []
    sizes = [
        *((Size(2_000, 100, 50, load), arguments.seeds) for load in LOADS),
        *((Size(10_000, 1_000, 200, load), arguments.large_seeds) for load in LOADS),
    ]
    for size, seeds in sizes:
        if seeds:
            found.append(batches.measured(size, seeds, arguments.repeats))
            print(f"batch: {found[-1]}", flush=True)
    accounts = batches.shared(Size(2_000, 100, 50, LOADS[0], accounts=10), arguments.repeats)
    print(f"accounts: {accounts}", flush=True)
    report = {
        "machine": machine,
        "repeats": arguments.repeats,
        "arrivals": single,
        "batches": found,
        "accounts": accounts,
        "preemption": room,
    }
    write(report, arguments.result, NAME, with_figures)


def _preemption(machine: dict[str, Any], repeats: int) -> dict[str, Any]:
    cases = [preempting.measured(preempting.Case(5_000, nodes), 5, repeats) for nodes in (10, 100)]
    print(f"preemption: {cases}", flush=True)
    return {"loadAverageBefore": machine["loadAverageBefore"], "cases": cases}


if __name__ == "__main__":
    main()
