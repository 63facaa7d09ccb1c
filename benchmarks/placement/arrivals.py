"""Single arrivals, each a cycle of its own, on nodes of many machines: the greedy pass."""

import random
import statistics
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
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


def measured(node_count: int, shape_count: int, jobs: int, seed: int) -> dict[str, object]:
    """Decisions a second and their times, each job placed after all before it were assumed, as the hub does."""
    random_ = random.Random(seed)  # noqa: S311 - an instance to measure, no secret
    fleet = nodes(random_, node_count, shape_count)
    wall, cpu = _single(fleet, demands(random_, jobs, 50))
    cuts, cpu_cuts = statistics.quantiles(wall, n=100), statistics.quantiles(cpu, n=100)
    return {
        "nodes": node_count,
        "machines": node_count * MACHINES,
        "jobs": jobs,
        "decisionsPerSecond": round(len(wall) / sum(wall)),
        "decisionsPerProcessorSecond": round(len(cpu) / sum(cpu)),
        "p50Milliseconds": round(cuts[49] * 1000, 2),
        "p99Milliseconds": round(cuts[98] * 1000, 2),
        "p99ProcessorMilliseconds": round(cpu_cuts[98] * 1000, 2),
    }


def _single(fleet: tuple[NodeView, ...], jobs: list[Demand]) -> tuple[list[float], list[float]]:
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
    return wall, cpu
