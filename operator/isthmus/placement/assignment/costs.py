"""What it costs the objective to have one pod of a class on a node: its scores, turned round, times its size."""

from collections.abc import Sequence
from math import log10

from isthmus.placement.jobclass import Entry, JobClass

SPREAD = 1000.0
"""How much dearer than the cheapest node a node may be and still be measured in proportion."""
_DECADES = 16.0  # of price beyond that, until the limit


def costs_of(job_class: JobClass, entries: Sequence[Entry]) -> list[float]:
    """For each entry, as last ranked, the cost of a pod by size: 0 for the best in all that the class weighs.

    A score of 100 costs nothing and one of 0 its whole weight. The price is in proportion to the dearest node rather
    than by its score, which goes by the cheapest: so one more node never makes the others dearer. Nodes more than
    SPREAD times dearer than the cheapest do not set that measure; they cost between once and twice the weight.
    """
    weights = job_class.weights
    whole = sum(weights.values()) or 1
    priced = weights.get("price", 0) / whole
    levels = _levels([float(entry.candidate.per_hour or 0) for entry in entries])
    standing = [(name, weight / whole / 100) for name, weight in weights.items() if name != "price" and weight]
    costs = []
    for entry, level in zip(entries, levels, strict=True):
        parts = entry.parts
        cost = priced * level
        for name, weight in standing:
            cost += weight * (100 - parts.get(name, 100))
        costs.append(cost)
    return costs


def _levels(prices: Sequence[float]) -> list[float]:
    """Prices as shares of the dearest that is no outlier, outliers between 1 and 2."""
    positive = [price for price in prices if price > 0]
    if not positive:
        return [0.0] * len(prices)
    limit = min(positive) * SPREAD
    dearest = max(price for price in positive if price <= limit)
    return [
        price / dearest if price <= dearest else 1.0 + min(1.0, log10(price / dearest) / _DECADES) for price in prices
    ]
