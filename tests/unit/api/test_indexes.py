"""Sets of completion indexes against Python's own sets."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.api.indexes import INDEX_LIMIT, IndexSet

INDEXES = st.frozensets(st.integers(0, 300), max_size=60)


@given(INDEXES, INDEXES)
def test_set_arithmetic(left: frozenset[int], right: frozenset[int]) -> None:
    """Union, difference, intersection, length and membership are those of sets."""
    one, other = IndexSet.of(left), IndexSet.of(right)
    assert set(one | other) == left | right
    assert set(one - other) == left - right
    assert set(one & other) == left & right
    assert len(one) == len(left)
    assert bool(one) == bool(left)
    assert all((index in one) == (index in left) for index in range(-1, 302))


@given(INDEXES)
def test_text_reads_back(indexes: frozenset[int]) -> None:
    """What is written reads back as the same set."""
    made = IndexSet.of(indexes)
    assert IndexSet.parse(str(made)) == made
    assert IndexSet.parse(made.encoded()) == made


@given(INDEXES, INDEXES, st.integers(0, 80))
def test_positions(indexes: frozenset[int], positions: frozenset[int], count: int) -> None:
    """Positions count the indexes in ascending order; those beyond the last name none."""
    made, ordered = IndexSet.of(indexes), sorted(indexes)
    assert [made.at(place) for place in range(len(ordered))] == ordered
    assert list(made.select(IndexSet.of(positions))) == [ordered[p] for p in sorted(positions) if p < len(ordered)]
    assert list(made.first(count)) == ordered[:count]
    for beyond in (-1, len(ordered)):
        with pytest.raises(IndexError):
            made.at(beyond)


def test_written_as_kubernetes_does() -> None:
    """Rows of indexes stand as FIRST-LAST, single ones alone."""
    assert str(IndexSet.of([1, 3, 4, 5, 7])) == "1,3-5,7"
    assert str(IndexSet()) == ""


def test_many_scattered_indexes_stay_short() -> None:
    """Half of 100,000 indexes at random fit a field of an object, and read back."""
    chance = random.Random(7)  # noqa: S311 - no secrecy
    made = IndexSet.of(index for index in range(100_000) if chance.random() < 0.5)
    text = made.encoded()
    assert len(text) < 20_000
    assert IndexSet.parse(text) == made


def test_few_ranges_at_a_time() -> None:
    """A bound on ranges cuts the set short."""
    assert str(IndexSet.of(range(0, 20, 2)).first(10, ranges=3)) == "0,2,4"


@pytest.mark.parametrize(
    "text",
    ["a", "1-", "-1", "3-1", "1,,2", "5,1", "1-3,2", f"{INDEX_LIMIT}", "9" * 400, "z:!", "z:AAAA", "1 ,2", "²"],
)
def test_what_is_no_set_is_refused(text: str) -> None:
    """A text that names no set of indexes raises ValueError, whatever a member wrote."""
    with pytest.raises(ValueError):  # noqa: PT011 - the kind is all that matters
        IndexSet.parse(text)
