"""What every node is to one job at one moment, with nothing left out: for questions that a status is too small for."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from .allowance import Allowance
from .candidate import Candidate
from .contradictions import alone
from .deadline import at
from .demand import Demand
from .explanation import verdicts_of
from .filters.room import crowded, largest_block
from .forms import demands_of
from .gang import why_waiting
from .jobclass import by_rank
from .keeping import hold_for_others
from .rooms import Rooms
from .snapshot import Snapshot
from .verdict import Rejection, Score


@dataclass(frozen=True, slots=True)
class ShapeFit:
    """What a node's machines are to the job, one by one.

    `largest_block` is how much one machine that it may use has free, in the accelerators that its pods hold, or in pods
    where they hold none. `pods_now` and `pods_empty` are how many of its pods have room, and would if all were empty.
    """

    largest_block: int
    pods_now: int
    pods_empty: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One node: a score where it has room for the job, or for a piece of a split one; else what speaks against it.

    `per_hour` is the price of an hour of all of the job's pods there, where that can be told. `variant` is the form of
    the job that would do best there.
    """

    node: str
    score: Score | None
    rejection: Rejection | None
    per_hour: Decimal | None
    currency: str
    fit: ShapeFit
    variant: str | None = None


@dataclass(frozen=True, slots=True)
class Examination:
    """Every node, the best first and those without room by name, and all of it in a sentence."""

    findings: tuple[Finding, ...]
    summary: str


def examine(snapshot: Snapshot, demand: Demand) -> Examination:
    """Judge the demand as a cycle would that had to place nothing else, and keeps what the last one reserved."""
    rooms = Rooms()
    rooms.begin(snapshot.nodes)
    hold_for_others(snapshot, rooms, demand)
    (demand,) = at((demand,), snapshot.now)
    job_class = rooms.job_class(demand)
    verdicts = verdicts_of(job_class, demand, Allowance(snapshot.accounts).limits_of(demand.account))
    contradiction = alone(demand) or (job_class.contradiction(snapshot.nodes) if verdicts.never else None)
    prices = {node.name: node.price.currency for node in snapshot.nodes if node.price is not None}
    candidates = {c.node.name: c for c in rooms.candidates(demands_of(demand)[0])}
    candidates |= {c.node.name: c for c in (*verdicts.crowded, *(entry.candidate for entry in verdicts.open))}
    costs = {name: candidate.per_hour for name, candidate in candidates.items()}
    fits = {name: _shape_fit(candidate) for name, candidate in candidates.items()}
    against: Mapping[str, Rejection] = {
        **verdicts.rejected,
        **{candidate.node.name: crowded(candidate, demand.account) for candidate in verdicts.crowded},
    }
    best = (
        Finding(
            name,
            entry.score,
            None,
            costs[name],
            prices.get(name, ""),
            fits[name],
            entry.candidate.demand.variant,
        )
        for entry in by_rank(verdicts.open)
        if (name := entry.candidate.node.name)
    )
    others = (
        Finding(name, None, rejection, costs[name], prices.get(name, ""), fits[name])
        for name, rejection in sorted(against.items())
    )
    return Examination((*best, *others), contradiction or why_waiting(verdicts, demand))


def _shape_fit(candidate: Candidate) -> ShapeFit:
    return ShapeFit(largest_block(candidate), candidate.fit.pods_free, candidate.offer.pods_empty)
