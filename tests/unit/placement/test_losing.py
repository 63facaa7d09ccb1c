from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.placement.fleets import A100, GPU, MIG, T4, UNHURRIED, demand, shape

from isthmus.api.quantities import GIBIBYTE
from isthmus.capacity.profile import Shape
from isthmus.placement import MachineLosses, shape_hint
from isthmus.placement.asked import Asking
from isthmus.placement.packing import Fragmentation, Machine, PodClass, PodClasses, State
from isthmus.placement.room import room_of

CORES = 32_000
MEBIBYTES = 128 * 1024


@UNHURRIED
@given(
    asked=st.lists(st.tuples(st.integers(1, 16), st.integers(0, 8), st.integers(1, 9)), min_size=1, max_size=4),
    cores=st.integers(1, 16),
    gpus=st.integers(0, 4),
    free=st.lists(st.tuples(st.integers(16, 32), st.integers(4, 8)), min_size=1, max_size=5, unique=True),
)
def test_the_simulators_rule(
    asked: list[tuple[int, int, int]], cores: int, gpus: int, free: list[tuple[int, int]]
) -> None:
    """A machine costs the hub what it costs in the simulator, where all jobs ask for one model and whole GPUs."""
    room = room_of([shape(accelerator=A100, free={"cpu": 1000 * cpu, GPU: held}) for cpu, held in free])
    asking = []
    likely: dict[PodClass, int] = {}
    for pod in (PodClass(CORES * n // 16, MEBIBYTES * n // 16, n, 1000) for n in (1, 2, 4, 8)):
        likely[pod] = likely.get(pod, 0) + 1
    for each, held, pods in asked:
        wanted = demand(request={"cpu": 1000 * each, "memory": GIBIBYTE, "pods": 1, **({GPU: held} if held else {})})
        asking.append(Asking(wanted, pods))
        # What is asked for names the kinds of machine that would do, what is thought likely none.
        pod = PodClass(1000 * each, 1024, held, 1000 * bool(held), ("A100",) if held else ())
        likely[pod] = likely.get(pod, 0) + pods
    losses = MachineLosses(room, asking)
    wanted = demand(request={"cpu": 1000 * cores, "memory": GIBIBYTE, "pods": 1, **({GPU: gpus} if gpus else {})})
    need = room.need(wanted.request)
    assert need is not None
    rule = Fragmentation(
        PodClasses([PodClass(1000 * cores, 1024, gpus, 1000 * bool(gpus))]), [Machine(CORES, MEBIBYTES, 8)], likely
    )
    for part in room.parts:
        cpu, held = part[1][room.axes["cpu"]], part[1][room.axes[GPU]]
        score = rule.column(State("A100", cpu, MEBIBYTES, (1000,) * held)).scores[0]
        assert losses.cost(part, need, 1) == pytest.approx(-score, abs=1e-6)


def hinted(shapes: list[Shape], asked: list[Asking], **facts: Any) -> dict[str, int]:
    """What is free on the machine in mind."""
    room = room_of(shapes)
    hint = shape_hint(demand(**facts), room, None, MachineLosses(room, asked))
    assert hint is not None
    return dict(hint.free)


def test_blocks_are_kept_for_who_asks_for_them() -> None:
    """A machine that a job would break up for those that come is spared, unless nobody asks for its like."""
    shapes = [shape(accelerator=A100, free={GPU: 4}), shape(accelerator=A100, free={GPU: 3})]
    fours = [Asking(demand(gpus=4), 50), Asking(demand(gpus=1), 50)]
    assert hinted(shapes, fours, gpus=1)[GPU] == 3
    threes = [Asking(demand(gpus=3), 50), Asking(demand(gpus=1), 50)]
    assert hinted(shapes, threes, gpus=1)[GPU] == 4


def test_cores_stay_beside_gpus() -> None:
    """Work for many cores goes where the GPUs have cores to spare, though more is left over there."""
    tight = shape(accelerator=A100, gpus=8, cores=40)
    ample = shape(accelerator=A100, gpus=2, cores=64)
    asked = [Asking(demand(request={"cpu": 5000, "memory": GIBIBYTE, "pods": 1, GPU: 1}), 90)]
    assert hinted([tight, ample], asked, request={"cpu": 16_000, "memory": GIBIBYTE, "pods": 1})["cpu"] == 64_000


def test_only_machines_that_would_do_count() -> None:
    """Jobs that ask for another model, label or resource don't make a machine worth keeping."""
    marked = replace(shape(accelerator=A100, free={GPU: 4}), labels={"rack": "a"})
    shapes = [marked, shape(accelerator=T4, free={GPU: 3})]
    plain = Asking(demand(gpus=1), 10)
    for picky in (
        demand(gpus=3, models=("Tesla-T4",)),
        demand(gpus=3, machine_selector={"rack": "b"}),
        demand(request={"cpu": 1000, MIG.resource_name: 3}),
    ):
        wanted = 4 if picky.models else 3
        assert hinted(shapes, [plain, Asking(picky, 90)], gpus=1)[GPU] == wanted


def test_figures_of_nothing() -> None:
    """Rooms without machines, and machines with nothing at all, are no trouble."""
    assert shape_hint(demand(), room_of(()), None) is None
    empty = Shape(3, {}, {}, (A100,))
    assert shape_hint(demand(), room_of([empty]), None) is None
    assert hinted([Shape(1, {"cpu": 1}, {"cpu": 1})], [], request={"cpu": 1}) == {"cpu": 1}
