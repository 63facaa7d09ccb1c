"""A cycle in which work of lower priority is stopped for urgent jobs, over nodes that are full."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from statistics import median
from typing import Any

from isthmus.api.quantities import CPU, GIBIBYTE, MEMORY, PODS
from isthmus.capacity.profile import Accelerator, AcceleratorTotal, Profile, Shape
from isthmus.placement import Demand, NodeView, PriceView, Rooms, RunningShard, Snapshot, place
from placement.batches import fastest, milliseconds
from placement.instances import GPU, NOW

MACHINES = 100  # in each node
URGENT = 8  # for so many jobs a cycle makes room at most
_CLASSES = 40  # of what runs
_PRICE = PriceView(Decimal("0.00001"), Decimal("0.000001"), {"*": Decimal("0.0003")}, "CNY")
_A100 = Accelerator("NVIDIA", GPU, "NVIDIA-A100-SXM4-80GB", 80 * GIBIBYTE, label=(f"{GPU}.product", "A100"))
_T4 = Accelerator("NVIDIA", GPU, "Tesla-T4", 16 * GIBIBYTE, label=(f"{GPU}.product", "Tesla-T4"))
# Cores, accelerators and which; memory is 4 GiB for a core.
_MACHINES: tuple[tuple[int, int, tuple[Accelerator, ...]], ...] = (
    (64, 0, ()),
    (64, 0, ()),
    (64, 4, (_T4,)),
    (96, 8, (_A100,)),
)
_GPU_SHARE = 0.45  # of the classes


@dataclass(frozen=True, slots=True)
class Case:
    """So many preemptible shards, spread over so many nodes."""

    shards: int
    nodes: int


def measured(case: Case, seeds: int, repeats: int) -> dict[str, Any]:
    """Medians over seeds 1..`seeds` of a cycle that makes room, and of the same with nothing that may be stopped."""
    whole, without, jobs = [], [], []
    for seed in range(1, seeds + 1):
        snapshot, urgent = instance(case, seed)
        nothing, rooms = replace(snapshot, running=()), Rooms()
        place(nothing, urgent, rooms=rooms)
        _, plain = fastest(repeats, partial(place, nothing, urgent, rooms=rooms))
        outcome, time = fastest(repeats, partial(place, snapshot, urgent, rooms=rooms))
        whole.append(time)
        without.append(plain)
        jobs.append(len(outcome.preemptions))
    return {
        "shards": case.shards,
        "nodes": case.nodes,
        "machines": case.nodes * MACHINES,
        "seeds": seeds,
        "jobs": URGENT,
        "served": median(jobs),
        "milliseconds": milliseconds(whole),
        "withoutMilliseconds": milliseconds(without),
    }


def instance(case: Case, seed: int) -> tuple[Snapshot, tuple[Demand, ...]]:
    """A snapshot in which all of them run, and the urgent jobs, always the same for a seed."""
    random_ = random.Random(seed)  # noqa: S311 - an instance to measure, no secret
    kinds = [_kind(random_, f"low-{n}", random_.randrange(4)) for n in range(_CLASSES)]
    fleet: list[NodeView] = []
    running: list[RunningShard] = []
    for number in range(case.nodes):
        node = f"node-{number:04}"
        there = list(_shards(random_, node, case.shards // case.nodes, kinds))
        fleet.append(_node(random_, node, there))
        running += there
    urgent = (replace(_kind(random_, f"urgent-{n}", 9), width=random_.choice((1, 4, 16))) for n in range(URGENT))
    return Snapshot(tuple(fleet), NOW, running=tuple(running)), tuple(urgent)


def _kind(random_: random.Random, name: str, priority: int) -> Demand:
    cores = random_.choice((1, 2, 4, 8))
    request = {CPU: cores * 1000, MEMORY: cores * random_.choice((1, 2, 4)) * GIBIBYTE, PODS: 1}
    models: tuple[str, ...] = ()
    if random_.random() < _GPU_SHARE:
        request[GPU] = random_.choice((1, 1, 2, 4))
        models = (random_.choice((_A100, _T4)).model,)
    return Demand(name, name, "team", "team", priority, NOW, 1, request, models=models)


def _shards(random_: random.Random, node: str, count: int, kinds: Sequence[Demand]) -> Iterator[RunningShard]:
    for number in range(count):
        kind, name = random_.choice(kinds), f"{node}-{number}"
        width, since = random_.randint(1, 8), NOW - timedelta(seconds=random_.randrange(3600))
        demand = replace(kind, key=name, name=name, width=width)
        yield RunningShard(name, node, demand, width, preemptible=True, since=since)


def _node(random_: random.Random, name: str, shards: Sequence[RunningShard]) -> NodeView:
    """A node whose machines hold the pods of the shards, as far as they have room, and other work beside them."""
    machines = [_Machine(random_.randrange(len(_MACHINES))) for _ in range(MACHINES)]
    for shard in shards:
        for _ in range(shard.width):
            order = random_.sample(machines, len(machines))
            next((each for each in order if each.takes(shard.demand)), None)
    counts: Counter[tuple[int, tuple[tuple[str, int], ...]]] = Counter()
    for machine in machines:
        machine.free[CPU] = min(machine.free[CPU], random_.randrange(4) * 250)  # other work has the rest
        counts[machine.kind, tuple(machine.free.items())] += 1
    shapes = tuple(
        Shape(count, dict(free), _whole(kind), _MACHINES[kind][2], {"kubernetes.io/arch": "amd64"})
        for (kind, free), count in counts.items()
    )
    totals = tuple(AcceleratorTotal(a, 8, 8) for a in dict.fromkeys(a for s in shapes for a in s.accelerators))
    return NodeView(name, "Core", price=_PRICE, profile=Profile(NOW, MACHINES, {}, {}, totals, shapes))


class _Machine:
    """One machine, which takes pods until it is full."""

    def __init__(self, kind: int) -> None:
        self.kind = kind
        self.free = _whole(kind)

    def takes(self, demand: Demand) -> bool:
        """Take a pod, if there is room for it."""
        models = {accelerator.model for accelerator in _MACHINES[self.kind][2]}
        if demand.models and not models & set(demand.models):
            return False
        if any(self.free.get(name, 0) < amount for name, amount in demand.request.items()):
            return False
        for name, amount in demand.request.items():
            self.free[name] -= amount
        return True


def _whole(kind: int) -> dict[str, int]:
    cores, gpus, _ = _MACHINES[kind]
    whole = {CPU: cores * 1000, MEMORY: cores * 4 * GIBIBYTE, PODS: 110}
    return {**whole, GPU: gpus} if gpus else whole
