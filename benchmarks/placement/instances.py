"""Fleets and queues to place, drawn from a seed: typed GPUs on machines, prices, regions, a chosen load.

A fleet has free what the queue asks for in all over the load: GPUs model by model, and on machines without, cores and
memory for the jobs without, which the machines with GPUs do not take (a taint). At a load of 1.1 not everything can be
placed. How it is spread over nodes, and on a node over machines, is drawn.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from isthmus.api import core
from isthmus.api.quantities import CPU, GIBIBYTE, MEMORY, PODS
from isthmus.capacity.profile import Accelerator, AcceleratorTotal, MachineTaint, Profile, Shape
from isthmus.placement import Demand, NodeView, PriceView, Snapshot

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GPU = "nvidia.com/gpu"
# Name, memory in GiB, price of an hour.
MODELS = (
    ("Tesla-T4", 16, 2.5),
    ("NVIDIA-A10", 24, 6.0),
    ("NVIDIA-L40S", 48, 9.0),
    ("NVIDIA-A100-SXM4-80GB", 80, 16.0),
    ("NVIDIA-H100-80GB-HBM3", 80, 30.0),
)
REGIONS = 10
_TIERS = ("Core", "Region", "Industry", "Edge")
_GPU_SHARE = 0.45  # of the classes
_ALLOWED_SHARE = 0.7  # of the regions, for a class
_PODS = 110
_CORES_PER_GPU = (8, 12, 16)
_TAINT = MachineTaint("dedicated", "gpu", "NoSchedule")
_TOLERATION = core.PodToleration(key="dedicated", operator="Exists")
# What of a machine is free, in eighths: most are empty, as a batch meets them.
_FREE_EIGHTHS = (8, 8, 8, 6, 4)


@dataclass(frozen=True, slots=True)
class Instance:
    """A snapshot and the jobs that wait."""

    snapshot: Snapshot
    demands: tuple[Demand, ...]


@dataclass(frozen=True, slots=True)
class Size:
    """How large an instance is; `load` is what is asked for over what is free. Jobs are dealt to so many accounts."""

    jobs: int
    nodes: int
    classes: int
    load: float
    accounts: int = 1


def instance(size: Size, seed: int) -> Instance:
    """The instance of that size and seed, always the same."""
    random_ = random.Random(seed)  # noqa: S311 - an instance to measure, no secret
    demands = _demands(random_, size)
    return Instance(Snapshot(_nodes(random_, size, demands), NOW), demands)


def _demands(random_: random.Random, size: Size) -> tuple[Demand, ...]:
    """Jobs of one pod each, of classes of unequal size, in random order of arrival."""
    kinds = [_kind(random_) for _ in range(size.classes)]
    weights = [random_.gammavariate(2.0, 1.0) for _ in kinds]
    names = (f"job-{n:06}" for n in range(size.jobs))
    return tuple(
        replace(kind, key=name, name=name, created=NOW + timedelta(milliseconds=n), account=f"team-{n % size.accounts}")
        for n, (name, kind) in enumerate(zip(names, random_.choices(kinds, weights, k=size.jobs), strict=True))
    )


def _kind(random_: random.Random) -> Demand:
    cores = random_.choice((1, 2, 4, 8, 16))
    request = {CPU: cores * 1000, MEMORY: cores * random_.choice((2, 4, 8)) * GIBIBYTE}
    models: tuple[str, ...] = ()
    if random_.random() < _GPU_SHARE:
        request[GPU] = random_.choice((1, 1, 2, 4, 8))
        models = (random_.choice(MODELS)[0],)
    allowed = {f"r{n}" for n in range(REGIONS) if random_.random() < _ALLOWED_SHARE} | {
        f"r{random_.randrange(REGIONS)}"
    }
    return Demand(
        key="",
        name="",
        namespace="team",
        account="team",
        priority=0,
        created=NOW,
        width=1,
        request={**request, PODS: 1},
        models=models,
        machine_tolerations=(_TOLERATION,) if models else (),
        regions=tuple(sorted(allowed)),
        objective=random_.choice(("Balanced", "Balanced", "Cheapest")),
    )


def _nodes(random_: random.Random, size: Size, demands: Sequence[Demand]) -> tuple[NodeView, ...]:
    asked = _asked(demands)
    room = {model: total / size.load for model, total in asked.items()}
    held: list[list[Shape]] = [[] for _ in range(size.nodes)]
    for model, memory, _ in MODELS:
        for place, shape in _gpu_machines(random_, size.nodes, model, memory, room.get(model, 0.0)):
            held[place].append(shape)
    for place, shape in _plain_machines(random_, size.nodes, room[CPU], room[MEMORY]):
        held[place].append(shape)
    return tuple(_node(random_, number, _merged(shapes)) for number, shapes in enumerate(held))


def _asked(demands: Sequence[Demand]) -> Counter[str]:
    """All that is asked for: GPUs by model, and cpu and memory of jobs without."""
    asked: Counter[str] = Counter()
    for demand in demands:
        for model in demand.models:
            asked[model] += demand.request[GPU]
        if not demand.models:
            asked.update({CPU: demand.request[CPU], MEMORY: demand.request[MEMORY]})
    return asked


def _gpu_machines(random_: random.Random, nodes: int, model: str, memory: int, gpus: float) -> list[tuple[int, Shape]]:
    """Machines with so many free GPUs of the model in all, on a fifth of the nodes: (place of the node, machine)."""
    places = sorted(random_.sample(range(nodes), max(1, nodes // 5)))
    weights = [random_.choice((4, 8, 16, 32)) for _ in places]
    accelerator = Accelerator("NVIDIA", GPU, model, memory * GIBIBYTE, label=(f"{GPU}.product", model))
    found: list[tuple[int, Shape]] = []
    while gpus > 0:
        count = random_.choice((4, 8, 8))
        cores = count * random_.choice(_CORES_PER_GPU)
        whole = {CPU: cores * 1000, MEMORY: cores * 8 * GIBIBYTE, PODS: _PODS, GPU: count}
        shape = _machine(random_, whole, (accelerator,))
        gpus -= shape.free[GPU]
        found.append((random_.choices(places, weights)[0], shape))
    return found


def _plain_machines(random_: random.Random, nodes: int, cpu: float, memory: float) -> list[tuple[int, Shape]]:
    """Machines without GPUs with so much free in all: (place of the node, machine)."""
    weights = [random_.choice((64, 128, 256, 512)) for _ in range(nodes)]
    found: list[tuple[int, Shape]] = []
    per_core = max(2.0, memory / max(cpu, 1.0) * 1000 / GIBIBYTE)
    while cpu > 0:
        cores = random_.choice((32, 64, 96))
        whole = {CPU: cores * 1000, MEMORY: int(cores * per_core * GIBIBYTE), PODS: _PODS}
        shape = _machine(random_, whole, ())
        cpu -= shape.free[CPU]
        found.append((random_.choices(range(nodes), weights)[0], shape))
    return found


def _machine(random_: random.Random, whole: Mapping[str, int], held: tuple[Accelerator, ...]) -> Shape:
    eighths = random_.choice(_FREE_EIGHTHS)
    free = {name: amount * eighths // 8 for name, amount in whole.items()}
    return Shape(1, free, whole, held, {"kubernetes.io/arch": "amd64"}, (_TAINT,) if held else ())


def _merged(machines: Sequence[Shape]) -> tuple[Shape, ...]:
    """Equal machines as one shape, as a profile has them."""
    counts: dict[tuple[object, ...], list[Shape]] = {}
    for shape in machines:
        key = (tuple(shape.free.items()), tuple(shape.allocatable.items()), shape.accelerators)
        counts.setdefault(key, []).append(shape)
    return tuple(replace(shapes[0], count=len(shapes)) for shapes in counts.values())


def _node(random_: random.Random, number: int, shapes: tuple[Shape, ...]) -> NodeView:
    level = random_.uniform(0.6, 1.6) * (0.5 if random_.random() < 0.2 else 1.0)
    totals = tuple(AcceleratorTotal(a, 8, 8) for a in dict.fromkeys(a for s in shapes for a in s.accelerators))
    return NodeView(
        name=f"node-{number:04}",
        tier=random_.choice(_TIERS),
        region=f"r{random_.randrange(REGIONS)}",
        price=PriceView(
            core_second=_per_second(0.25 * level),
            gibibyte_second=_per_second(0.03 * level),
            gpu_second={model: _per_second(price * level) for model, _, price in MODELS},
            currency="CNY",
        ),
        profile=Profile(NOW, sum(s.count for s in shapes), {}, {}, totals, shapes),
    )


def _per_second(hour: float) -> Decimal:
    return Decimal(round(hour * 1_000_000 / 3600)) / 1_000_000
