from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.packing.instances import columns_of, machines, pods, random, rule_of

from isthmus.placement.packing import BestFit, Fragmentation, Machine, Packing, PodClass, PodClasses, State
from isthmus.placement.packing.workload import Workload, typical

kinds = st.lists(pods, min_size=1, max_size=6, unique=True)


def lost(state: State, classes: list[PodClass]) -> float:
    """Fragments and starved GPUs of a machine as their definitions have it, one typical pod after another."""
    free = sum(state.gpus)
    counted = dict.fromkeys(classes, 1)
    fragments = 0.0
    for pod, share in typical(counted).items():
        unused = free
        if pod.gpus:
            enough = [gpu for gpu in state.gpus if gpu >= pod.gpu_milli]
            known = not pod.models or state.model in pod.models
            if known and pod.cpu_milli <= state.cpu and len(enough) >= pod.gpus:
                unused = free - sum(enough)
        fragments += share * unused
    asked = sum(pod.gpu_total for pod in classes)
    starved = 0.0
    for has, wanted in (
        (state.cpu, sum(pod.cpu_milli for pod in classes if pod.gpus)),
        (state.memory, sum(pod.memory_mib for pod in classes if pod.gpus)),
    ):
        if wanted:
            starved = max(starved, free - has * asked / wanted)
    return fragments + starved


def after(state: State, pod: PodClass) -> list[State]:
    """The states that a machine may be in with one more such pod."""
    if pod.gpus == 1 and pod.gpu_milli < 1000:
        cuts = [number for number, share in enumerate(state.gpus) if share >= pod.gpu_milli]
        lists = [[share - pod.gpu_milli * (n == cut) for n, share in enumerate(state.gpus)] for cut in cuts]
    else:
        whole = [share for share in state.gpus if share == 1000]
        lists = [[share for share in state.gpus if share < 1000] + [0] * pod.gpus + whole[pod.gpus :]]
    cpu, memory = state.cpu - pod.cpu_milli, state.memory - pod.memory_mib
    return [State(state.model, cpu, memory, tuple(sorted(gpus))) for gpus in lists]


@given(machine=machines, classes=kinds, shares=st.lists(st.sampled_from([0, 40, 300, 999, 1000]), max_size=4))
def test_fragmentation_loses_what_its_definition_says(
    machine: Machine, classes: list[PodClass], shares: list[int]
) -> None:
    """Every class's score is minus what is lost to it, on the GPU where that is least."""
    state = State(machine.model, machine.cpu_milli, machine.memory_mib, tuple(sorted(shares)))
    rule = Fragmentation(PodClasses(classes), [Machine(64_000, 65_536, 8)])
    column = rule.column(state)
    fits = rule.classes.fits(state)
    for number, pod in enumerate(classes):
        if not fits[number]:
            assert column.scores[number] == -np.inf
            continue
        least = min(lost(each, classes) for each in after(state, pod)) - lost(state, classes)
        assert column.scores[number] == pytest.approx(-least, abs=2e-3)
        if rule.classes.shared[number]:
            cut = list(state.gpus)
            cut.remove(int(column.gpu[number]))
            chosen = State(
                state.model,
                state.cpu - pod.cpu_milli,
                state.memory - pod.memory_mib,
                tuple(sorted([*cut, int(column.gpu[number]) - pod.gpu_milli])),
            )
            assert lost(chosen, classes) - lost(state, classes) == pytest.approx(least, abs=1e-6)


def test_work_for_cores_leaves_gpus_their_cores() -> None:
    """A pod without GPUs goes beside the GPUs that have cores to spare, from the first pod on."""
    train, serve = PodClass(8000, 1024, 1, 1000), PodClass(16_000, 1024)
    fleet = [Machine(64_000, 65_536, 8, "T4"), Machine(64_000, 65_536, 2, "T4")]
    packing = Packing(fleet, columns_of("fragmentation", [train, serve], fleet), random())
    placement = packing.place(1)
    assert placement is not None
    assert placement.machine == 1


def test_a_share_goes_where_it_leaves_no_scrap() -> None:
    """With halves and wholes to come, a half completes a GPU that is half used rather than break a whole one."""
    half, whole = PodClass(0, 0, 1, 500), PodClass(0, 0, 1, 1000)
    for name in ("fragmentation", "bestfit"):
        rule = rule_of(name, [half, whole], [Machine(1000, 1024, 4, "T4")])
        column = rule.column(State("T4", 1000, 1024, (500, 1000)))
        assert column.gpu[0] == 500
        used, fresh = State("T4", 1000, 1024, (500,)), State("T4", 1000, 1024, (1000,))
        assert rule.column(used).scores[0] > rule.column(fresh).scores[0]


def test_the_models_that_pods_name_count() -> None:
    """GPUs of a model that few may use are left for them: others take the model that all may use."""
    anything, picky = PodClass(0, 0, 1, 1000), PodClass(0, 0, 1, 1000, ("T4",))
    fleet = [Machine(1000, 1024, 1, "T4"), Machine(1000, 1024, 1, "A10")]
    packing = Packing(fleet, columns_of("fragmentation", [anything, picky], fleet), random())
    placement = packing.place(0)
    assert placement is not None
    assert placement.machine == 1


def test_best_fit_scores() -> None:
    """A half of the largest machine's cores and a quarter of its GPUs left over: 100 less 37.5, and that rounded."""
    largest = Machine(100_000, 1024, 8, "T4")
    rule = BestFit(PodClasses([PodClass(10_000, 0, 2, 1000)]), [largest])
    assert rule.column(State("T4", 60_000, 1024, (1000,) * 4)).scores.tolist() == [62.0]


def test_typical_pods_are_the_commonest() -> None:
    """What is left out is the rarest, and no more than a twentieth; memory tells no pods apart."""
    counts = Counter({PodClass(1000, 1, 1, 500): 50, PodClass(1000, 2, 1, 500): 40, PodClass(2000, 0): 6})
    counts[PodClass(3000, 0, 1, 1000)] = 4
    assert typical(counts) == {PodClass(1000, 0, 1, 500): 90 / 96, PodClass(2000, 0): 6 / 96}
    assert typical({}) == {}


def test_a_workload_without_gpus() -> None:
    """It needs no cores beside GPUs, and there is no kind of GPU request to keep room for."""
    work = Workload({PodClass(1000, 1024): 3})
    assert (work.cpu_per_gpu, work.memory_per_gpu, len(work.needed)) == (0, 0, 0)
    rule = Fragmentation(PodClasses([PodClass(1000, 1024)]), [], {PodClass(1000, 1024): 3})
    assert rule.column(State("", 2000, 2048, ())).scores[0] > -np.inf
