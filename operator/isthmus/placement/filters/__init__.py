"""What a node must meet to get a job: one file each, asked in order; the first that rejects gives the reason.

What the job and the node's declaration and machines rule out for good goes before what may pass (a cordon, a lost
member), so that a job that no node could ever run is told so. `STANDING` filters read nothing that a placement
changes: one answer holds for a whole cycle and for all equal jobs. `room` is asked again whenever a node's room has
changed.
"""

from collections.abc import Callable

from isthmus.placement.candidate import Candidate
from isthmus.placement.verdict import Rejection

from .accelerator import accelerator
from .avoided import avoided
from .classification import classification
from .latency import latency
from .node_selector import node_selector
from .offer import exhausted, hours, terms
from .price import price
from .region import region
from .residency import residency
from .room import crowded, room
from .size import size
from .state import state
from .stopping import stopping
from .taints import taints
from .tier import tier

Filter = Callable[[Candidate], Rejection | None]

STANDING: tuple[Filter, ...] = (
    avoided,
    tier,
    region,
    node_selector,
    taints,
    classification,
    residency,
    latency,
    stopping,
    accelerator,
    size,
    terms,
    state,
    hours,
    price,
)
FILTERS: tuple[Filter, ...] = (*STANDING, room)

__all__ = ["FILTERS", "STANDING", "Filter", "crowded", "exhausted", "room"]
