"""Less carbon is better: the node with the least has 100, one with twice as much 50.

What counts is PUE times the grid's intensity, in grams of CO2 equivalent for a kWh that the machines use. Where every
node with such a figure also states what the accelerators draw that the job would hold there, it is that times the draw:
grams an hour. A node without a figure in force has 0: nothing is guessed for it.
"""

from collections.abc import Iterable
from decimal import Decimal

from isthmus.placement.candidate import Candidate
from isthmus.placement.cost import most_of

from .field import Field


def carbon(candidate: Candidate, field: Field) -> int:
    """The least carbon over this node's, in percent; 100 where it emits none."""
    here = emission(candidate, by_draw=field.by_draw)
    if here is None or field.least_carbon is None:
        return 0
    return 100 if here <= field.least_carbon else int(100 * field.least_carbon / here)


def emission(candidate: Candidate, *, by_draw: bool) -> Decimal | None:
    """Grams for a kWh, or by draw an hour of one of the job's pods; None where no figure is in force."""
    energy = candidate.node.energy
    if energy is None or energy.grams is None:
        return None
    return energy.grams * (draw(candidate) or 0) / 1000 if by_draw else energy.grams


def draw(candidate: Candidate) -> Decimal | None:
    """Watts of the accelerators that one of the job's pods would hold, the highest where several models would do.

    None where it would hold none, or what one of them draws is not stated.
    """
    energy = candidate.node.energy
    if energy is None or not candidate.offer.per_pod:
        return None
    return most_of(candidate.demand, candidate.offer, energy.of_model)


def least(candidates: Iterable[Candidate]) -> tuple[Decimal | None, bool]:
    """The least carbon of them, and whether it is by what accelerators draw; None where no node has a figure."""
    stating = [each for each in candidates if each.node.energy is not None and each.node.energy.grams is not None]
    by_draw = bool(stating) and all(draw(each) is not None for each in stating)
    found = [each for each in (emission(one, by_draw=by_draw) for one in stating) if each is not None]
    return min(found, default=None), by_draw
