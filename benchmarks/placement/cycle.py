"""How fast the greedy cycle decides: a burst in one cycle, and single arrivals, each a cycle of its own.

Run: python benchmarks/placement/cycle.py [--nodes 100] [--shapes 20] [--jobs 1000] [--classes 50] [--seed 1]
"""

import argparse
import platform
import random
import statistics
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from time import perf_counter, process_time

from isthmus.api.quantities import GIBIBYTE
from isthmus.capacity.profile import Accelerator, AcceleratorTotal, Profile, Shape
from isthmus.placement import AssumedLedger, Demand, NodeView, PriceView, Rooms, Snapshot, place

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MODELS = {"Tesla-T4": 16, "NVIDIA-A10": 24, "NVIDIA-A100-SXM4-80GB": 80, "NVIDIA-H100-80GB-HBM3": 80}
TIERS = ("Core", "Region", "Industry", "Edge")
GPU = "nvidia.com/gpu"
MACHINES = 100  # in each node


def shapes(random_: random.Random, count: int) -> tuple[Shape, ...]:
    """Machines of one node in `count` states, 45 % of them with GPUs."""
    found = []
    for _ in range(count):
        cores = random_.choice((32, 64, 96))
        whole = {"cpu": cores * 1000, "memory": cores * 4 * GIBIBYTE, "pods": 110}
        accelerators: tuple[Accelerator, ...] = ()
        if random_.random() < 0.45:
            model = random_.choice(sorted(MODELS))
            label = ("nvidia.com/gpu.product", model)
            accelerators = (Accelerator("NVIDIA", GPU, model, MODELS[model] * GIBIBYTE, label=label),)
            whole[GPU] = random_.choice((4, 8))
        share = random_.choice((4, 6, 8, 8, 8))
        free = {name: amount * share // 8 for name, amount in whole.items()}
        free["cpu"] -= random_.randrange(0, 4) * 250
        found.append(Shape(MACHINES // count, free, whole, accelerators, {"kubernetes.io/arch": "amd64"}))
    return tuple(found)


def nodes(random_: random.Random, count: int, shape_count: int) -> tuple[NodeView, ...]:
    """A fleet with mixed tiers, regions and prices."""
    fleet = []
    for number in range(count):
        there = shapes(random_, shape_count)
        totals = tuple(AcceleratorTotal(a, 8, 8) for a in dict.fromkeys(a for s in there for a in s.accelerators))
        fleet.append(
            NodeView(
                name=f"node-{number:04}",
                tier=TIERS[number % 4],
                region=f"r{number % 6}",
                price=PriceView(
                    core_second=Decimal(random_.randrange(5, 20)) / 1_000_000,
                    gibibyte_second=Decimal(random_.randrange(1, 4)) / 1_000_000,
                    gpu_second={model: Decimal(random_.randrange(100, 900)) / 1_000_000 for model in MODELS},
                    currency="CNY",
                ),
                profile=Profile(NOW, MACHINES, {}, {}, totals, there),
            )
        )
    return tuple(fleet)


def demands(random_: random.Random, count: int, classes: int) -> list[Demand]:
    """Jobs of a few classes, 45 % of them with GPUs, in random order."""
    kinds = []
    for number in range(classes):
        request = {"cpu": random_.choice((500, 1000, 4000, 8000)), "memory": random_.choice((1, 4, 16)) * GIBIBYTE}
        models: tuple[str, ...] = ()
        if random_.random() < 0.45:
            request[GPU] = random_.choice((1, 1, 2, 4, 8))
            models = tuple(random_.sample(sorted(MODELS), random_.choice((1, 2))))
        kinds.append(
            Demand(
                key="",
                name="",
                namespace="team",
                account=f"account-{number % 5}",
                priority=0,
                created=NOW,
                width=random_.choice((1, 1, 1, 2, 4, 8)),
                request={**request, "pods": 1},
                models=models,
                regions=tuple(f"r{n}" for n in random_.sample(range(6), random_.choice((3, 6)))),
            )
        )
    return [
        replace(random_.choice(kinds), key=f"job-{n:06}", name=f"job-{n:06}", created=NOW + timedelta(milliseconds=n))
        for n in range(count)
    ]


def machine() -> str:
    """The processor this runs on, for the record."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    return f"{model}, Python {platform.python_version()}"


def burst(fleet: tuple[NodeView, ...], jobs: list[Demand]) -> None:
    """All jobs in one cycle."""
    start, used = perf_counter(), process_time()
    outcome = place(Snapshot(fleet, NOW), jobs)
    seconds, used = perf_counter() - start, process_time() - used
    print(f"burst: {len(jobs)} jobs in {seconds * 1000:.0f} ms = {len(jobs) / seconds:.0f} decisions/s", end=" ")
    print(f"({used * 1000:.0f} ms of CPU); {len(outcome.assignments)} placed, {len(outcome.unplaced)} waiting")


def single(fleet: tuple[NodeView, ...], jobs: list[Demand]) -> None:
    """Each job in a cycle of its own, what was placed before it assumed, as the hub does."""
    rooms, ledger = Rooms(), AssumedLedger()
    views = {node.name: node for node in fleet}
    wall: list[float] = []
    cpu: list[float] = []
    place(Snapshot(fleet, NOW), (), rooms=rooms)
    for sequence, job in enumerate(jobs, 1):
        start, used = perf_counter(), process_time()
        outcome = place(Snapshot(tuple(views.values()), NOW), (job,), rooms=rooms)
        wall.append(perf_counter() - start)
        cpu.append(process_time() - used)
        for assignment in outcome.assignments:
            ledger.assume(assignment.node, sequence, job, assignment.width)
            views[assignment.node] = replace(views[assignment.node], assumed=ledger.of(assignment.node))
    for name, times in (("", wall), (" by CPU time", cpu)):
        cuts = statistics.quantiles(times, n=100)
        print(f"single arrivals{name}: {len(times) / sum(times):.0f} decisions/s", end=", ")
        print(f"P50 {cuts[49] * 1000:.2f} ms, P99 {cuts[98] * 1000:.1f} ms")


def main() -> None:
    """Build the instance, run both, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("nodes", 100), ("shapes", 20), ("jobs", 1000), ("classes", 50), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    arguments = parser.parse_args()
    random_ = random.Random(arguments.seed)  # noqa: S311 - an instance to measure, no secret
    fleet = nodes(random_, arguments.nodes, arguments.shapes)
    jobs = demands(random_, arguments.jobs, arguments.classes)
    print(f"{arguments.nodes} nodes of {MACHINES} machines in {arguments.shapes} shapes; {machine()}")
    burst(fleet, jobs)
    single(fleet, jobs)


if __name__ == "__main__":
    main()
