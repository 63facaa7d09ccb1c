"""One cycle of placement: a snapshot and the jobs that wait, to assignments and reasons."""

from collections.abc import Callable, Sequence
from functools import partial

from isthmus.api.computejob import Explanation

from .admission import Startable, admitted
from .allowance import CEILING_REACHED, QUOTA_EXCEEDED, Allowance
from .assignment import Limits, Plan
from .batch import account, batches_of, placings, planned
from .candidate import Candidate
from .classkey import class_key
from .contradictions import CONTRADICTORY, alone
from .deadline import at
from .demand import Demand
from .explanation import Verdicts, explain, explain_winner, verdicts_of
from .filters.offer import SHARE_EXHAUSTED
from .filters.room import INSUFFICIENT, RESERVED
from .forms import demand_in
from .gang import why_waiting
from .jobclass import Entry, JobClass
from .keeping import Keeping, Said
from .order import rounds_of
from .outcome import Assignment, Outcome, Programs, Unplaced
from .rooms import Rooms
from .snapshot import Snapshot

NO_NODES = "NoNodes"
NO_SUITABLE_NODE = "NoSuitableNode"
NODES_UNAVAILABLE = "NodesUnavailable"


Told = dict[JobClass, tuple[Verdicts, Explanation]]
"""Classes as explained once for all of their jobs in a round."""

BATCH = 32
"""Jobs of one round from which on a program places them at once: fewer are placed one after another as well."""


def place(
    snapshot: Snapshot,
    demands: Sequence[Demand],
    *,
    rooms: Rooms | None = None,
    limits: Limits | None = None,
    batch: int = BATCH,
) -> Outcome:
    """Give each job a node with room for all its pods, the first rounds first; one that can't run blocks nobody.

    Where `batch` jobs or more of a round wait, a program places them at once; what it leaves, and fewer, go job after
    job to the best node each. `limits` bound the programs. A job with a split may be divided over several nodes (see
    `pieces_of`), and stands among the assignments once for each. Where only a part of it has found room, it is not
    among the unplaced. What would exceed a limit of its account waits; of a split job, what would.
    The outcome depends on nothing but the content of the snapshot and the demands, not on their order, unless the
    limits' deadline passes. `rooms` saves work from one cycle to the next and changes nothing.
    """
    rooms = Rooms() if rooms is None else rooms
    limits = Limits() if limits is None else limits
    assignments: list[Assignment] = []
    waiting: list[tuple[tuple[object, ...], Demand]] = []
    impossible: list[Unplaced] = []
    possible: list[Demand] = []
    for demand in at(demands, snapshot.now):
        if (contradiction := alone(demand)) is None:
            possible.append(demand)
        else:
            impossible.append(Unplaced(demand, True, CONTRADICTORY, contradiction, Explanation()))  # noqa: FBT003
    programs: Programs | None = None
    allowance = Allowance(snapshot.accounts)
    keeping = Keeping(snapshot, partial(_said, snapshot, allowance), allowance)
    rooms.begin(snapshot.nodes)
    try:
        began = limits.now()
        rounds = rounds_of(snapshot, possible, Startable(rooms, allowance))
        limits = limits.later(limits.now() - began)
        for round_ in keeping.rounds(rounds):
            for part in batches_of(round_, len(snapshot.nodes)):
                told: Told | None = None
                within = part
                if len(part.demands) >= batch:
                    began = limits.now()
                    within, told = admitted(part, rooms, allowance), {}
                    limits = limits.later(limits.now() - began)
                plan = planned(within, rooms, limits) if len(within.demands) >= batch else None
                placed = [] if plan is None else _planned(plan, allowance)
                given = {assignment.demand.key for assignment in placed}
                for demand in part.demands:
                    if demand.key in given:
                        continue
                    key = class_key(demand)
                    job_class = rooms.job_class(key, demand)
                    asked = allowance.limits_of(demand.account)
                    pieces = job_class.pieces(asked)
                    if pieces:
                        placed += _assign(demand, job_class, pieces, allowance, told)
                    else:
                        waiting.append((key, demand))
                        keeping.miss(key, demand, job_class)
                if plan is not None:
                    programs = account(plan, part, placed, programs)
                assignments += placed
        unplaced = (*impossible, *_unplaced(waiting, rooms, keeping, partial(_said, snapshot, allowance)))
        reservations = keeping.renewed(waiting, rooms)
        return Outcome(tuple(assignments), unplaced, programs, reservations, tuple(keeping.preemptions))
    finally:
        rooms.end()


