"""Work goes to its data: 100 where all of the job's inputs are, 0 where none is.

Where every place that holds inputs has an egress price in force and they are not all free, each input weighs what
carrying it away would cost; else it weighs its size. A region's price is the dearest that a node there states.
"""

from fractions import Fraction

from isthmus.placement.candidate import Candidate
from isthmus.placement.demand import Input

from .field import Field


def data(candidate: Candidate, _field: Field) -> int:
    """The share of the inputs that need not be carried here, in percent, by cost or else by size."""
    weighed = _costs(candidate) or [(each, Fraction(each.size)) for each in candidate.demand.inputs]
    whole = sum((weight for _, weight in weighed), Fraction(0))
    here = sum((weight for each, weight in weighed if _is_here(each, candidate)), Fraction(0))
    return int(100 * here / whole) if whole else 100


def lapsed(candidate: Candidate) -> str:
    """Why inputs weigh their size where a price of carrying them was stated; empty where that is not so."""
    told = candidate.fleet.egress_lapses
    found = [told[each.place] for each in candidate.demand.inputs if each.place in told]
    return found[0] if found else ""


def _is_here(each: Input, candidate: Candidate) -> bool:
    return each.place in {("node", candidate.node.name), ("region", candidate.node.region)}


def _costs(candidate: Candidate) -> list[tuple[Input, Fraction]]:
    """What carrying each input away costs; none where that is not known of all, or nothing costs anything."""
    prices = candidate.fleet.egress
    if any(each.place not in prices for each in candidate.demand.inputs):
        return []
    costs = [(each, Fraction(prices[each.place]) * each.size) for each in candidate.demand.inputs]
    return costs if any(cost for _, cost in costs) else []
