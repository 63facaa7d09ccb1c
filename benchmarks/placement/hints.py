"""How much of a member's GPUs is given out where pods go to the machine that the hub has in mind, and by best fit.

The experiment of the openb trace (see placement.trace), one member, with the machines as the hub knows them: free
accelerators by how many. Pods that share a GPU are left out. What was asked for is learnt as it arrives; beside that,
the simulator's rule on the same pods, which knows them all from the start.

Writes benchmarks/results/hints.json and its table in docs/placement.md.

Run: python -m placement.hints FOLDER [--seeds 5] (with benchmarks/ on PYTHONPATH); the folder is that of
placement.trace.
"""

import argparse
import json
import os
import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

from isthmus.api.quantities import CPU, MEBIBYTE, MEMORY, PODS
from isthmus.capacity.profile import Accelerator, Shape
from isthmus.cli.simulate.policy import Policy, columns_of
from isthmus.cli.simulate.tracefile import read_machines, read_pods
from isthmus.placement import Asked, Demand, MachineLosses, shape_hint
from isthmus.placement.fit import offer_of
from isthmus.placement.packing import Machine, Members, PodClass, PodClasses, allocation, arrivals
from isthmus.placement.packing.machines import WHOLE
from isthmus.placement.room import Part, Room, pods_on, room_of
from placement.hintpage import NAME, with_figures
from report.machine import describe
from report.writing import RESULTS, write

MACHINES = "openb_node_list_gpu_node.csv"
TRACES = ("default", "gpuspec33", "multigpu50")
LOAD = 1.3
FIRST_SEED = 42
GPU = "nvidia.com/gpu"
PRODUCT = "nvidia.com/gpu.product"
EPOCH = datetime.fromtimestamp(0, UTC)

Choice = Callable[[Demand, Room], Part | None]


def shape_of(machine: Machine, count: int) -> Shape:
    """So many such machines, empty, with room for any number of pods."""
    whole = {CPU: machine.cpu_milli, MEMORY: machine.memory_mib * MEBIBYTE, PODS: 1 << 20, GPU: machine.gpus}
    model = Accelerator("NVIDIA", GPU, machine.model, label=(PRODUCT, machine.model))
    return Shape(count, whole, whole, (model,) if machine.gpus else ())


def demand_of(pod: PodClass, key: str) -> Demand:
    """A job of one such pod. ValueError where it shares a GPU."""
    if pod.gpus and pod.gpu_milli < WHOLE:
        raise ValueError("a share of a GPU is no whole one")
    request = {CPU: pod.cpu_milli, MEMORY: pod.memory_mib * MEBIBYTE, PODS: 1, **({GPU: pod.gpus} if pod.gpus else {})}
    return Demand(key, key, "team", "team", 0, EPOCH, 1, request, models=pod.models)


def hinted() -> Choice:
    """The machine that the hub has in mind, by what has been asked for so far."""
    asked = Asked()
    losses: tuple[int, MachineLosses] | None = None

    def choose(demand: Demand, room: Room) -> Part | None:
        nonlocal losses
        asked.note(demand)
        if losses is None or losses[0] != asked.version:
            losses = (asked.version, MachineLosses(room, asked.told()))
        hint = shape_hint(demand, room, None, losses[1])
        return None if hint is None else part_of(room, hint.allocatable, hint.free)

    return choose


def part_of(room: Room, has: Mapping[str, int], free: Mapping[str, int]) -> Part:
    """Machines of the hinted shape; of such as the shape does not tell apart, the first."""
    return min(
        (number, vector)
        for number, vector in room.parts
        if all(room.kinds[number].allocatable[room.axes[name]] == amount for name, amount in has.items())
        and all(vector[room.axes[name]] == amount for name, amount in free.items())
    )


