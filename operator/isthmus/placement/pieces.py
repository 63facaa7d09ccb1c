"""Dividing a job over nodes: how many of its pods go to which."""

from bisect import bisect_left
from collections.abc import Sequence

from .demand import Split


def pieces_of(room: Sequence[int], width: int, split: Split) -> list[tuple[int, int]]:
    """Divide `width` pods over nodes with room for `room` pods each, the best node first.

    Returns (place in `room`, pods) for each piece, the best node's first; none where no node has room for a piece. A
    job is divided for want of room and for nothing else, as each piece costs a Job, its images and its share of the
    limits: first as many pods as can be are placed, then in as few pieces as can be, and only then on the best nodes.
    So where one node has room for all, the best such node gets all. The better node of a choice is filled and the last
    has what is left over, but so that each piece has the split's minimum; only where even so less is left for the last
    piece, that is smaller.
    """
    least = min(width, split.minimum_width)
    useful = sorted(min(pods, width) for pods in room if pods >= least)
    largest = useful[-split.pieces :]
    left = min(width, sum(largest))
    pieces, reached = 0, 0
    while largest and (not pieces or reached < left):
        reached += largest.pop()
        pieces += 1
    chosen: list[tuple[int, int]] = []
    for place, pods in enumerate(room):
        others = pieces - len(chosen) - 1  # pieces after this one
        if others < 0:
            break
        if pods < least:
            continue
        useful.pop(bisect_left(useful, min(pods, width)))
        taken = min(pods, left, max(least, left - others * least))
        if taken + sum(useful[len(useful) - others :] if others < len(useful) else useful) >= left:
            chosen.append((place, taken))
            left -= taken
    return chosen
