from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.packing.instances import RULES, columns_of, machines, pods, random

from isthmus.placement.packing import Machine, Packing, Placement, PodClass, PodClasses

fleets = st.lists(machines, min_size=1, max_size=5)
kinds = st.lists(pods, min_size=1, max_size=6, unique=True)
names = st.sampled_from(RULES)
steps = st.lists(st.integers(0, 1_000_000), max_size=40)


def has_room(packing: Packing, machine: int, pod: PodClass) -> bool:
    """Whether the pod fits, by what the machine has and nothing else."""
    state = packing.state(machine)
    if pod.cpu_milli > state.cpu or pod.memory_mib > state.memory:
        return False
    if pod.gpus and pod.models and state.model not in pod.models:
        return False
    return sum(share >= pod.gpu_milli for share in state.gpus) >= pod.gpus


def held(placements: Sequence[Placement], classes: Sequence[PodClass], machine: int) -> tuple[int, int, dict[int, int]]:
    """Cores, memory and GPU shares that the placements hold on a machine."""
    here = [placement for placement in placements if placement.machine == machine]
    shares: dict[int, int] = {}
    for placement in here:
        for gpu in placement.gpus:
            shares[gpu] = shares.get(gpu, 0) + classes[placement.pod].gpu_milli
    return (
        sum(classes[placement.pod].cpu_milli for placement in here),
        sum(classes[placement.pod].memory_mib for placement in here),
        shares,
    )


@given(fleet=fleets, classes=kinds, name=names, steps=steps)
def test_what_is_free_is_what_no_pod_holds(
    fleet: list[Machine], classes: list[PodClass], name: str, steps: list[int]
) -> None:
    """However pods come and go, no core, MiB or GPU is given twice, and a pod is placed just where it has room."""
    packing = Packing(fleet, columns_of(name, classes, fleet), random())
    placements: list[Placement] = []
    for step in steps:
        if step % 4 == 0 and placements:
            packing.release(placements.pop(step % len(placements)))
            continue
        pod = step % len(classes)
        fits = [has_room(packing, machine, classes[pod]) for machine in range(len(fleet))]
        placement = packing.place(pod)
        assert (placement is not None) == any(fits)
        if placement is not None:
            assert fits[placement.machine]
            assert len(set(placement.gpus)) == classes[pod].gpus
            placements.append(placement)
    for number, machine in enumerate(fleet):
        cpu, memory, shares = held(placements, classes, number)
        state = packing.state(number)
        assert (state.cpu, state.memory) == (machine.cpu_milli - cpu, machine.memory_mib - memory)
        assert min(state.cpu, state.memory) >= 0
        assert packing.free(number) == tuple(1000 - shares.get(gpu, 0) for gpu in range(machine.gpus))
        assert all(0 <= share <= 1000 for share in packing.free(number))
        assert len(shares) <= machine.gpus


@given(fleet=fleets, classes=kinds, name=names, steps=steps)
def test_what_is_given_back_can_be_had_again(
    fleet: list[Machine], classes: list[PodClass], name: str, steps: list[int]
) -> None:
    """Once all pods have left, every machine is as empty as it began."""
    packing = Packing(fleet, columns_of(name, classes, fleet), random())
    placed = [packing.place(step % len(classes)) for step in steps]
    for placement in placed:
        if placement is not None:
            packing.release(placement)
    assert [packing.state(number) for number in range(len(fleet))] == [machine.empty for machine in fleet]


@pytest.mark.parametrize("name", RULES)
def test_the_same_seed_packs_the_same(name: str) -> None:
    """Chance comes from the seed alone."""
    fleet = [Machine(32_000, 65_536, 4, "T4")] * 20
    classes = [PodClass(1000, 1024, 1, 300), PodClass(2000, 1024, 1, 1000)]

    def run(seed: int) -> list[Placement | None]:
        packing = Packing(fleet, columns_of(name, classes, fleet), random(seed))
        return [packing.place(number % 2) for number in range(40)]

    assert run(1) == run(1)
    assert (run(1) != run(2)) == (name == "random")


def test_a_share_sits_on_one_gpu() -> None:
    """600 thousandths go on no machine whose GPUs have 500 each; two whole GPUs on none with one."""
    classes = [PodClass(0, 0, 1, 500), PodClass(0, 0, 1, 600), PodClass(0, 0, 2, 1000)]
    fleet = [Machine(1000, 1024, 2, "T4")]
    packing = Packing(fleet, columns_of("bestfit", classes, fleet), random())
    first = packing.place(0)
    assert first is not None
    assert packing.place(2) is None
    packing.release(first)
    both = packing.place(2)
    assert both is not None
    assert sorted(both.gpus) == [0, 1]
    packing.release(both)
    assert packing.place(0) is not None
    assert packing.place(1) is not None
    assert packing.place(1) is None


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ((-1, 0, 0, 0), "negative"),
        ((0, 0, 1, 1001), "more than a GPU has"),
        ((0, 0, 2, 500), "a share is of one GPU"),
        ((0, 0, 1, 0), "either both are 0"),
        ((0, 0, 0, 100), "either both are 0"),
    ],
    ids=["negative", "above", "shares", "none", "no GPU"],
)
def test_a_request_that_means_nothing(request_: tuple[int, int, int, int], words: str) -> None:
    """It is refused in words."""
    with pytest.raises(ValueError, match=words):
        PodClass(*request_)


def test_a_machine_with_less_than_nothing() -> None:
    """It is refused."""
    with pytest.raises(ValueError, match="less than nothing"):
        Machine(1, 1, -1)


def test_no_classes_and_no_machines() -> None:
    """A cluster without machines takes nothing; one without pods has nothing to judge."""
    classes = [PodClass(1, 1)]
    assert len(PodClasses([])) == 0
    assert len(Packing([], columns_of("random", classes, []), random())) == 0
    assert Packing([], columns_of("bestfit", classes, []), random()).place(0) is None
