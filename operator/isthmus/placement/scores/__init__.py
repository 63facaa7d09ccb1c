"""What speaks for a node that would do: one file each, every score an integer of 0..100.

`STANDING` scores read nothing that a placement changes; `ROOM` scores are asked again when the node's room changed.
"""

from collections.abc import Callable

from isthmus.placement.candidate import Candidate

from .field import Field
from .fragmentation import fragmentation
from .free import free
from .price import price
from .tier import tier

Scorer = Callable[[Candidate, Field], int]

STANDING: dict[str, Scorer] = {"price": price, "tier": tier}
ROOM: dict[str, Scorer] = {"free": free, "fragmentation": fragmentation}

__all__ = ["ROOM", "STANDING", "Field", "Scorer"]
