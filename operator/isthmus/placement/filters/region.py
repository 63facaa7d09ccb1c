"""The node must stand in a region that the job allows."""

from functools import lru_cache

from isthmus.placement.candidate import Candidate
from isthmus.placement.verdict import Rejection

REGION_MISMATCH = "RegionMismatch"


def region(candidate: Candidate) -> Rejection | None:
    """Reject a node in another region than those the job names."""
    regions = candidate.demand.regions
    if not regions or candidate.node.region in regions:
        return None
    return _mismatch(regions, candidate.node.region or "none")


@lru_cache(maxsize=4096)
def _mismatch(regions: tuple[str, ...], here: str) -> Rejection:
    return Rejection(REGION_MISMATCH, f"wants region {' or '.join(regions)}; this is {here}", permanent=True)
