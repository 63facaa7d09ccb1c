from hypothesis import given
from hypothesis import strategies as st
from tests.unit.placement.fleets import UNHURRIED, shape, shapes

from isthmus.capacity.spreading import shares
from isthmus.placement.room import pods_on, room_of

_blocks = st.lists(st.tuples(st.integers(1, 12), st.integers(1, 5)), min_size=1, max_size=5)


@UNHURRIED
@given(blocks=_blocks, data=st.data())
def test_spreading_leaves_the_smallest_largest_block(blocks: list[tuple[int, int]], data: st.DataObject) -> None:
    """Spreading is what putting one pod after another onto the machine with most room gives."""
    width = data.draw(st.integers(0, sum(fits * count for fits, count in blocks)))
    machines = sorted(fits for fits, count in blocks for _ in range(count))
    for _ in range(width):
        machines.sort()
        machines[-1] -= 1
    spread = shares(blocks, width)
    left = [
        fits - pods
        for (fits, count), pieces in zip(blocks, spread, strict=True)
        for pods, many in [*pieces, (0, count - sum(m for _, m in pieces))]
        for _ in range(many)
    ]
    assert sorted(left) == sorted(machines)


@UNHURRIED
@given(there=st.lists(shapes(), min_size=1, max_size=3), cpu=st.integers(1, 3), width=st.integers(0, 9))
def test_taking_loses_nothing(there: list, cpu: int, width: int) -> None:  # type: ignore[type-arg]
    """Taking pods keeps every machine, takes exactly their request, and never more than a machine has."""
    room = room_of(there)
    need = room.need({"cpu": cpu * 1000, "pods": 1})
    assert need is not None
    kinds = frozenset(range(len(room.kinds)))
    before = {name: sum(p[1][axis] * c for p, c in room.parts.items()) for name, axis in room.axes.items()}
    fits = sum(pods_on(part[1], need) * count for part, count in room.parts.items())
    taken = room.take(need, kinds, width)
    after = {name: sum(p[1][axis] * c for p, c in room.parts.items()) for name, axis in room.axes.items()}
    assert taken == min(width, fits)
    assert sum(room.parts.values()) == sum(s.count for s in there)
    assert before["cpu"] - after["cpu"] == taken * cpu * 1000
    assert before["memory"] == after["memory"]
    assert all(value >= 0 for part in room.parts for value in part[1])


def test_undo_returns_to_the_mark() -> None:
    """What was taken after the mark comes back with its version; a version is never given to two states."""
    room = room_of((shape(2),))
    need = room.need({"cpu": 1000}) or ()
    room.mark()
    before, version = dict(room.parts), room.version
    room.take(need, frozenset({0}), 3)
    taken = room.version
    room.mark()
    room.undo()
    assert (room.parts, room.version) == (before, version)
    room.take(need, frozenset({0}), 1)
    assert room.version not in {version, taken}
