"""Times the plugin; writes benchmarks/results/cli.json and its table in docs/performance.md.

Run: python -m cli [--jobs 1000] [--runs 9] (with benchmarks/ on PYTHONPATH, as `make bench-cli` has it)
"""

import argparse
import json
import os
import sys
from pathlib import Path

from cli.hub import NAMESPACE, start
from cli.page import NAME, with_figures
from cli.timing import timed
from report.machine import describe
from report.writing import RESULTS, write
from testbed import Testbed

PLUGIN = str(Path(sys.executable).with_name("kubectl-isthmus"))
COMMANDS = {
    "start": ["completion", "bash"],
    "getJobs": ["get", "jobs", "-n", NAMESPACE],
    "getJobsEverywhere": ["get", "jobs", "-A"],
    "getJobsWide": ["get", "jobs", "-n", NAMESPACE, "-o", "wide"],
    "getJobsJson": ["get", "jobs", "-n", NAMESPACE, "-o", "json"],
    "explain": ["explain", "pattern", "-n", NAMESPACE],
    "top": ["top", "-n", NAMESPACE],
}


def main() -> None:
    """Run all of it, print the figures and write them down."""
    parser = argparse.ArgumentParser(prog="cli", description=__doc__)
    parser.add_argument("--jobs", type=int, default=1_000, help="ComputeJobs in the hub")
    parser.add_argument("--runs", type=int, default=9, help="how often each command is run")
    parser.add_argument("--result", type=Path, default=RESULTS / NAME, help="where the figures go")
    arguments = parser.parse_args()
    load = round(os.getloadavg()[0], 1)
    with Testbed() as bed:
        hub = start(bed, arguments.jobs)
        environment = {"KUBECONFIG": str(hub.kubeconfig())}
        figures = {n: timed([PLUGIN, *c], environment, arguments.runs).report() for n, c in COMMANDS.items()}
        kubernetes = hub.rest.get("/version")["gitVersion"]
    report = {
        "jobs": arguments.jobs,
        "runs": arguments.runs,
        "commands": figures,
        "machine": {**describe(), "kubernetes": kubernetes, "loadAverageBefore": load},
    }
    print(json.dumps(report, indent=2), flush=True)
    write(report, arguments.result, NAME, with_figures)


if __name__ == "__main__":
    main()
