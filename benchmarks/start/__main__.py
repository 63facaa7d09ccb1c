"""Measures start and size, and writes benchmarks/results/start.json.

Run: python -m start [--finished 10000] [--in-members 2500] [--running 1000] [--nodes 100] [--events 3600] (with
benchmarks/ on PYTHONPATH, as `make bench-start` has it)
"""

import argparse
import asyncio
import json
from pathlib import Path

from start.stage import Stage
from start.trial import Trial

RESULT = Path(__file__).resolve().parents[1] / "results" / "start.json"


def main() -> None:
    """Run it once, print the figures and write them down."""
    parser = argparse.ArgumentParser(prog="start", description=__doc__)
    parser.add_argument("--finished", type=int, default=10_000, help="ComputeJobs that have ended")
    parser.add_argument("--in-members", type=int, default=2_500, help="of these, how many stay in their members, too")
    parser.add_argument("--running", type=int, default=1_000, help="ComputeJobs that run")
    parser.add_argument("--nodes", type=int, default=100, help="ComputeNodes")
    parser.add_argument("--events", type=int, default=3_600, help="ComputeJobs that come and end meanwhile")
    parser.add_argument("--result", type=Path, default=RESULT, help="where the figures go")
    arguments = parser.parse_args()
    with Stage(arguments.nodes) as stage:
        numbers = arguments.finished, arguments.in_members, arguments.running, arguments.events
        figures = asyncio.run(Trial(stage).run(*numbers))
    text = json.dumps(figures.report(), indent=2)
    print(text, flush=True)
    arguments.result.parent.mkdir(parents=True, exist_ok=True)
    arguments.result.write_text(text + "\n")


if __name__ == "__main__":
    main()
