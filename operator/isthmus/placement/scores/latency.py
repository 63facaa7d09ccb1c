"""Nearer is better: 100 where a region that the job names is no time away, 0 where it is as far as it may be."""

from isthmus.placement.candidate import Candidate

from .field import Field


def latency(candidate: Candidate, _field: Field) -> int:
    """The share of the longest round trip allowed that is not used, in percent: the smallest over the job's regions."""
    network = candidate.node.network
    if network is None:
        return 0
    spare = [
        100 * max(0, limit - network.latencies.get(region, limit)) // limit
        for region, limit in candidate.demand.latencies
    ]
    return min(spare, default=100)
