"""Spread: the node that stays freest for more of the same is better."""

from isthmus.placement.candidate import Candidate

from .field import Field


def free(candidate: Candidate, _field: Field) -> int:
    """The share of the node's room for such pods that is left once the job is placed, in percent.

    Of a split job, once what has room of it is placed: a node that it fills has 0.
    """
    fit = candidate.fit
    if not fit.pods_empty:
        return 0
    return min(100, 100 * max(0, fit.pods_free - candidate.demand.width) // fit.pods_empty)
