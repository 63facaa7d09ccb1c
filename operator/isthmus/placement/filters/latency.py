"""The node must be near enough to the regions that the job names, by figures in force: unknown is too far."""

from isthmus.placement.candidate import Candidate
from isthmus.placement.stated import NetworkView
from isthmus.placement.verdict import Rejection

TOO_FAR = "LatencyTooHigh"
UNKNOWN = "LatencyUnknown"
_NOTHING = NetworkView()


def latency(candidate: Candidate) -> Rejection | None:
    """Reject a node that is farther from a region than the job allows, or does not state by a figure in force how far.

    What was never stated, and what is too far, does not change by waiting; what has lapsed may be measured anew.
    """
    network = candidate.node.network or _NOTHING
    for region, limit in candidate.demand.latencies:
        gist = f"wants {region} within {limit} ms"
        here = network.latencies.get(region)
        if here is not None and here <= limit:
            continue
        if here is not None:
            return Rejection(TOO_FAR, f"{gist}; it is {here} ms from here", permanent=True, gist=gist)
        gone = network.lapses.get(region)
        if gone is not None:
            return Rejection(UNKNOWN, f"{gist}; the node's latency to it {gone.message}", gist=gist)
        return Rejection(UNKNOWN, f"{gist}; the node states no latency to it", permanent=True, gist=gist)
    return None
