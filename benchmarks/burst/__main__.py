"""Measures a burst and single arrivals; writes benchmarks/results/burst.json and its table in docs/performance.md.

Run: python -m burst [--jobs 1000] [--single 30] [--rounds 3] (with benchmarks/ on PYTHONPATH, as `make bench` has it)
"""

import argparse
import asyncio
import os
from pathlib import Path

from burst.figures import Figures
from burst.page import NAME, with_figures
from burst.stage import Stage
from burst.trial import Trial
from report.writing import RESULTS, write


def main() -> None:
    """Run it as often as asked for, print each round's figures, keep the round with the fastest dispatch."""
    parser = argparse.ArgumentParser(prog="burst", description=__doc__)
    parser.add_argument("--jobs", type=int, default=1000, help="ComputeJobs in the burst")
    parser.add_argument("--single", type=int, default=30, help="ComputeJobs on the idle system, one a second")
    parser.add_argument("--rounds", type=int, default=1, help="whole runs, each with clusters of its own")
    parser.add_argument("--result", type=Path, default=RESULTS / NAME, help="where the figures go")
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    rounds = [_round(arguments.jobs, arguments.single) for _ in range(arguments.rounds)]
    best = max(rounds, key=lambda figures: figures.jobs_per_second)
    report = best.report(len(rounds), load)
    write(report, arguments.result, NAME, with_figures)


def _round(jobs: int, single: int) -> Figures:
    with Stage() as stage:
        figures = asyncio.run(Trial(stage).run(jobs, single))
    print(f"burst: {figures.line()}", flush=True)
    return figures


if __name__ == "__main__":
    main()
