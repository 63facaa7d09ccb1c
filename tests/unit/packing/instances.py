"""Machines and pods to pack, drawn and fixed."""

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from isthmus.placement.packing import BestFit, Columns, Fragmentation, Machine, PodClass, PodClasses, Rule, Uniform

MODELS = ("A10", "T4")

machines = st.builds(
    Machine,
    cpu_milli=st.integers(0, 32).map(lambda n: n * 1000),
    memory_mib=st.integers(0, 64).map(lambda n: n * 1024),
    gpus=st.integers(0, 4),
    model=st.sampled_from(MODELS),
)
_named = st.lists(st.sampled_from(MODELS), max_size=2, unique=True).map(lambda names: tuple(sorted(names)))
_cpu = st.integers(0, 16).map(lambda n: n * 1000)
_memory = st.integers(0, 32).map(lambda n: n * 1024)
pods = st.one_of(
    st.builds(PodClass, _cpu, _memory),
    st.builds(PodClass, _cpu, _memory, st.just(1), st.integers(1, 999), _named),
    st.builds(PodClass, _cpu, _memory, st.integers(1, 4), st.just(1000), _named),
)
RULES = ("fragmentation", "bestfit", "random")


def rule_of(name: str, classes: Sequence[PodClass], fleet: Sequence[Machine]) -> Rule:
    """The rule of that name."""
    told = PodClasses(classes)
    if name == "fragmentation":
        return Fragmentation(told, fleet)
    return BestFit(told, fleet) if name == "bestfit" else Uniform(told)


def columns_of(name: str, classes: Sequence[PodClass], fleet: Sequence[Machine]) -> Columns:
    """The same, with its columns kept."""
    return Columns(rule_of(name, classes, fleet))


def random(seed: int = 0) -> np.random.Generator:
    """Chance, from a seed."""
    return np.random.default_rng(seed)
