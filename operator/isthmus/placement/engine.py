"""One cycle of placement: a snapshot and the jobs that wait, to assignments and reasons."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from isthmus.api.computejob import Explanation

from .admission import Startable, admitted
from .allowance import CEILING_REACHED, QUOTA_EXCEEDED, Allowance
from .assignment import Limits, Plan
from .batch import account, batches_of, placings, planned
from .candidate import Candidate
from .classkey import ClassKey
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
from .order import Round, rounds_of
from .outcome import Assignment, Outcome, Programs, Unplaced
from .rooms import Rooms
from .snapshot import Snapshot

NO_NODES = "NoNodes"
NO_SUITABLE_NODE = "NoSuitableNode"
NODES_UNAVAILABLE = "NodesUnavailable"

Voice = tuple[ClassKey, str]
"""A class of jobs and an account: what is told of such a job, and to whom."""

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
    possible: list[Demand] = []
    impossible: list[Unplaced] = []
    for demand in at(demands, snapshot.now):
        if (contradiction := alone(demand)) is None:
            possible.append(demand)
        else:
            impossible.append(Unplaced(demand, True, CONTRADICTORY, contradiction, Explanation()))  # noqa: FBT003
    rooms.begin(snapshot.nodes)
    try:
        outcome = _Cycle(snapshot, rooms, limits or Limits(), batch).run(possible)
    finally:
        rooms.end()
    return replace(outcome, unplaced=(*impossible, *outcome.unplaced))


class _Cycle:
    """One cycle as it goes on: what is placed, what waits, and what accounts may still have."""

    def __init__(self, snapshot: Snapshot, rooms: Rooms, limits: Limits, batch: int) -> None:
        self._snapshot = snapshot
        self._rooms = rooms
        self._limits = limits
        self._batch = batch
        self._allowance = Allowance(snapshot.accounts)
        self._keeping = Keeping(snapshot, self._said, self._allowance)
        self._assignments: list[Assignment] = []
        self._waiting: list[Demand] = []
        self._programs: Programs | None = None
        self._told: dict[Voice, tuple[Verdicts, Explanation]] = {}

    def run(self, demands: Sequence[Demand]) -> Outcome:
        """Place the demands, round after round."""
        startable = Startable(self._rooms, self._allowance)
        rounds, self._limits = self._limits.aside(lambda: rounds_of(self._snapshot, demands, startable))
        for round_ in self._keeping.rounds(rounds):
            for part in batches_of(round_, self._rooms, len(self._snapshot.nodes)):
                if len(part.demands) < self._batch:
                    self._assignments += self._one_by_one(part.demands, many=False)
                else:
                    self._assignments += self._at_once(part)
        unplaced = tuple(self._unplaced())
        reservations = self._keeping.renewed(self._waiting, self._rooms)
        preemptions = tuple(self._keeping.preemptions)
        return Outcome(tuple(self._assignments), unplaced, self._programs, reservations, preemptions)

    def _at_once(self, part: Round) -> list[Assignment]:
        """By a program, and what that leaves one after another."""
        within, self._limits = self._limits.aside(lambda: admitted(part, self._rooms, self._allowance))
        plan = planned(within, self._rooms, self._limits) if len(within.demands) >= self._batch else None
        placed = [] if plan is None else self._planned(plan)
        given = {assignment.demand.key for assignment in placed}
        placed += self._one_by_one([demand for demand in part.demands if demand.key not in given], many=True)
        if plan is not None:
            self._programs = account(plan, part, placed, self._programs)
        return placed

    def _planned(self, plan: Plan) -> list[Assignment]:
        """What the plan places, but for jobs that would exceed a limit on the nodes that it chose."""
        placed: list[Assignment] = []
        for demand, pieces, explanation in placings(plan):
            asked = self._allowance.limits_of(demand.account)
            widths = [width for _, width in pieces]
            if asked is None or asked.within(demand, [(e.candidate.pod, width) for e, width in pieces]) == widths:
                placed += self._take(demand, pieces, explanation)
        return placed

    def _one_by_one(self, demands: Sequence[Demand], *, many: bool) -> list[Assignment]:
        """Each job to the best node; of `many` each class is explained once, as things stand with its first."""
        placed: list[Assignment] = []
        self._told.clear()
        for demand in demands:
            job_class = self._rooms.job_class(demand)
            pieces = job_class.pieces(demand, self._allowance.limits_of(demand.account))
            if pieces:
                once = many and len(pieces) == 1
                explanation = self._explained(demand, job_class, pieces, once=once)
                placed += self._take(demand, pieces, explanation)
            else:
                self._waiting.append(demand)
                self._keeping.miss(demand, job_class)
        return placed

    def _explained(
        self, demand: Demand, job_class: JobClass, pieces: Sequence[tuple[Entry, int]], *, once: bool
    ) -> Explanation:
        if not once:
            return explain(self._verdicts(demand, job_class), [entry.candidate.node.name for entry, _ in pieces])
        voice = self._voice(demand)
        if voice not in self._told:
            verdicts = self._verdicts(demand, job_class)
            self._told[voice] = verdicts, explain(verdicts)
        verdicts, explanation = self._told[voice]
        return explain_winner(explanation, verdicts, pieces[0][0])

    def _take(
        self, demand: Demand, pieces: Sequence[tuple[Entry, int]], explanation: Explanation
    ) -> Iterator[Assignment]:
        for entry, width in pieces:
            candidate = entry.candidate
            candidate.take(width)
            self._allowance.take(demand.account, candidate.pod, width)
            yield _assignment(demand, candidate, width, explanation)

    def _voice(self, demand: Demand) -> Voice:
        """Equal for demands of which the same is told."""
        return self._rooms.key_of(demand), demand.account

    def _unplaced(self) -> Iterator[Unplaced]:
        """The jobs that wait, explained once for each class and account, by the room there is when the cycle ends.

        Those for which room is kept are explained by what there was when that was done.
        """
        told: dict[Voice, Said] = {}
        for demand in self._waiting:
            found = self._keeping.said(demand)
            if found is None:
                voice = self._voice(demand)
                found = told.get(voice)
                if found is None:
                    found = told[voice] = self._said(demand, self._rooms.job_class(demand))
            yield Unplaced(demand, *found)

    def _said(self, demand: Demand, job_class: JobClass) -> Said:
        """What is told of a job that waits."""
        verdicts = self._verdicts(demand, job_class)
        contradiction = job_class.contradiction(self._snapshot.nodes) if verdicts.never else None
        reason = _reason(verdicts) if contradiction is None else CONTRADICTORY
        return verdicts.never, reason, contradiction or why_waiting(verdicts, demand), explain(verdicts)

    def _verdicts(self, demand: Demand, job_class: JobClass) -> Verdicts:
        return verdicts_of(job_class, demand, self._allowance.limits_of(demand.account))


def _assignment(demand: Demand, candidate: Candidate, width: int, explanation: Explanation) -> Assignment:
    node = candidate.node
    if explanation.winner != node.name:
        explanation = explanation.model_copy(update={"winner": node.name})
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
