from collections.abc import Iterator, Sequence
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.placement.fleets import UNHURRIED

from isthmus.placement import Split
from isthmus.placement.pieces import pieces_of


@pytest.mark.parametrize(
    ("room", "width", "split", "pieces"),
    [
        pytest.param([4, 9, 9], 6, Split(9, 1), [(1, 6)], id="the best of those with room for all"),
        pytest.param([4, 3, 2], 8, Split(9, 1), [(0, 4), (1, 3), (2, 1)], id="the best are filled"),
        pytest.param([2, 5, 2, 4], 8, Split(9, 1), [(1, 5), (3, 3)], id="as few as will do"),
        pytest.param([2, 5, 2, 4], 12, Split(9, 1), [(0, 2), (1, 5), (2, 2), (3, 3)], id="as many as it takes"),
        pytest.param([2, 5, 2, 4], 99, Split(2, 1), [(1, 5), (3, 4)], id="a part, where pieces run out"),
        pytest.param([2, 5, 2, 4], 99, Split(9, 3), [(1, 5), (3, 4)], id="a part, where rooms are too small"),
        pytest.param([7, 7], 9, Split(2, 4), [(0, 5), (1, 4)], id="the last piece has the minimum too"),
        pytest.param([6, 4, 4], 12, Split(9, 4), [(0, 4), (1, 4), (2, 4)], id="as have all"),
        pytest.param([4, 4, 4], 9, Split(9, 4), [(0, 4), (1, 4), (2, 1)], id="unless that is all that is left"),
        pytest.param([4, 3], 3, Split(9, 5), [(0, 3)], id="less than the minimum in all"),
        pytest.param([2, 2], 9, Split(9, 3), [], id="room for no piece"),
        pytest.param([0, 0], 0, Split(9, 3), [(0, 0)], id="no pods at all"),
        pytest.param([], 0, Split(9, 3), [], id="no nodes"),
    ],
)
def test_pieces(room: list[int], width: int, split: Split, pieces: list[tuple[int, int]]) -> None:
    """A job is divided only for want of room, over few nodes, the better filled first."""
    assert pieces_of(room, width, split) == pieces


def _ways(room: Sequence[int], width: int, split: Split) -> Iterator[tuple[int, ...]]:
    """Every choice of nodes that could each take a piece."""
    useful = [place for place, pods in enumerate(room) if pods >= min(width, split.minimum_width)]
    for count in range(1, min(split.pieces, len(useful)) + 1):
        yield from combinations(useful, count)


@UNHURRIED
@given(
    room=st.lists(st.integers(0, 12), max_size=7),
    width=st.integers(1, 40),
    split=st.builds(Split, st.integers(1, 5), st.integers(1, 6)),
)
def test_nothing_better_is_to_be_had(room: list[int], width: int, split: Split) -> None:
    """No choice of nodes places more, places as much on fewer, or does so on better nodes."""
    found = pieces_of(room, width, split)
    places = tuple(place for place, _ in found)

    def placed(choice: tuple[int, ...]) -> int:
        return min(width, sum(room[place] for place in choice))

    best = min(_ways(room, width, split), key=lambda choice: (-placed(choice), len(choice), choice), default=())
    assert places == best
    assert sum(pods for _, pods in found) == placed(best)
    assert all(0 < pods <= room[place] for place, pods in found)
    assert len(found) <= split.pieces
    small = [pods for _, pods in found if pods < split.minimum_width]
    if small:  # not to be helped: so many pieces of the minimum would be more than there is
        assert width < len(found) * split.minimum_width
        assert small == [found[-1][1]]
