"""A job that would be late otherwise may pay more: how near its deadline is, in steps."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from .demand import Demand

STEPS = 4
"""How many steps there are from a deadline that is far off to one that leaves no time."""
_SHARES = (0.5, 0.25, 0.125, 0.0)  # of the time there was at first that is left, at most, by step


def urgency(demand: Demand, now: datetime) -> int:
    """0 where more than half of the job's time is left, or it has no deadline; STEPS where none is.

    Its time is from its creation until it must have started: its deadline, less the longest that its template lets it
    run, where that says so.
    """
    if demand.deadline is None:
        return 0
    run = demand.run_seconds or 0  # an API server takes more seconds than there are dates for
    whole = (demand.deadline - demand.created).total_seconds() - run
    left = (demand.deadline - now).total_seconds() - run
    return sum(left <= whole * share for share in _SHARES) if whole > 0 else STEPS


def at(demands: Iterable[Demand], now: datetime) -> list[Demand]:
    """The demands with their urgency as it is at `now`."""
    return [
        demand if (step := urgency(demand, now)) == demand.urgency else replace(demand, urgency=step)
        for demand in demands
    ]
