"""From shares to whole units: what of the program's answer is whole is taken first, the rest where it is best.

Pools take their turn by size, since the largest units are the hardest to place.
"""

from math import floor

from .packing import Packing
from .program import Relaxation

_WHOLE = 1e-6
_FRACTION = 0.5
"""How much nearer, by size, a column counts for each whole unit that rounding down took from it."""


def round_down(packing: Packing, relaxation: Relaxation) -> None:
    """Take the whole part of every column, as far as single machines have room for it."""
    of_pool = packing.columns.of_pool
    for pool in packing.by_turn:
        for column in of_pool[pool]:
            _take(packing, column, floor(relaxation.units[column] + _WHOLE))


def fill(packing: Packing, relaxation: Relaxation) -> None:
    """Place what rounding down has left: first what the program places too, then whatever has room."""
    for pool in packing.by_turn:
        goal = packing.left[pool] - floor(relaxation.left_out[pool] + _WHOLE)
        if goal > 0:
            _fill_pool(packing, relaxation, pool, goal)
    by_penalty = sorted(packing.by_turn, key=lambda pool: -packing.pools[pool].steps[-1][1])
    for pool in by_penalty:
        if packing.left[pool] > 0:
            _fill_pool(packing, relaxation, pool, packing.left[pool])


def _fill_pool(packing: Packing, relaxation: Relaxation, pool: int, goal: int) -> None:
    units, reduced, size = relaxation.units, relaxation.reduced, packing.pools[pool].size

    def badness(column: int) -> float:
        return reduced[column] - (units[column] - floor(units[column] + _WHOLE)) * _FRACTION * size

    for column in sorted(packing.columns.of_pool[pool], key=badness):
        if goal <= 0:
            return
        goal -= _take(packing, column, goal)


def _take(packing: Packing, column: int, wanted: int) -> int:
    units = min(wanted, packing.fit(column)) if wanted else 0
    if units:
        packing.add(column, units)
    return units
