import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.packing.instances import MODELS, pods

from isthmus.placement.packing import Losses, PodClass, WholeLosses, Workload
from isthmus.placement.packing.losses import Free


@given(
    workload=st.dictionaries(pods, st.integers(1, 9), max_size=6),
    model=st.sampled_from((*MODELS, "H100")),
    cpu=st.integers(0, 40_000),
    memory=st.integers(0, 65_536),
    gpus=st.integers(0, 16),
)
def test_whole_gpus_lose_what_any_do(
    workload: dict[PodClass, int], model: str, cpu: int, memory: int, gpus: int
) -> None:
    """The table for GPUs that are free or in use as a whole tells what the measure for all machines does."""
    losses = Losses(Workload(workload))
    kinds = len(losses.workload.needed)
    free = Free(
        cpu=np.array([cpu]),
        memory=np.array([memory]),
        gpu=np.array([1000 * gpus]),
        able=np.full((1, kinds), gpus),
        scraps=np.zeros((1, kinds), dtype=np.int64),
    )
    assert WholeLosses(losses, model).lost(cpu, memory, gpus) == pytest.approx(losses.lost(model, free)[0])
