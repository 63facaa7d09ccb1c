"""Work stays as low in the hierarchy as it can; heavy accelerator work goes to the core.

Small and CPU-only work is near its users on an Edge or Industry node and leaves the core free; work that holds at least
HEAVY accelerators at once needs the dense machines and networks of a Core node, and would fill a small node alone.
"""

from isthmus.placement.candidate import Candidate

from .field import Field

HEAVY = 8  # accelerators of a whole machine of the usual build
_LOW_FIRST = {"Edge": 100, "Industry": 75, "Region": 50, "Core": 25, "Hub": 0}
_CORE_FIRST = {"Core": 100, "Region": 75, "Industry": 50, "Edge": 25, "Hub": 0}


def tier(candidate: Candidate, _field: Field) -> int:
    """The place of the node's tier on the ladder for the job's kind of work, which a split does not change."""
    heavy = candidate.offer.per_pod * candidate.demand.width >= HEAVY
    return (_CORE_FIRST if heavy else _LOW_FIRST).get(candidate.node.tier, 0)
