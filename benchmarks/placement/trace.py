"""How much of a GPU cluster each policy gives out on the openb trace, beside what was published for it.

Writes benchmarks/results/trace.json and its table in docs/simulator.md.

Run: python -m placement.trace FOLDER [--seeds 10] (with benchmarks/ on PYTHONPATH); the folder holds the trace's files,
openb_node_list_gpu_node.csv and openb_pod_list_{default,gpuspec33,multigpu50}.csv.
"""

import argparse
import json
import os
import statistics
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from isthmus.cli.simulate.overload import read_overload
from isthmus.cli.simulate.policy import Policy
from placement.tracepage import NAME, with_figures
from report.machine import describe
from report.writing import RESULTS, write

MACHINES = "openb_node_list_gpu_node.csv"
LOAD = 1.3
FIRST_SEED = 42
MEMBERS = 8
# Medians of ten seeds: Weng et al., USENIX ATC'23, from the results beside its simulator's code.
PUBLISHED = {
    "default": {Policy.FRAGMENTATION: 95.40, Policy.BESTFIT: 93.11, Policy.RANDOM: 87.39},
    "gpuspec33": {Policy.FRAGMENTATION: 94.56, Policy.BESTFIT: 93.09, Policy.RANDOM: 86.43},
    "multigpu50": {Policy.FRAGMENTATION: 97.18, Policy.BESTFIT: 95.71, Policy.RANDOM: 90.23},
}


def measured(folder: Path, trace: str, policy: Policy, members: int, seeds: int) -> dict[str, Any]:
    """One line of the table: allocation in percent by seed, and how long it took."""
    begun, used = perf_counter(), process_time()
    overload = read_overload(folder / MACHINES, folder / f"openb_pod_list_{trace}.csv", policy, LOAD, members)
    found = [round(each, 2) for each in overload.run(range(FIRST_SEED, FIRST_SEED + seeds))]
    line = {
        "trace": trace,
        "policy": policy.value,
        "members": members,
        "allocation": found,
        "median": round(statistics.median(found), 2),
        "least": min(found),
        "most": max(found),
        "published": PUBLISHED[trace][policy] if members == 1 else None,
        "seconds": round(perf_counter() - begun, 1),
        "processorSeconds": round(process_time() - used, 1),
    }
    print(json.dumps(line), flush=True)
    return line


def main() -> None:
    """Run all of it, print the figures and write them down."""
    parser = argparse.ArgumentParser(prog="placement.trace", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the trace's files are")
    parser.add_argument("--seeds", type=int, default=10, help="runs of each, with other orders of the pods")
    parser.add_argument("--result", type=Path, default=RESULTS / NAME, help="where the figures go")
    arguments = parser.parse_args()
    load = round(os.getloadavg()[0], 1)
    runs = [(trace, policy, 1) for trace in PUBLISHED for policy in Policy]
    runs += [(trace, Policy.FRAGMENTATION, MEMBERS) for trace in PUBLISHED]
    report = {
        "load": LOAD,
        "firstSeed": FIRST_SEED,
        "seeds": arguments.seeds,
        "runs": [measured(arguments.folder, *run, arguments.seeds) for run in runs],
        "machine": {**describe(), "loadAverageBefore": load},
    }
    write(report, arguments.result, NAME, with_figures, "simulator.md")


if __name__ == "__main__":
    main()
