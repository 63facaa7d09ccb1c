"""What a node must meet to get a job: one file each, asked in order; the first that rejects gives the reason.

`STANDING` filters read nothing that a placement changes, so one answer holds for a whole cycle and for all equal
jobs. `ROOM` is asked again whenever the node's room has changed.
"""

from collections.abc import Callable

from isthmus.placement.candidate import Candidate
from isthmus.placement.verdict import Rejection

from .accelerator import accelerator
from .avoided import avoided
from .node_selector import node_selector
from .price import price
from .region import region
from .room import room
from .size import size
from .state import state
from .taints import taints
from .tier import tier

Filter = Callable[[Candidate], Rejection | None]

STANDING: tuple[Filter, ...] = (
    state,
    avoided,
    tier,
    region,
    node_selector,
    taints,
    accelerator,
    price,
    size,
)
ROOM: Filter = room
FILTERS: tuple[Filter, ...] = (*STANDING, ROOM)

__all__ = ["FILTERS", "ROOM", "STANDING", "Filter"]
