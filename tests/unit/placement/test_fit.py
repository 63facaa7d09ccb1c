from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.placement.fleets import A100, GPU, MIG, T4, TAINT, TOLERATION, UNHURRIED, demand, demands, shape, shapes
from tests.unit.placement.packing import packable

from isthmus.api.quantities import GIBIBYTE
from isthmus.capacity.accelerators import model_matches
from isthmus.capacity.profile import Shape
from isthmus.placement import Assumption, Demand, fit


def allowed(job: Demand, there: Shape) -> bool:
    """Whether the job may use such a machine, said anew."""
    if there.taints and not job.machine_tolerations:
        return False
    if not job.models or GPU not in job.request:
        return True
    return all(any(model_matches(m, a.model) for m in job.models) for a in there.accelerators)


@UNHURRIED
@given(there=st.lists(shapes(), min_size=1, max_size=3), job=demands())
def test_equal_pods_fit_as_trying_everything_says(there: list[Shape], job: Demand) -> None:
    """As many pods fit as can be packed, and not one more."""
    found = fit(job, there, job.width).pods_free

    def able(pods: int) -> bool:
        return packable(there, [(job.request, lambda s: allowed(job, s))] * pods)

    assert able(min(found, 8))
    assert found >= 8 or not able(found + 1)


@pytest.mark.parametrize(
    ("shapes_", "facts", "free", "empty", "block"),
    [
        pytest.param((shape(3, accelerator=T4, gpus=4),), {"gpus": 8}, 0, 0, 0, id="a machine, never the sum"),
        pytest.param((shape(2, accelerator=A100, free={GPU: 7}),), {"gpus": 8}, 0, 2, 0, id="one short"),
        pytest.param((shape(2, accelerator=A100, free={GPU: 7}),), {"gpus": 3}, 4, 4, 2, id="two on each"),
        pytest.param((shape(1, accelerator=T4), shape(1)), {"models": ("A100",), "gpus": 1}, 0, 0, 0, id="wrong model"),
        pytest.param(
            (shape(1, accelerator=A100), shape(1, accelerator=T4)),
            {"models": ("a100",), "gpus": 1},
            8,
            8,
            8,
            id="model",
        ),
        pytest.param(
            (shape(1, accelerator=A100), shape(1, accelerator=T4)),
            {"minimum_memory_bytes": 40 * GIBIBYTE, "gpus": 2},
            4,
            4,
            4,
            id="enough memory",
        ),
        pytest.param(
            (shape(2, accelerator=MIG, gpus=7),),
            {"partition_profile": "1g.10gb", "request": {MIG.resource_name: 1, "pods": 1}},
            14,
            14,
            7,
            id="partition",
        ),
        pytest.param(
            (shape(2, accelerator=MIG, gpus=7),),
            {"partition_profile": "2g.20gb", "request": {MIG.resource_name: 1, "pods": 1}},
            0,
            0,
            0,
            id="other partition",
        ),
        pytest.param((shape(1, taints=(TAINT,)),), {}, 0, 0, 0, id="tainted"),
        pytest.param((shape(1, taints=(TAINT,)),), {"machine_tolerations": (TOLERATION,)}, 32, 32, 32, id="tolerated"),
        pytest.param(
            (shape(1), shape(1, arch="arm64")),
            {"machine_selector": {"kubernetes.io/arch": "arm64"}},
            32,
            32,
            32,
            id="arch",
        ),
        pytest.param(
            (shape(1, accelerator=A100), shape(1, accelerator=T4)),
            {"machine_selector": {"nvidia.com/gpu.product": "Tesla-T4"}, "gpus": 1},
            8,
            8,
            8,
            id="the pods' own model label",
        ),
        pytest.param((shape(1),), {"machine_selector": {"team": "blue"}}, 32, 32, 32, id="a label nobody tells"),
        pytest.param((shape(1, free={"pods": 3}),), {}, 3, 32, 3, id="pod slots"),
        pytest.param((shape(1),), {"request": {"example.com/fpga": 1, "pods": 1}}, 0, 0, 0, id="unknown resource"),
        pytest.param((shape(1, free={"cpu": -500}),), {}, 0, 32, 0, id="overcommitted machine"),
        pytest.param((), {}, 0, 0, 0, id="no machines"),
    ],
)
def test_fit(shapes_: tuple[Shape, ...], facts: dict[str, Any], free: int, empty: int, block: int) -> None:
    """Pods fit on machines that the job may use, one machine at a time."""
    found = fit(demand(**facts), shapes_, 1)
    assert (found.pods_free, found.pods_empty, found.largest_block) == (free, empty, block)


def test_assumed_pods_are_spread() -> None:
    """Two assumed pods leave no machine whole: the member may have spread them."""
    there = (shape(2, accelerator=A100),)
    earlier = Assumption(1, demand(width=2, gpus=1), 2)
    found = fit(demand(gpus=8), there, 1, (earlier,))
    assert (found.pods_free, found.pods_empty) == (0, 2)
    assert fit(demand(gpus=7), there, 2, (earlier,)).pods_free == 2


def test_what_does_not_fit_any_more_bars_the_node() -> None:
    """Where assumed pods lost their room to others, nothing that is left is given away."""
    there = (shape(1, accelerator=A100, free={GPU: 2}),)
    earlier = Assumption(1, demand(gpus=4), 1)
    assert fit(demand(gpus=1), there, 1, (earlier,)).pods_free == 0
