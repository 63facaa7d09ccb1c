"""A round's plan: which units of which pool go to which node."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .columns import Columns, columns_of
from .limits import Limits
from .packing import Packing
from .pool import Pool
from .program import relax
from .repair import Repair
from .rounding import fill, round_down


@dataclass(frozen=True, slots=True)
class Plan:
    """The pools' columns, and for each node the units by column, in the order in which its machines take them.

    `bound` is the program's optimum, `objective` that of the plan.
    """

    pools: tuple[Pool, ...]
    columns: Columns
    loads: tuple[Mapping[int, int], ...]
    bound: float
    objective: float


def plan(pools: Sequence[Pool], limits: Limits) -> Plan | None:
    """The plan for the pools on the rooms as they are, which it leaves so; None where the limits leave it no time."""
    if limits.left <= 0:
        return None
    columns, limits = limits.aside(lambda: columns_of(pools))  # nodes are ranked for jobs one after another as well
    relaxation = relax(pools, columns, limits)
    if relaxation is None:
        return None
    packing = Packing(pools, columns)
    round_down(packing, relaxation)
    fill(packing, relaxation)
    Repair(packing, relaxation, limits).run()
    loads = tuple(dict(each.loads) for each in packing.bins)
    return Plan(tuple(pools), columns, loads, relaxation.bound, packing.objective())
