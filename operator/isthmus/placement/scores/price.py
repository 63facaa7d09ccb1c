"""Cheaper is better: the cheapest node has 100, one at twice its price 50."""

from isthmus.placement.candidate import Candidate

from .field import Field


def price(candidate: Candidate, field: Field) -> int:
    """The cheapest price over this node's, in percent; 100 where it costs nothing."""
    here = candidate.per_hour
    if here is None:
        return 0
    return 100 if here <= field.cheapest else int(100 * field.cheapest / here)
