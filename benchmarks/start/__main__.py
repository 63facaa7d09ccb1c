"""Measures start and size; writes benchmarks/results/start.json and its table in docs/performance.md.

Run: python -m start [--ended 10000] [--running 1000] [--nodes 100] [--events 3600] (with benchmarks/ on PYTHONPATH, as
`make bench-start` has it)
"""

import argparse
import asyncio
import json
from pathlib import Path

from report.writing import RESULTS, write
from start.page import NAME, with_figures
from start.stage import Stage
from start.trial import Trial


def main() -> None:
    """Run it once, print the figures and write them down."""
    parser = argparse.ArgumentParser(prog="start", description=__doc__)
    parser.add_argument("--ended", type=int, default=10_000, help="ComputeJobs that have ended")
    parser.add_argument("--running", type=int, default=1_000, help="ComputeJobs that run")
    parser.add_argument("--nodes", type=int, default=100, help="ComputeNodes")
    parser.add_argument("--events", type=int, default=3_600, help="ComputeJobs that come and end in an hour")
    parser.add_argument("--result", type=Path, default=RESULTS / NAME, help="where the figures go")
    arguments = parser.parse_args()
    with Stage(arguments.nodes) as stage:
        figures = asyncio.run(Trial(stage).run(arguments.ended, arguments.running, arguments.events))
    report = figures.report()
    print(json.dumps(report, indent=2), flush=True)
    write(report, arguments.result, NAME, with_figures)


if __name__ == "__main__":
    main()
