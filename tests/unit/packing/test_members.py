from hypothesis import given
from hypothesis import strategies as st
from tests.unit.packing.instances import RULES, columns_of, machines, pods, random

from isthmus.placement.packing import Machine, Members, Packing, PodClass, Shapes, State, deal
from isthmus.placement.packing.shapes import rounded

fleets = st.lists(machines, min_size=1, max_size=8)
kinds = st.lists(pods, min_size=1, max_size=6, unique=True)
names = st.sampled_from(RULES)
steps = st.lists(st.integers(0, 1_000_000), max_size=40)


def test_dealing() -> None:
    """Machines go round; each member gets as many as another, or one more."""
    fleet = [Machine(n, 1) for n in range(5)]
    assert [[machine.cpu_milli for machine in each] for each in deal(fleet, 2)] == [[0, 2, 4], [1, 3]]


@given(fleet=fleets, classes=kinds, name=names, steps=steps, limit=st.integers(1, 300))
def test_shapes_promise_no_more_than_there_is(
    fleet: list[Machine], classes: list[PodClass], name: str, steps: list[int], limit: int
) -> None:
    """They are few; what they have room for has room; they are exact where nothing is merged."""
    columns = columns_of(name, classes, fleet)
    packing = Packing(fleet, columns, random())
    shapes = Shapes([packing.state(number) for number in range(len(fleet))], columns, limit)
    for step in steps:
        placement = packing.choose(step % len(classes))
        if placement is not None:
            before = packing.state(placement.machine)
            packing.take(placement)
            shapes.move(before, packing.state(placement.machine))
    states = [packing.state(number) for number in range(len(fleet))]
    kinds_of_machine = {(state.model, len(state.gpus)) for state in states}
    assert len(shapes) <= max(limit, len({rounded(state, 99) for state in states}))
    assert len(shapes) >= len(kinds_of_machine)
    for pod in range(len(classes)):
        room = sum(columns.rule.classes.fits(state)[pod] for state in states)
        assert shapes.machines(pod) <= room
        if limit >= 8:
            assert shapes.machines(pod) == room
            assert shapes.best(pod) == max(columns.of(state).scores[pod] for state in states)


@given(machine=machines, level=st.integers(0, 60), shares=st.lists(st.integers(0, 1000), max_size=4))
def test_rounding_takes_and_never_gives(machine: Machine, level: int, shares: list[int]) -> None:
    """What is left is at most what there was; whole GPUs stay whole; at the first level all stays."""
    state = State(machine.model, machine.cpu_milli, machine.memory_mib, tuple(sorted(shares)))
    less = rounded(state, level)
    assert less.cpu <= state.cpu
    assert less.memory <= state.memory
    assert all(a <= b for a, b in zip(less.gpus, state.gpus, strict=True))
    assert less.gpus.count(1000) == state.gpus.count(1000)
    assert rounded(state, 0) == state


@given(fleet=st.lists(machines, min_size=4, max_size=8), classes=kinds, steps=steps)
def test_members_take_what_one_cluster_takes(fleet: list[Machine], classes: list[PodClass], steps: list[int]) -> None:
    """With a score for every state, the hub's choice of member leads to as good a machine as there is anywhere."""
    columns = columns_of("fragmentation", classes, fleet)
    members = Members(deal(fleet, 3), columns, random())
    for step in steps:
        pod = step % len(classes)
        best = max(
            columns.of(members.member(member).state(machine)).scores[pod]
            for member in range(3)
            for machine in range(len(members.member(member)))
        )
        before = [[p.state(n) for n in range(len(p))] for p in map(members.member, range(3))]
        found = members.place(pod)
        assert (found is None) == (best == -float("inf"))
        if found is not None:
            member, placement = found
            assert columns.of(before[member][placement.machine]).scores[pod] == best


@given(fleet=fleets, classes=kinds, name=names, steps=steps)
def test_members_give_back(fleet: list[Machine], classes: list[PodClass], name: str, steps: list[int]) -> None:
    """Once all pods have left, members and what the hub knows of them are as they began."""
    columns = columns_of(name, classes, fleet)
    members = Members(deal(fleet, 2), columns, random())
    empty = [members.room(pod) for pod in range(len(classes))]
    placed = [members.place(step % len(classes)) for step in steps]
    for found in placed:
        if found is not None:
            members.release(*found)
    assert [members.room(pod) for pod in range(len(classes))] == empty
    for each, dealt in zip(map(members.member, range(2)), deal(fleet, 2), strict=True):
        assert [each.state(number) for number in range(len(each))] == [machine.empty for machine in dealt]


def test_one_member_is_a_cluster() -> None:
    """A single member packs as its machines alone do."""
    fleet = [Machine(8000, 8192, 2, "T4")] * 3
    classes = [PodClass(1000, 1024, 1, 300)]
    alone = Packing(fleet, columns_of("fragmentation", classes, fleet), random())
    members = Members([fleet], columns_of("fragmentation", classes, fleet), random())
    for _ in range(20):
        one, found = alone.place(0), members.place(0)
        assert (found[1] if found else None) == one


def test_no_member() -> None:
    """Where there is none, nothing is placed."""
    assert Members([], columns_of("random", [PodClass(1, 1)], []), random()).place(0) is None