def _planned(plan: Plan, allowance: Allowance) -> list[Assignment]:
    """What the plan places, but for jobs that would exceed a limit on the nodes that it chose."""
    placed: list[Assignment] = []
    for demand, pieces, explanation in placings(plan):
        asked = allowance.limits_of(demand.account)
        widths = [width for _, width in pieces]
        if asked is None or asked.within(demand, [(entry.candidate.pod, width) for entry, width in pieces]) == widths:
            placed += [_piece(demand, entry.candidate, width, explanation, allowance) for entry, width in pieces]
    return placed


def _assign(
    demand: Demand,
    job_class: JobClass,
    pieces: Sequence[tuple[Entry, int]],
    allowance: Allowance,
    told: Told | None,
) -> list[Assignment]:
    """Take the pieces. Of many jobs each class is explained once, as the program's are (`told`), else each job."""
    if told is None or len(pieces) > 1:
        verdicts = verdicts_of(job_class, allowance.limits_of(demand.account))
        explanation = explain(verdicts, [entry.candidate.node.name for entry, _ in pieces])
    else:
        if job_class not in told:
            verdicts = verdicts_of(job_class, allowance.limits_of(demand.account))
            told[job_class] = verdicts, explain(verdicts)
        verdicts, explanation = told[job_class]
        explanation = explain_winner(explanation, verdicts, pieces[0][0])
    return [_piece(demand, entry.candidate, width, explanation, allowance) for entry, width in pieces]


def _piece(
    demand: Demand, candidate: Candidate, width: int, explanation: Explanation, allowance: Allowance
) -> Assignment:
    node = candidate.node
    if explanation.winner != node.name:
        explanation = explanation.model_copy(update={"winner": node.name})
    candidate.take(width)
    allowance.take(demand.account, candidate.pod, width)
    return Assignment(
        demand=demand_in(demand, candidate.demand.variant),
        node=node.name,
        width=width,
        affinity=candidate.offer.affinity,
        estimate_per_hour=candidate.per_hour if width == demand.width else candidate.costs(width),
        currency=node.price.currency if node.price else "",
        explanation=explanation,
        variant=candidate.demand.variant,
        holding=candidate.pod.times(width),
    )


def _unplaced(
    waiting: Sequence[tuple[tuple[object, ...], Demand]],
    rooms: Rooms,
    keeping: Keeping,
    say: Callable[[JobClass], Said],
) -> tuple[Unplaced, ...]:
    """The jobs that wait, explained once for each class, by the room there is at the end of the cycle.

    Those for which room is kept are explained by what there was when that was done.
    """
    told: dict[tuple[object, ...], tuple[bool, str, str, Explanation]] = {}
    unplaced: list[Unplaced] = []
    for key, demand in waiting:
        found = keeping.said(demand) or told.get(key)
        if found is None:
            found = told[key] = say(rooms.job_class(key, demand))
        unplaced.append(Unplaced(demand, *found))
    return tuple(unplaced)


def _said(snapshot: Snapshot, allowance: Allowance, job_class: JobClass) -> Said:
    """What is told of the jobs of a class that wait."""
    verdicts = verdicts_of(job_class, allowance.limits_of(job_class.demand.account))
    contradiction = job_class.contradiction(snapshot.nodes) if verdicts.never else None
    reason = _reason(verdicts) if contradiction is None else CONTRADICTORY
    return verdicts.never, reason, contradiction or why_waiting(verdicts, job_class.demand), explain(verdicts)


def _reason(verdicts: Verdicts) -> str:
    """The reason in a word: the nodes' own where all share one."""
    reasons = verdicts.reasons()
    if not reasons:
        return NO_NODES
    if len(reasons) == 1:
        return next(iter(reasons))
    if not verdicts.crowded and not verdicts.open:  # with room under the limit it could run on some
        limited = next((reason for reason in (QUOTA_EXCEEDED, CEILING_REACHED) if reason in reasons), None)
        if limited is not None:
            return limited
    if verdicts.never:
        return NO_SUITABLE_NODE
    if reasons.keys() & {INSUFFICIENT, SHARE_EXHAUSTED}:
        return INSUFFICIENT
    return RESERVED if RESERVED in reasons else NODES_UNAVAILABLE