def best_fit(demand: Demand, room: Room) -> Part | None:
    """The machine on which the fewest accelerators are left over, then cores; without accelerators, one that has none.

    What the hub went by before.
    """
    offer = offer_of(demand, room, None)
    cpu, need = room.axes[CPU], dict(offer.need or ())

    def left(part: Part) -> tuple[object, ...]:
        number, free = part
        first = bool(room.kinds[number].accelerators) if offer.axis is None else free[offer.axis]
        return (first, free[cpu] - need[cpu], part)

    able = (part for part in room.parts if part[0] in offer.kinds and pods_on(part[1], offer.need or ()))
    return min(able, key=left, default=None)


class Experiment:
    """Machines, and the pods that arrive there, by seed."""

    def __init__(self, machines: Sequence[Machine], pods: Sequence[PodClass]) -> None:
        self._machines = machines
        self._pods = pods
        self._classes = list(dict.fromkeys(pods))
        self._whole = sum(machine.gpus for machine in machines)
        self._asked = np.array([pod.gpu_total for pod in self._classes])

    def _arrivals(self, seed: int) -> list[int]:
        numbers = {pod: number for number, pod in enumerate(self._classes)}
        pods = np.array([numbers[pod] for pod in self._pods])
        limit = LOAD * self._whole * WHOLE
        found: list[int] = arrivals(pods, self._asked, limit=limit, random=np.random.default_rng(seed)).tolist()
        return found

    def allocation(self, seed: int, choose: Choice) -> float:
        """The share of the GPUs that are in use when all pods have arrived, in percent."""
        room = room_of([shape_of(machine, count) for machine, count in Counter(self._machines).items()])
        placed = 0
        for place, number in enumerate(self._arrivals(seed)):
            demand = demand_of(self._classes[number], str(place))
            part = choose(demand, room)
            if part is not None:
                need = dict(room.need(demand.request) or ())
                room.move(part, 1, tuple(free - need.get(axis, 0) for axis, free in enumerate(part[1])))
                placed += self._classes[number].gpus
        return 100 * placed / self._whole

    def simulated(self, seed: int) -> float:
        """The same in the simulator, by its rule."""
        columns = columns_of(Policy.FRAGMENTATION, PodClasses(self._classes), self._machines, self._pods)
        members = Members([self._machines], columns, np.random.default_rng(seed))
        return allocation(members, self._arrivals(seed), self._asked, whole=self._whole * WHOLE)


def measured(folder: Path, trace: str, seeds: int) -> dict[str, Any]:
    """One line of the table: allocation in percent by seed, both ways."""
    machines = read_machines(folder / MACHINES)
    pods = [pod for pod in read_pods(folder / f"openb_pod_list_{trace}.csv") if pod.gpu_milli in {0, WHOLE}]
    line: dict[str, Any] = {"trace": trace, "pods": len(pods)}
    experiment = Experiment(machines, pods)
    ways: dict[str, Callable[[int], float]] = {
        "hinted": lambda seed: experiment.allocation(seed, hinted()),
        "bestFit": lambda seed: experiment.allocation(seed, best_fit),
        "simulator": experiment.simulated,
    }
    for name, allocated in ways.items():
        used = process_time()
        found = [round(allocated(FIRST_SEED + n), 2) for n in range(seeds)]
        line[name] = {
            "allocation": found,
            "median": round(statistics.median(found), 2),
            "processorSeconds": round(process_time() - used, 1),
        }
    print(json.dumps(line), flush=True)
    return line


def main() -> None:
    """Run all of it, print the figures and write them down."""
    parser = argparse.ArgumentParser(prog="placement.hints", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the trace's files are")
    parser.add_argument("--seeds", type=int, default=5, help="runs of each, with other orders of the pods")
    parser.add_argument("--result", type=Path, default=RESULTS / NAME, help="where the figures go")
    arguments = parser.parse_args()
    load = round(os.getloadavg()[0], 1)
    report = {
        "load": LOAD,
        "firstSeed": FIRST_SEED,
        "seeds": arguments.seeds,
        "machine": {**describe(), "loadAverageBefore": load},
        "runs": [measured(arguments.folder, trace, arguments.seeds) for trace in TRACES],
    }
    write(report, arguments.result, NAME, with_figures, "placement.md")


if __name__ == "__main__":
    main()
