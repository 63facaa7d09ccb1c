import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.placement.fleets import UNHURRIED, demand, shape

from isthmus.placement.fit import offer_of
from isthmus.placement.release import release
from isthmus.placement.room import Room, pods_on, room_of

BUSY = {"cpu": 0}


def pods_after(room: Room, cores: int, released: int, released_cores: int) -> int:
    """How many pods of so many cores fit once others were given back."""
    wanted = offer_of(demand(request={"cpu": cores * 1000}), room, None)
    stopped = offer_of(demand(request={"cpu": released_cores * 1000}), room, None)
    release(room, stopped, released, wanted)
    return sum(pods_on(part[1], wanted.need or ()) * count for part, count in room.parts.items())


@pytest.mark.parametrize(
    ("machines", "cores", "released", "released_cores", "fits"),
    [
        pytest.param(2, 1, 3, 1, 3, id="each pod makes room for one like it, wherever it was"),
        pytest.param(4, 4, 12, 1, 0, id="four machines each left with three of four cores hold none"),
        pytest.param(4, 4, 13, 1, 1, id="the thirteenth must have stood on one of them"),
        pytest.param(1, 4, 4, 1, 1, id="on one machine there is no choice"),
        pytest.param(2, 1, 1, 4, 4, id="a large one makes room for several"),
        pytest.param(1, 2, 9, 1, 2, id="no machine gets more than it has"),
    ],
)
def test_what_is_certain_to_be_free(machines: int, cores: int, released: int, released_cores: int, fits: int) -> None:
    """Only that room is counted which is there whichever machines the pods stood on."""
    room = room_of([shape(machines, cores=4, free=BUSY)])
    assert pods_after(room, cores, released, released_cores) == fits


def test_machines_of_no_use_are_thought_of_first() -> None:
    """Pods that may have stood on machines that the job can't use are taken to have."""
    room = room_of([shape(1, cores=4, free=BUSY), shape(1, cores=4, free=BUSY, arch="arm64")])
    wanted = offer_of(demand(machine_selector={"kubernetes.io/arch": "arm64"}), room, None)
    release(room, offer_of(demand(request={"cpu": 1000}), room, None), 5, wanted)
    assert sum(pods_on(p[1], wanted.need or ()) * n for p, n in room.parts.items() if p[0] in wanted.kinds) == 1


@UNHURRIED
@given(data=st.data(), machines=st.integers(1, 3), cores=st.integers(1, 4), size=st.integers(1, 3))
def test_no_way_to_stand_gives_less(data: st.DataObject, machines: int, cores: int, size: int) -> None:
    """However pods of one size stood on machines of four cores, at least what was told is free after them."""
    per_machine = [data.draw(st.integers(0, 4 // size)) for _ in range(machines)]
    others = [data.draw(st.integers(0, 4 - pods * size)) for pods in per_machine]
    shapes = [
        shape(1, cores=4, free={"cpu": 1000 * (4 - o - p * size)}) for o, p in zip(others, per_machine, strict=True)
    ]
    told = pods_after(room_of(shapes), cores, sum(per_machine), size)
    assert told <= sum((4 - other) // cores for other in others)
