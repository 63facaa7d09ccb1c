"""What a score measures a node against: all nodes that could ever take the job."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Field:
    """`cheapest` is the lowest price of an hour of the job among the nodes that could take it."""

    cheapest: Decimal
