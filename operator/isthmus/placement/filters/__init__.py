"""What a node must meet to get a job: one file each, asked in order; the first that rejects gives the reason.

What the job and the node's declaration and machines rule out for good goes before what may pass (a cordon, a lost
member), so that a job that no node could ever run is told so. `STANDING` filters read nothing that a placement
changes: one answer holds for a whole cycle and for all equal jobs. What is to be said of `room` is asked again whenever
a node's room has changed.
"""

from collections.abc import Callable, Mapping

from isthmus.placement.candidate import Candidate
from isthmus.placement.demand import Demand
from isthmus.placement.verdict import Rejection

from .accelerator import accelerator
from .avoided import avoided
from .classification import classification
from .latency import latency
from .node_selector import node_selector
from .offer import hours, terms
from .price import price
from .region import region
from .residency import residency
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
# They read nothing of a node but `Site.declared`, and whether the job must avoid it.
DECLARED = frozenset({avoided, tier, region, node_selector, taints, classification, residency, latency, stopping})

# What a job must ask for so that the filter may reject a node; those that are not named here may reject one of any job.
_SPEAKING: Mapping[Filter, Callable[[Demand], bool]] = {
    avoided: lambda demand: bool(demand.avoid),
    tier: lambda demand: bool(demand.tiers),
    region: lambda demand: bool(demand.regions),
    node_selector: lambda demand: bool(demand.node_selector),
    classification: lambda demand: demand.classification is not None,
    residency: lambda demand: bool(demand.residency),
    latency: lambda demand: bool(demand.latencies),
    stopping: lambda demand: demand.grace_seconds is not None,
    accelerator: lambda demand: demand.picky,
}


def standing(demand: Demand) -> tuple[tuple[int, Filter], ...]:
    """The standing filters that may reject a node of the job's, each with its place among all."""
    return tuple((place, ask) for place, ask in enumerate(STANDING) if ask not in _SPEAKING or _SPEAKING[ask](demand))


__all__ = ["DECLARED", "STANDING", "Filter", "standing"]
