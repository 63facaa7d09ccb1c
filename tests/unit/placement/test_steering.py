from dataclasses import replace
from typing import Any

import pytest
from tests.unit.placement.fleets import A100, GPU, PRODUCT, T4, demand, node, price, shape, snapshot

from isthmus.capacity.profile import Accelerator, Shape
from isthmus.placement import PriceView, place

ASCEND = Accelerator("Huawei", "huawei.com/Ascend910", "Ascend910")
UNLABELLED = replace(A100, label=None)
OTHER_KEY = replace(A100, label=("example.com/gpu", "a100"))
MEMORY = ("nvidia.com/gpu.memory", "81920")


@pytest.mark.parametrize(
    ("there", "facts", "prices", "affinity"),
    [
        pytest.param((A100, T4), {"gpus": 1}, price(), (), id="any model will do"),
        pytest.param((A100, T4), {}, price(), (), id="no accelerator asked for"),
        pytest.param((A100, T4), {"gpus": 1, "models": ("T4",)}, price(), ((PRODUCT, (T4.model,)),), id="one model"),
        pytest.param(
            (A100, T4),
            {"gpus": 1, "models": ("T4", "A100")},
            price(),
            ((PRODUCT, (A100.model, T4.model)),),
            id="either",
        ),
        pytest.param(
            (A100,),
            {"gpus": 1, "models": ("A100",)},
            price(),
            ((PRODUCT, (A100.model,)),),
            id="also where all are of it",
        ),
        pytest.param(
            (A100, T4), {"gpus": 1}, price(gpus={T4.model: "1"}), ((PRODUCT, (T4.model,)),), id="kept off the unpriced"
        ),
        pytest.param(
            (replace(A100, other_labels=(MEMORY,)), T4),
            {"gpus": 1, "minimum_memory_bytes": 1 << 35},
            price(),
            ((MEMORY[0], (MEMORY[1],)), (PRODUCT, (A100.model,))),
            id="memory has a label of its own",
        ),
        pytest.param(
            (ASCEND,),
            {"request": {ASCEND.resource_name: 1, "pods": 1}, "models": ("Ascend910",)},
            price(),
            (),
            id="the resource name tells the model",
        ),
        pytest.param(
            (OTHER_KEY, OTHER_KEY, A100, T4),
            {"gpus": 1, "models": ("A100",)},
            price(),
            (("example.com/gpu", ("a100",)),),
            id="machines told by two labels: those with most room",
        ),
    ],
)
def test_affinity(
    there: tuple[Accelerator, ...], facts: dict[str, Any], prices: PriceView, affinity: tuple[object, ...]
) -> None:
    """Pods are kept to machines that the job allows by labels that these carry."""
    shapes: tuple[Shape, ...] = tuple(shape(accelerator=a) for a in there)
    outcome = place(snapshot(node("n", *shapes, price=prices)), [demand(**facts)])
    assert [a.affinity for a in outcome.assignments] == [affinity]


def test_unlabelled_beside_a_rival() -> None:
    """Machines that no label tells from others with the same resource are not counted on, and that is said."""
    mixed = node("n", shape(accelerator=UNLABELLED), shape(accelerator=T4))
    (unplaced,) = place(snapshot(mixed), [demand(gpus=1, models=("A100",))]).unplaced
    assert unplaced.reason == "AcceleratorsNotLabelled"


def test_only_reachable_machines_count() -> None:
    """Of machines told by two labels, only those under the chosen one are counted as room."""
    two = node("n", shape(accelerator=OTHER_KEY), shape(accelerator=A100), shape(accelerator=T4, free={GPU: 0}))
    (unplaced,) = place(snapshot(two), [demand(gpus=8, width=2, models=("A100",))]).unplaced
    assert (unplaced.reason, unplaced.never) == ("NeverFits", True)
