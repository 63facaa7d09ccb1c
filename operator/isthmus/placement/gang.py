"""What a job whose pods must start together lacks: the largest room for them that one node has, and where."""

from isthmus.api.conditions import truncated

from .demand import Demand
from .explanation import Verdicts, summary


def largest_block(verdicts: Verdicts, demand: Demand) -> str:
    """How many of its pods the node with most room would hold now, for people; empty where they may start apart.

    Of nodes with equal room the first by name is told.
    """
    if demand.width < 2 or demand.split is not None or not verdicts.crowded:
        return ""
    best = min(verdicts.crowded, key=lambda c: (-c.fit.pods_free, c.node.name))
    free = best.fit.pods_free
    if not free and len(verdicts.crowded) == 1:  # as its own verdict says
        return ""
    if not free:
        return "no node has room for a single one of them now"
    return f"the largest free block is for {free} of them, on {best.node.name}"


def why_waiting(verdicts: Verdicts, demand: Demand) -> str:
    """Why a job waits, in one sentence for people: all nodes in short, and the largest room for a gang."""
    block = largest_block(verdicts, demand)
    return truncated(f"{summary(verdicts)}; {block}") if block else summary(verdicts)
