"""How much each score counts for a job, in percent: by its objective or its own weights, and by its deadline.

Scores that can't tell nodes apart for the job (latency without a limit, data without inputs) fall out, and the others
share what they would have counted, in proportion.
"""

from collections.abc import Mapping
from functools import lru_cache

from isthmus.api.objective import SCORES

from .deadline import STEPS
from .demand import Demand

OBJECTIVES: Mapping[str, Mapping[str, int]] = {
    "Balanced": {
        "price": 25,
        "carbon": 10,
        "latency": 5,
        "data": 10,
        "tier": 15,
        "fragmentation": 20,
        "free": 10,
        "reliability": 5,
    },
    # The other scores decide between equal prices, and between equal figures of carbon once their prices are equal.
    "Cheapest": {"price": 100},
    "Greenest": {"carbon": 100},
    # How fast machines compute is not known: this goes by what keeps a job from starting, or makes it start again.
    "Fastest": {"data": 30, "latency": 25, "free": 25, "reliability": 20},
}
_SAVING = ("price", "carbon")
_HURRYING = ("free", "reliability")


def weights_of(demand: Demand) -> Mapping[str, int]:
    """The percent of each score that speaks to the job; they sum to 100. KeyError where there is no such objective."""
    own = tuple(sorted(demand.weights.items())) if demand.weights is not None else None
    return _weights(demand.objective, own, bool(demand.latencies), bool(demand.inputs), demand.urgency)


@lru_cache(maxsize=4096)
def _weights(
    objective: str, own: tuple[tuple[str, int], ...] | None, near: bool, reads: bool, urgency: int
) -> Mapping[str, int]:
    table = dict(own) if own is not None else OBJECTIVES[objective]
    silent = {name for name, speaks in (("latency", near), ("data", reads)) if not speaks}
    counted = {name: table.get(name, 0) for name in SCORES if name not in silent}
    if not any(counted.values()):  # silent ones are all that was asked for
        counted = {name: OBJECTIVES["Balanced"][name] for name in counted}
    return percent(hurried(counted, urgency))


def hurried(weights: Mapping[str, int], urgency: int) -> dict[str, int]:
    """The weights at a step of urgency: what price and carbon give up goes to room and reliability in equal parts.

    Times twice the number of steps, so that they stay whole.
    """
    scale = 2 * STEPS
    given = sum(weights.get(name, 0) for name in _SAVING) * urgency
    found = {name: weight * scale for name, weight in weights.items()}
    for name in _SAVING:
        if name in found:
            found[name] = weights[name] * 2 * (STEPS - urgency)
    for name in _HURRYING:
        found[name] = found.get(name, 0) + given
    return found


def percent(weights: Mapping[str, int]) -> dict[str, int]:
    """The weights in whole percent, by largest remainders, the first named first. ValueError where they sum to zero."""
    total = sum(weights.values())
    if total <= 0:
        raise ValueError("the weights sum to zero")
    shares = {name: divmod(100 * weight, total) for name, weight in weights.items()}
    spare = 100 - sum(whole for whole, _ in shares.values())
    first = sorted(shares, key=lambda name: -shares[name][1])[:spare]
    return {name: whole + (name in first) for name, (whole, _) in shares.items()}
