"""What speaks for a node that would do: one file each, every score an integer of 0..100.

`STANDING` scores read nothing that a placement changes; `ROOM` scores are asked again when the node's room changed.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal

from isthmus.placement.candidate import Candidate

from .carbon import carbon, least
from .data import data
from .field import Field
from .fragmentation import fragmentation
from .free import free
from .latency import latency
from .notes import note
from .price import price
from .reliability import reliability
from .tier import tier

Scorer = Callable[[Candidate, Field], int]

STANDING: dict[str, Scorer] = {
    "price": price,
    "carbon": carbon,
    "latency": latency,
    "data": data,
    "tier": tier,
    "reliability": reliability,
}
ROOM: dict[str, Scorer] = {"free": free, "fragmentation": fragmentation}


def field_of(cheapest: Decimal, candidates: Iterable[Candidate]) -> Field:
    """What the candidates are measured against; `cheapest` is the lowest of their prices."""
    least_carbon, by_draw = least(candidates)
    return Field(cheapest, least_carbon, by_draw)


__all__ = ["ROOM", "STANDING", "Field", "Scorer", "field_of", "note"]
