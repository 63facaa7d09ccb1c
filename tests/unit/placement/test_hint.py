import pytest
from tests.unit.placement.fleets import A100, GPU, T4, demand, shape

from isthmus.capacity.profile import Shape
from isthmus.placement import Demand, shape_hint
from isthmus.placement.room import room_of

PLAIN = shape(1, cores=64)
CASES = {
    "the tightest block": (
        [
            shape(1, accelerator=A100),
            shape(1, accelerator=A100, free={GPU: 3}),
            shape(1, accelerator=A100, free={GPU: 2}),
        ],
        demand(gpus=2),
        {GPU: 2},
    ),
    "what is broken already, though it takes but one of the pods": (
        [shape(1, accelerator=A100), shape(1, accelerator=A100, free={GPU: 3})],
        demand(width=4, gpus=2),
        {GPU: 3},
    ),
    "fewest left over beside all pods": (
        [shape(1, accelerator=A100, free={GPU: 7}), shape(1, accelerator=A100, free={GPU: 6})],
        demand(width=3, gpus=2),
        {GPU: 6},
    ),
    "off accelerators": ([shape(1, accelerator=A100, cores=2), PLAIN], demand(), {"cpu": 64_000}),
    "the model that is asked for": (
        [shape(1, accelerator=T4, gpus=2), shape(1, accelerator=A100)],
        demand(gpus=2, models=("A100",)),
        {GPU: 8},
    ),
}


@pytest.mark.parametrize(("shapes", "wanted", "free"), CASES.values(), ids=CASES.keys())
def test_with_nothing_known(shapes: list[Shape], wanted: Demand, free: dict[str, int]) -> None:
    """The machine in mind leaves large blocks whole; work without accelerators stays off machines with them."""
    hint = shape_hint(wanted, room_of(shapes), None)
    assert hint is not None
    assert {name: hint.free[name] for name in free} == free
    assert hint.free.keys() == hint.allocatable.keys() == {name for name, amount in wanted.request.items() if amount}


def test_no_room() -> None:
    """Where no machine takes a pod, none is in mind."""
    assert shape_hint(demand(gpus=4), room_of([shape(1, accelerator=A100, free={GPU: 3})]), None) is None


def test_no_pods() -> None:
    """A job that starts no pod has no machine in mind."""
    assert shape_hint(demand(width=0), room_of([shape()]), None) is None
