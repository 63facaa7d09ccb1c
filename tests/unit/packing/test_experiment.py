import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.packing.instances import columns_of, random

from isthmus.placement.packing import Machine, Members, PodClass, allocation, arrivals

ASKED = np.array([0, 300, 1000, 8000])


@given(
    pods=st.lists(st.integers(0, 3), min_size=1, max_size=30).filter(any),
    limit=st.integers(0, 100_000),
    seed=st.integers(0, 5),
)
def test_what_arrives(pods: list[int], limit: int, seed: int) -> None:
    """Pods of the trace come until one more would ask for more than the limit; all once, where there is room."""
    found = arrivals(np.array(pods), ASKED, limit=limit, random=random(seed)).tolist()
    assert sum(ASKED[found]) <= limit
    assert sum(ASKED[found]) > limit - ASKED.max()
    assert set(found) <= set(pods)
    if sum(ASKED[pods]) <= limit:
        assert sorted(found[: len(pods)]) == sorted(pods)
    assert found == arrivals(np.array(pods), ASKED, limit=limit, random=random(seed)).tolist()


@pytest.mark.parametrize("pods", [[], [0, 0]], ids=["none", "without GPUs"])
def test_pods_that_ask_for_no_gpu(pods: list[int]) -> None:
    """They would never come to a load; that is said, and not tried."""
    with pytest.raises(ValueError, match="no pod asks for a GPU"):
        arrivals(np.array(pods, dtype=np.int64), ASKED, limit=1000, random=random())


def test_allocation() -> None:
    """A pod that fits nowhere is dropped, and the next one is asked: 0.5 and 1 of 2 GPUs are three quarters."""
    classes = [PodClass(0, 0, 1, 500), PodClass(0, 0, 1, 1000)]
    fleet = [Machine(0, 0, 2, "T4")]
    members = Members([fleet], columns_of("fragmentation", classes, fleet), random())
    asked = np.array([pod.gpu_total for pod in classes])
    assert allocation(members, [0, 1, 1, 1], asked, whole=2000) == 75.0
