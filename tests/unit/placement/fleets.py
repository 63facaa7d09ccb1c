"""Small fleets and jobs for tests of placement, and the same drawn at random."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from isthmus.api import core
from isthmus.api.quantities import GIBIBYTE
from isthmus.capacity.profile import Accelerator, AcceleratorTotal, MachineTaint, Profile, Shape
from isthmus.placement import Assumption, Demand, Form, NodeView, PriceView, Snapshot, Split
from isthmus.placement.demand import Input
from isthmus.placement.stated import EnergyView, Lapse, NetworkView

# A shared machine may pause.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GPU = "nvidia.com/gpu"
PRODUCT = "nvidia.com/gpu.product"
A100 = Accelerator("NVIDIA", GPU, "NVIDIA-A100-SXM4-80GB", 80 * GIBIBYTE, label=(PRODUCT, "NVIDIA-A100-SXM4-80GB"))
T4 = Accelerator("NVIDIA", GPU, "Tesla-T4", 16 * GIBIBYTE, label=(PRODUCT, "Tesla-T4"))
MIG = Accelerator(
    "NVIDIA",
    "nvidia.com/mig-1g.10gb",
    "NVIDIA-A100-SXM4-80GB",
    10 * GIBIBYTE,
    "1g.10gb",
    label=(PRODUCT, "NVIDIA-A100-SXM4-80GB"),
)


def shape(
    count: int = 1,
    *,
    accelerator: Accelerator | None = None,
    gpus: int = 8,
    free: Mapping[str, int] | None = None,
    cores: int = 32,
    taints: tuple[MachineTaint, ...] = (),
    arch: str = "amd64",
) -> Shape:
    """Machines of 32 cores and 128 GiB, empty but for what `free` says otherwise."""
    whole = {"cpu": cores * 1000, "memory": 128 * GIBIBYTE, "pods": 110}
    if accelerator is not None:
        whole[accelerator.resource_name] = gpus
    held = () if accelerator is None else (accelerator,)
    labels = {"kubernetes.io/arch": arch, "kubernetes.io/os": "linux"}
    return Shape(count, {**whole, **(free or {})}, whole, held, labels, taints)


def profile(*shapes: Shape, sequence: int = 0, beyond: tuple[int, ...] = ()) -> Profile:
    """A profile of the shapes; its totals, which placement takes models from, name their accelerators."""
    accelerators = dict.fromkeys(a for s in shapes for a in s.accelerators)
    totals = tuple(AcceleratorTotal(a, 0, 0) for a in accelerators)
    return Profile(NOW, sum(s.count for s in shapes), {}, {}, totals, shapes, sequence, beyond)


def price(core: str = "0.00001", *, gpus: Mapping[str, str] | None = None, current: bool = True) -> PriceView:
    """Prices per second; every GPU model costs the same unless told otherwise."""
    by_model = {"*": "0.0003"} if gpus is None else gpus
    return PriceView(
        core_second=Decimal(core),
        gibibyte_second=Decimal("0.000001"),
        gpu_second={model: Decimal(each) for model, each in by_model.items()},
        currency="CNY",
        current=current,
        reason="" if current else "Expired",
        message="" if current else "tariff v1 was valid until yesterday",
    )


def node(name: str, *shapes: Shape, **facts: Any) -> NodeView:
    """A ready node of the Core tier with prices, unless `facts` say otherwise."""
    return NodeView(**{"name": name, "tier": "Core", "price": price(), "profile": profile(*shapes), **facts})


def demand(key: str = "job", width: int = 1, **facts: Any) -> Demand:
    """A job of one-core pods, unless `facts` say otherwise; `gpus` asks for that many a pod."""
    gpus = facts.pop("gpus", 0)
    request = {"cpu": 1000, "memory": GIBIBYTE, "pods": 1, **({GPU: gpus} if gpus else {})}
    base: dict[str, Any] = {
        "key": key,
        "name": key,
        "namespace": "team",
        "account": "team",
        "priority": 0,
        "created": NOW,
        "width": width,
        "request": request,
    }
    return Demand(**{**base, **facts})


def snapshot(*nodes: NodeView) -> Snapshot:
    """The nodes, now."""
    return Snapshot(nodes, NOW)


TAINT = MachineTaint("dedicated", "gpu", "NoSchedule")
TOLERATION = core.PodToleration(key="dedicated", operator="Exists")

NETWORKS = (
    None,
    NetworkView({"r1": 10}, egress=Decimal(1)),
    NetworkView({"r1": 30}, egress=Decimal(0)),
    NetworkView({}, {"r1": Lapse("was valid until yesterday")}, None, Lapse("is in USD, the hub bills in CNY")),
)

# Small numbers, so that room is scarce and packing matters.
_models = st.sampled_from((None, A100, T4))


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    """One or two small machines, partly taken."""
    accelerator = draw(_models)
    whole = {"cpu": 4000, "memory": 8 * GIBIBYTE, "pods": 6}
    if accelerator is not None:
        whole[GPU] = 4
    free = {name: amount * draw(st.integers(0, 4)) // 4 for name, amount in whole.items()}
    taints = draw(st.sampled_from(((), (TAINT,))))
    held = () if accelerator is None else (accelerator,)
    return Shape(draw(st.integers(1, 2)), free, whole, held, {"kubernetes.io/arch": "amd64"}, taints)


@st.composite
def forms(draw: st.DrawFn) -> tuple[Form, ...]:
    """None mostly, else one for GPUs and one for cores."""
    if draw(st.integers(0, 3)):
        return ()
    plain = {"cpu": draw(st.integers(1, 4)) * 1000, "memory": GIBIBYTE, "pods": 1}
    held = {**plain, GPU: draw(st.integers(1, 4))}
    return (Form("gpu", held, draw(st.sampled_from(((), ("T4",))))), Form("cpu", plain))


@st.composite
def demands(draw: st.DrawFn, key: str = "job") -> Demand:
    """A job of up to three pods, now and then one that may be divided."""
    gpus = draw(st.sampled_from((0, 0, 1, 2, 4)))
    request = {"cpu": draw(st.integers(1, 4)) * 1000, "memory": draw(st.integers(1, 4)) * GIBIBYTE, "pods": 1}
    return demand(
        key,
        draw(st.integers(0, 3)),
        request={**request, **({GPU: gpus} if gpus else {})},
        models=draw(st.sampled_from(((), ("A100",), ("T4",), ("A100", "T4")))) if gpus else (),
        machine_tolerations=draw(st.sampled_from(((), (TOLERATION,)))),
        tiers=draw(st.sampled_from(((), ("Core",), ("Edge", "Region")))),
        objective=draw(st.sampled_from(("Balanced", "Cheapest", "Greenest", "Fastest"))),
        weights=draw(st.sampled_from((None, None, {"carbon": 2, "data": 1}, {"latency": 9}))),
        classification=draw(st.sampled_from((None, None, "Internal"))),
        residency=draw(st.sampled_from(((), (), ("CN",), ("EU", "CN")))),
        latencies=draw(st.sampled_from(((), (), (("r1", 20),)))),
        inputs=draw(st.sampled_from(((), (Input(("node", "node-1"), 3), Input(("region", "r2"), 1))))),
        deadline=draw(st.sampled_from((None, None, NOW + timedelta(seconds=60), NOW + timedelta(days=2)))),
        priority=draw(st.integers(0, 1)),
        created=NOW + timedelta(seconds=draw(st.integers(0, 2))),
        split=draw(st.sampled_from((None, None, Split(2, 1), Split(3, 1), Split(2, 2)))),
        forms=draw(forms()),
    )


@st.composite
def nodes(draw: st.DrawFn, name: str = "node") -> NodeView:
    """A node of up to three shapes, mostly in good order, now and then with work assumed on it."""
    there = draw(st.lists(shapes(), min_size=1, max_size=3))
    assumed = [replace(each, forms=()) for each in draw(st.lists(demands("earlier"), max_size=2))]
    return node(
        name,
        *there,
        tier=draw(st.sampled_from(("Core", "Region", "Edge"))),
        ready=draw(st.sampled_from((True, True, True, False))),
        price=draw(st.sampled_from((price(), price("0.00002"), price(gpus={"Tesla-T4": "0.0001"}), None))),
        assumed=tuple(Assumption(n, d, d.width) for n, d in enumerate(assumed, 1)),
        region=draw(st.sampled_from(("r1", "r2"))),
        classifications=frozenset(draw(st.sampled_from(((), ("Internal",))))),
        jurisdictions=frozenset(draw(st.sampled_from(((), ("CN",), ("EU",))))),
        energy=draw(st.sampled_from((None, EnergyView(Decimal(200)), EnergyView(Decimal(600), {"*": Decimal(300)})))),
        network=draw(st.sampled_from(NETWORKS)),
        reliability=draw(st.sampled_from((95, 50))),
    )


@st.composite
def fleets(draw: st.DrawFn) -> tuple[NodeView, ...]:
    """Up to three nodes."""
    return tuple(draw(nodes(f"node-{n}")) for n in range(draw(st.integers(1, 3))))


@st.composite
def queues(draw: st.DrawFn) -> tuple[Demand, ...]:
    """Up to six jobs, some of them equal but for their names."""
    models = draw(st.lists(demands(), min_size=1, max_size=4))
    picks = draw(st.lists(st.sampled_from(models), min_size=1, max_size=6))
    return tuple(_renamed(each, f"job-{n}") for n, each in enumerate(picks))


def _renamed(each: Demand, key: str) -> Demand:
    facts = {name: getattr(each, name) for name in Demand.__slots__}
    return Demand(**{**facts, "key": key, "name": key})
