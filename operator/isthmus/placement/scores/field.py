"""What a score measures a node against: all nodes that could ever take the job."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Field:
    """`cheapest` is the lowest price of an hour of the job among the nodes that could take it.

    `least_carbon` is the least carbon among them, None where none has a figure; `by_draw` tells how it is reckoned.
    """

    cheapest: Decimal
    least_carbon: Decimal | None = None
    by_draw: bool = False
