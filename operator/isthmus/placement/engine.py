"""One cycle of placement: a snapshot and the jobs that wait, to assignments and reasons."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from isthmus.api.computejob import Explanation

from .candidate import Fleet
from .demand import Demand
from .explanation import Account, account_of, explain, summary
from .jobclass import Entry, JobClass, class_key
from .rooms import Rooms
from .snapshot import Snapshot
from .steering import Affinity

NO_NODES = "NoNodes"
NO_SUITABLE_NODE = "NoSuitableNode"
NODES_UNAVAILABLE = "NodesUnavailable"
INSUFFICIENT = "InsufficientCapacity"


@dataclass(frozen=True, slots=True)
class Assignment:
    """A job given to a node: all `width` of its pods.

    `affinity` are machine labels that its pods must be bound to, all of them. `estimate_per_hour` is the price of an
    hour of all pods in `currency`.
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

    The outcome depends on nothing but the snapshot's and the demands' content, not on their order. `rooms` is an
    optional memory between cycles that saves work and changes nothing.
    """
    rooms = Rooms() if rooms is None else rooms
    nodes = [(node, rooms.of(node)) for node in sorted(snapshot.nodes, key=lambda n: n.name)]
    rooms.keep(node.name for node, _ in nodes)
    fleet = Fleet.of(snapshot)
    classes: dict[tuple[object, ...], JobClass] = {}
    assignments: list[Assignment] = []
    waiting: list[tuple[Demand, JobClass]] = []
    for demand in sorted(demands, key=order):
        key = class_key(demand)
        job_class = classes.get(key)
        if job_class is None:
            job_class = classes[key] = JobClass(demand, nodes, fleet)
        entry = job_class.best()
        if entry is None:
            waiting.append((demand, job_class))
        else:
            assignments.append(_assign(demand, job_class, entry))
    return Outcome(tuple(assignments), _unplaced(waiting))


def _assign(demand: Demand, job_class: JobClass, entry: Entry) -> Assignment:
    candidate = entry.candidate
    node = candidate.node
    explanation = explain(account_of(job_class), node.name)
    candidate.take()
    return Assignment(
        demand=demand,
        node=node.name,
        width=demand.width,
        affinity=candidate.offer.affinity,
        estimate_per_hour=candidate.per_hour,
        currency=node.price.currency if node.price else "",
        explanation=explanation,
    )


def _unplaced(waiting: Sequence[tuple[Demand, JobClass]]) -> tuple[Unplaced, ...]:
    """The jobs that wait, explained once for each class, by the room there is at the end of the cycle."""
    told: dict[int, tuple[bool, str, str, Explanation]] = {}
    unplaced: list[Unplaced] = []
    for demand, job_class in waiting:
        found = told.get(id(job_class))
        if found is None:
            account = account_of(job_class)
            never, reason = _verdict(account)
            found = told[id(job_class)] = (never, reason, summary(account), explain(account, None))
        unplaced.append(Unplaced(demand, *found))
    return tuple(unplaced)


def _verdict(account: Account) -> tuple[bool, str]:
    """Whether no node could ever run it, and the reason in a word: the common one, where all nodes share it."""
    if not account.rejected:
        return False, NO_NODES
    reasons = {rejection.reason for _, rejection in account.rejected}
    never = all(rejection.permanent for _, rejection in account.rejected)
    if len(reasons) == 1:
        return never, next(iter(reasons))
    if never:
        return True, NO_SUITABLE_NODE
    return False, INSUFFICIENT if INSUFFICIENT in reasons else NODES_UNAVAILABLE
