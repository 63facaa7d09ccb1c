import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.placement.fleets import UNHURRIED

from isthmus.api.indexes import IndexSet
from isthmus.placement import divide, minimum_width


@pytest.mark.parametrize(
    ("indexes", "widths", "total", "pieces"),
    [
        pytest.param("0-99", [10], 10, ["0-99"], id="all to one"),
        pytest.param("0-99", [6, 3, 1], 10, ["0-59", "60-89", "90-99"], id="in proportion"),
        pytest.param("0-99", [6, 1], 10, ["0-59", "60-69"], id="the share of what lacks is left over"),
        pytest.param("0-9", [1, 1, 1], 3, ["0-2", "3-5", "6-9"], id="rounded, and nothing is lost"),
        pytest.param("1,3,5,7-9", [2, 1], 3, ["1,3,5,7", "8,9"], id="scattered"),
        pytest.param("4-6", [2, 3], 9, ["4,5", "6"], id="fewer than the width"),
        pytest.param("4", [2, 3], 5, ["4", ""], id="none left"),
        pytest.param("0-9", [], 5, [], id="no pieces"),
    ],
)
def test_divide(indexes: str, widths: list[int], total: int, pieces: list[str]) -> None:
    """Indexes are shared out by width, in runs from the lowest on."""
    assert [str(piece) for piece in divide(IndexSet.parse(indexes), widths, total)] == pieces


@pytest.mark.parametrize(
    ("widths", "each", "together", "pieces"),
    [
        pytest.param([1, 1], 5, 10, ["0,2,4,6,8", "10,12,14,16,18"], id="just within"),
        pytest.param([1, 1], 2, 10, ["0,2", "4,6"], id="of each"),
        pytest.param([1, 1], 5, 6, ["0,2,4", "6,8,10"], id="together"),
        pytest.param([3, 2], 5, 5, ["0,2,4", "6,8"], id="together, by width"),
        pytest.param([3, 2], 2, 5, ["0,2", "4,6"], id="both"),
    ],
)
def test_too_many_ranges(widths: list[int], each: int, together: int, pieces: list[str]) -> None:
    """What is too widely scattered to be written down is left over, the highest of it."""
    indexes = IndexSet.of(range(0, 20, 2))
    found = divide(indexes, widths, sum(widths), max_ranges_each=each, max_ranges=together)
    assert [str(piece) for piece in found] == pieces


@pytest.mark.parametrize(("widths", "total"), [([0, 1], 1), ([2, 2], 3)])
def test_widths_that_are_no_parts(widths: list[int], total: int) -> None:
    """Widths that can't be parts of the total are an error."""
    with pytest.raises(ValueError, match="no parts"):
        divide(IndexSet.span(9), widths, total)


@UNHURRIED
@given(
    indexes=st.builds(IndexSet.of, st.sets(st.integers(0, 99))),
    widths=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    lacking=st.integers(0, 9),
    each=st.integers(1, 20),
    together=st.integers(1, 40),
)
def test_division(indexes: IndexSet, widths: list[int], lacking: int, each: int, together: int) -> None:
    """Pieces are apart, from the lowest on, within the limits, and each has its share where these allow."""
    total = sum(widths) + lacking
    pieces = divide(indexes, widths, total, max_ranges_each=each, max_ranges=together)
    assert len(pieces) == len(widths)
    given_ = [index for piece in pieces for index in piece]
    assert given_ == list(indexes)[: len(given_)]
    assert all(len(piece.ranges) <= each for piece in pieces)
    assert sum(len(piece.ranges) for piece in pieces) <= together
    free = divide(indexes, widths, total, max_ranges_each=100, max_ranges=100)
    assert all(len(piece) <= len(share) for piece, share in zip(pieces, free, strict=True))
    if all(len(share.ranges) <= each for share in free) and sum(len(share.ranges) for share in free) <= together:
        assert pieces == free


@UNHURRIED
@given(
    indexes=st.builds(IndexSet.of, st.sets(st.integers(0, 99))),
    widths=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    lacking=st.integers(0, 9),
)
def test_shares(indexes: IndexSet, widths: list[int], lacking: int) -> None:
    """Each piece has its width and, to within one, its share; all indexes are given where the width is reached."""
    total = sum(widths) + lacking
    pieces = divide(indexes, widths, total)
    if len(indexes) >= total:
        for piece, width in zip(pieces, widths, strict=True):
            assert len(piece) >= width
            assert abs(len(piece) - len(indexes) * width / total) < 1
        assert lacking or sum(len(piece) for piece in pieces) == len(indexes)
    else:
        left = len(indexes)
        for piece, width in zip(pieces, widths, strict=True):
            assert len(piece) == min(width, left)
            left -= len(piece)


@given(indexes=st.integers(1, 500), width=st.integers(1, 99), fewest=st.integers(1, 500), other=st.integers(0, 50))
def test_minimum_width(indexes: int, width: int, fewest: int, other: int) -> None:
    """A piece of the minimum has the fewest indexes wherever it stands, and one that is less wide has fewer."""
    least = minimum_width(indexes, width, fewest)
    assert 1 <= least <= width
    if fewest >= indexes or indexes < width:
        return
    other = min(other, width - least)
    pieces = divide(IndexSet.span(indexes), [other, least] if other else [least], width)
    assert len(pieces[-1]) >= fewest
    assert least == 1 or len(divide(IndexSet.span(indexes), [least - 1], width)[0]) < fewest
