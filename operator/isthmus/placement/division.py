"""Dividing the indexes of a job among its pieces."""

from collections.abc import Sequence
from itertools import accumulate, pairwise

from isthmus.api.indexes import IndexSet

RANGES = 1024
"""Index ranges of all pieces of one attempt together."""
RANGES_EACH = 512
"""Index ranges of one piece."""


def minimum_width(indexes: int, width: int, fewest: int) -> int:
    """The least width whose share is `fewest` of the indexes, all of it where there are no more; at least 1.

    `indexes` is how many are to be divided over `width` pods at once, in proportion, as `divide` does.
    """
    return max(1, width if fewest >= indexes else -(-fewest * width // indexes))


def divide(
    indexes: IndexSet,
    widths: Sequence[int],
    total_width: int,
    *,
    max_ranges_each: int = RANGES_EACH,
    max_ranges: int = RANGES,
) -> list[IndexSet]:
    """Divide the indexes among pieces of these widths, in proportion, the lowest to the first.

    `total_width` is how many pods were to run at once for all of the indexes. Where the widths do not reach it, the
    share of what lacks is left over. Each piece has at least as many indexes as its width; where there are too few for
    that, the last have fewer, or none. No piece has more than `max_ranges_each` ranges, nor all together more than
    `max_ranges`, which is then shared by width too: widely scattered indexes take several attempts. What is left over
    is always the highest. Raises ValueError where a width is below 1, or all together are above the total.
    """
    ends = list(accumulate(widths))
    if not ends:
        return []
    if min(widths) < 1 or ends[-1] > total_width:
        raise ValueError(f"widths {list(widths)} are no parts of {total_width}")
    there = len(indexes)
    counts = _parts([min(there, max(there, total_width) * end // total_width) for end in ends])
    pieces = _runs(indexes, counts, [max_ranges_each] * len(ends))
    if sum(len(piece.ranges) for piece in pieces) <= max_ranges:
        return pieces
    limits = _parts([max_ranges * end // ends[-1] for end in ends])
    return _runs(indexes, counts, [min(limit, max_ranges_each) for limit in limits])


def _parts(ends: Sequence[int]) -> list[int]:
    return [end - start for start, end in pairwise([0, *ends])]


def _runs(indexes: IndexSet, counts: Sequence[int], limits: Sequence[int]) -> list[IndexSet]:
    """Runs of so many indexes one after another, each cut off where it has that many ranges."""
    at, runs = 0, []
    for count, limit in zip(counts, limits, strict=True):
        run = indexes.select(IndexSet.span(at + count, at)).first(count, limit)
        runs.append(run)
        at += len(run)
    return runs
