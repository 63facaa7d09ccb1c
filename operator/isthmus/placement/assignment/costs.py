"""What it costs the objective to have one pod of a class on a node: its scores, turned round, times its size."""

from collections.abc import Sequence
from decimal import Decimal
from math import log10

from isthmus.placement.candidate import Candidate
from isthmus.placement.jobclass import Entry, JobClass
from isthmus.placement.scores.carbon import emission

SPREAD = 1000.0
"""How much dearer than the cheapest node a node may be and still be measured in proportion."""
_DECADES = 16.0  # of price beyond that, until the limit
_RELATIVE = frozenset({"price", "carbon"})  # scores that go by the best node
_TIE = 1e-4


def costs_of(job_class: JobClass, entries: Sequence[Entry]) -> list[float]:
    """For each entry, as last ranked, the cost of a pod by size: 0 for the best in all that the class weighs.

    A score of 100 costs nothing and one of 0 its whole weight. Price and carbon are in proportion to the most of any
    node rather than by their scores, which go by the least: so one more node never makes the others dearer. Nodes with
    more than SPREAD times the least do not set that measure; they cost between once and twice the weight. Between
    equals the other scores decide, whatever they weigh.
    """
    names, weights = job_class.names, job_class.weights
    whole = sum(weights.values()) or 1
    shares = {name: weight / whole for name, weight in weights.items() if weight}
    by_score = dict(zip(names, zip(*[entry.scores for entry in entries], strict=True), strict=False))
    own = [scores for name, scores in by_score.items() if name not in _RELATIVE]
    most = 100 * len(own)
    costs = [_TIE * ((most - sum(scores)) / most) for scores in zip(*own, strict=True)]
    for name, share in shares.items():
        if name == "price":
            levels = _levels([entry.candidate.per_hour for entry in entries])
        elif name == "carbon":
            levels = _levels([_grams(job_class, entry.candidate) for entry in entries])
        else:
            levels = [1 - score / 100 for score in by_score.get(name, ())]
        costs = [cost + share * level for cost, level in zip(costs, levels, strict=True)]
    return costs


def _grams(job_class: JobClass, candidate: Candidate) -> Decimal | None:
    return emission(candidate, by_draw=job_class.field.by_draw)


def _levels(figures: Sequence[Decimal | None]) -> list[float]:
    """Figures as shares of the largest that is no outlier, outliers between 1 and 2; 1 where there is none."""
    positive = [float(figure) for figure in figures if figure]
    if not positive:
        return [1.0 if figure is None else 0.0 for figure in figures]
    limit = min(positive) * SPREAD
    largest = max(figure for figure in positive if figure <= limit)
    return [1.0 if figure is None else _level(float(figure) / largest) for figure in figures]


def _level(ratio: float) -> float:
    return ratio if ratio <= 1 else 1 + min(1.0, log10(ratio) / _DECADES)
