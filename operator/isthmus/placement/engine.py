"""One cycle of placement: a snapshot and the jobs that wait, to assignments and reasons."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from isthmus.api.computejob import Explanation

from .candidate import Candidate
from .contradictions import CONTRADICTORY, alone
from .deadline import at
from .demand import Demand
from .explanation import Verdicts, explain, summary, verdicts_of
from .filters.room import INSUFFICIENT
from .jobclass import Entry, JobClass, class_key
from .rooms import Rooms
from .snapshot import Snapshot
from .steering import Affinity

NO_NODES = "NoNodes"
NO_SUITABLE_NODE = "NoSuitableNode"
NODES_UNAVAILABLE = "NodesUnavailable"


@dataclass(frozen=True, slots=True)
class Assignment:
    """A job given to a node: all of its pods, or `width` of those of a split one.

    The pieces of a split job follow each other. What they leave of its width has found no room, and is to be offered
    anew.

    `affinity` are machine labels that its pods must be bound to, all of them. `estimate_per_hour` is the price of an
    hour of these pods in `currency`.
    """

    demand: Demand
    node: str
    width: int
    affinity: Affinity
    estimate_per_hour: Decimal | None
    currency: str
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A job that no node took. `never` where none could ever run it as job and nodes stand, room apart."""

    demand: Demand
    never: bool
    reason: str
    message: str
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a cycle decided, in the order in which it decided."""

    assignments: tuple[Assignment, ...]
    unplaced: tuple[Unplaced, ...]


def order(demand: Demand) -> tuple[object, ...]:
    """Who comes first: the higher priority, then the older, then by key."""
    return (-demand.priority, demand.created, demand.key)


def place(snapshot: Snapshot, demands: Sequence[Demand], *, rooms: Rooms | None = None) -> Outcome:
    """Give each job to the best node with room for all its pods, in order; one that can't run blocks nobody.

    A job with a split, where no node has room for all of it, is divided over several (see `pieces_of`), and stands
    among the assignments once for each. Where only a part of it has found room, it is not among the unplaced.
    The outcome depends on nothing but the content of the snapshot and the demands, not on their order. `rooms` saves
    work from one cycle to the next and changes nothing.
    """
    rooms = Rooms() if rooms is None else rooms
    assignments: list[Assignment] = []
    waiting: list[tuple[tuple[object, ...], Demand]] = []
    impossible: list[Unplaced] = []
    rooms.begin(snapshot.nodes)
    try:
        for demand in sorted(at(demands, snapshot.now), key=order):
            if (contradiction := alone(demand)) is not None:
                impossible.append(Unplaced(demand, True, CONTRADICTORY, contradiction, Explanation()))  # noqa: FBT003
                continue
            key = class_key(demand)
            job_class = rooms.job_class(key, demand)
            pieces = job_class.pieces()
            if pieces:
                assignments += _assign(demand, job_class, pieces)
            else:
                waiting.append((key, demand))
        return Outcome(tuple(assignments), (*impossible, *_unplaced(waiting, rooms, snapshot)))
    finally:
        rooms.end()


def _assign(demand: Demand, job_class: JobClass, pieces: Sequence[tuple[Entry, int]]) -> list[Assignment]:
    explanation = explain(verdicts_of(job_class), [entry.candidate.node.name for entry, _ in pieces])
    return [_piece(demand, entry.candidate, width, explanation) for entry, width in pieces]


def _piece(demand: Demand, candidate: Candidate, width: int, explanation: Explanation) -> Assignment:
    node = candidate.node
    if explanation.winner != node.name:
        explanation = explanation.model_copy(update={"winner": node.name})
    candidate.take(width)
    return Assignment(
        demand=demand,
        node=node.name,
        width=width,
        affinity=candidate.offer.affinity,
        estimate_per_hour=candidate.per_hour if width == demand.width else candidate.costs(width),
        currency=node.price.currency if node.price else "",
        explanation=explanation,
    )


def _unplaced(
    waiting: Sequence[tuple[tuple[object, ...], Demand]], rooms: Rooms, snapshot: Snapshot
) -> tuple[Unplaced, ...]:
    """The jobs that wait, explained once for each class, by the room there is at the end of the cycle."""
    told: dict[tuple[object, ...], tuple[bool, str, str, Explanation]] = {}
    unplaced: list[Unplaced] = []
    for key, demand in waiting:
        found = told.get(key)
        if found is None:
            job_class = rooms.job_class(key, demand)
            verdicts = verdicts_of(job_class)
            contradiction = job_class.contradiction(snapshot.nodes) if verdicts.never else None
            reason = _reason(verdicts) if contradiction is None else CONTRADICTORY
            found = told[key] = (verdicts.never, reason, contradiction or summary(verdicts), explain(verdicts))
        unplaced.append(Unplaced(demand, *found))
    return tuple(unplaced)


def _reason(verdicts: Verdicts) -> str:
    """The reason in a word: the nodes' own where all share one."""
    reasons = verdicts.reasons()
    if not reasons:
        return NO_NODES
    if len(reasons) == 1:
        return next(iter(reasons))
    if verdicts.never:
        return NO_SUITABLE_NODE
    return INSUFFICIENT if INSUFFICIENT in reasons else NODES_UNAVAILABLE
