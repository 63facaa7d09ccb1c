"""Why a part of a node's score is 0 though the node may be good at it: a figure is missing, or not in force."""

from collections.abc import Mapping

from isthmus.placement.candidate import Candidate

from .data import lapsed
from .field import Field


def note(candidate: Candidate, field: Field, weights: Mapping[str, int]) -> str:
    """The note for people, empty where there is nothing to tell. Scores that count nothing are passed over.

    That a node states no figure is told only where others do, or where nothing but carbon was asked for.
    """
    told: list[str] = []
    if weights.get("carbon"):
        energy = candidate.node.energy
        if energy is not None and energy.lapse is not None:
            told.append(f"carbon 0: the node's carbon intensity {energy.lapse.message}")
        elif (energy is None or energy.grams is None) and (field.least_carbon is not None or weights["carbon"] > _MOST):
            told.append("carbon 0: the node states no carbon intensity")
    if weights.get("data") and (why := lapsed(candidate)):
        told.append(f"data by size: {why}")
    return "; ".join(told)


_MOST = 50  # percent
