"""A batch placed by itself, with its figures: for simulations and benchmarks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from .assignment import Limits
from .demand import Demand
from .engine import place
from .outcome import Outcome
from .rooms import Rooms
from .snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Solution:
    """An outcome and what it comes to.

    `costs` is the price of an hour of all that was placed, by currency. `objective` is what was reached of the
    program's and `bound` the program's optimum, both None where the deadline passed before it was solved; `gap` is
    (objective - bound) / bound, 0 where both are 0. `seconds` is the time the cycle took by the clock handed in.
    """

    outcome: Outcome
    costs: Mapping[str, Decimal]
    objective: float | None
    bound: float | None
    gap: float | None
    seconds: float

    @property
    def cost(self) -> Decimal | None:
        """The price of an hour of all that was placed; None where nodes have different currencies."""
        return next(iter(self.costs.values()), Decimal(0)) if len(self.costs) <= 1 else None


def solve_batch(
    snapshot: Snapshot,
    demands: Sequence[Demand],
    *,
    now: Callable[[], float],
    seconds: float = float("inf"),
    seed: int = 0,
    rooms: Rooms | None = None,
) -> Solution:
    """Place the demands in one cycle, by a program however few there are, within `seconds` by the clock `now`.

    The outcome is the same for the same input and seed unless that time runs out.
    """
    import highspy  # noqa: F401 - loaded once in a process, which is no part of a cycle

    start = now()
    limits = Limits(now=now, deadline=start + seconds, seed=seed)
    outcome = place(snapshot, demands, rooms=rooms, limits=limits, batch=1)
    took = now() - start
    costs: dict[str, Decimal] = {}
    for each in outcome.assignments:
        costs[each.currency] = costs.get(each.currency, Decimal(0)) + (each.estimate_per_hour or Decimal(0))
    programs = outcome.programs
    if programs is None:
        return Solution(outcome, costs, None, None, None, took)
    gap = (programs.objective - programs.bound) / programs.bound if programs.bound > 0 else 0.0
    return Solution(outcome, costs, programs.objective, programs.bound, gap, took)
