"""What is kept for whom in one cycle: reservations made before, room that preemption leaves, and what follows."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from isthmus.api.computejob import Explanation
from isthmus.api.conditions import truncated

from .allowance import Allowance
from .candidate import Candidate
from .classkey import ClassKey
from .demand import Demand
from .fit import Offer
from .jobclass import Entry, JobClass
from .order import Round
from .preemption import Claims, Preemption
from .reservation import RESERVATIONS, RESERVE_AFTER_SECONDS, Reservation
from .room import Part, Room, pods_on
from .rooms import Rooms
from .snapshot import Snapshot

PREEMPTING = "Preempting"

Said = tuple[bool, str, str, Explanation]
"""What is told of a job that waits: whether it could never run, a reason, a message, and the explanation."""


class Keeping:
    """The reservations of one cycle. `say` tells of a job of a class that waits, by the rooms as they are."""

    def __init__(self, snapshot: Snapshot, say: Callable[[Demand, JobClass], Said], allowance: Allowance) -> None:
        self._now = snapshot.now
        self._say = say
        self._allowance = allowance
        self._before = {reservation.demand.key: reservation for reservation in snapshot.reservations}
        self._claims = Claims(snapshot)
        self._said: dict[str, Said] = {}
        self._after: dict[str, Reservation] = {}
        self.preemptions: list[Preemption] = []

    def rounds(self, rounds: Iterable[Round]) -> Iterator[Round]:
        """The rounds, but of each priority those jobs that have a reservation first, in a round of their own."""
        ordered = [each for each in rounds if each.demands]
        if not self._before:
            yield from ordered
            return
        led: set[int] = set()
        for each in ordered:
            priority = each.demands[0].priority
            if priority not in led:
                led.add(priority)
                same = [other for other in ordered if other.demands[0].priority == priority]
                first = tuple(d for other in same for d in other.demands if d.key in self._before)
                if first:
                    yield Round(first, {key: u for other in same for key, u in other.urgency.items()})
            others = tuple(demand for demand in each.demands if demand.key not in self._before)
            if others:
                yield Round(others, each.urgency)

    def miss(self, demand: Demand, job_class: JobClass) -> None:
        """The job found no room: hold what is reserved for it, or claim what of lower priority may be stopped."""
        found = self._claims.claim((job_class, demand.account), demand, job_class, self._allowance)
        if found is not None:
            self.preemptions.append(found)
            self._hold(Reservation(demand, found.node, self._now, preempting=True), job_class)
            return
        before, claimed_on = self._before.get(demand.key), self._claims.node_of(demand)
        if claimed_on is not None and (before is None or not before.preempting):  # decided by a former process
            self._hold(Reservation(demand, claimed_on, self._now, preempting=True), job_class)
        elif before is not None:
            preempting = before.preempting and claimed_on is not None
            self._hold(Reservation(demand, before.node, before.since, preempting), job_class)

    def said(self, demand: Demand) -> Said | None:
        """What is told of a job for which room is held; None where none is."""
        return self._said.get(demand.key)

    def _hold(self, reservation: Reservation, job_class: JobClass) -> None:
        demand = reservation.demand
        said = self._say(demand, job_class)
        free = withhold(reservation, self._within(demand, job_class), self._now)
        if free is None:
            return
        never, reason, message, explanation = said
        kept = f"reserved on {reservation.node}: room for {free} of {demand.least} pods is free there and kept"
        if reservation.preempting:
            kept, reason = f"{kept}, work of lower priority is being stopped to make the rest", PREEMPTING
        self._said[demand.key] = never, reason, truncated(f"{message}; {kept}"), explanation
        self._after[demand.key] = reservation

    def _within(self, demand: Demand, job_class: JobClass) -> Sequence[Entry]:
        """The nodes that would do but for room: where the account may have no more, room is of no use."""
        limits = self._allowance.limits_of(demand.account)
        if limits is None:
            return job_class.entries
        return [entry for entry in job_class.entries if limits.permits(demand, entry.candidate.pod)]

    def renewed(self, waiting: Iterable[Demand], rooms: Rooms) -> tuple[Reservation, ...]:
        """The reservations that hold from now on, given who still waits, in order.

        Those for which work is being stopped, and `RESERVATIONS` others at most: the first of each priority at once,
        the rest once they have waited. One that has a node keeps it as long as that would do.
        """
        found = [reservation for reservation in self._after.values() if reservation.preempting]
        taken = {reservation.node for reservation in self._after.values()}
        bound = self._now - timedelta(seconds=RESERVE_AFTER_SECONDS)
        hopeless: set[ClassKey] = set()
        left, head = RESERVATIONS, True
        priority: int | None = None
        for demand in waiting:
            key = rooms.key_of(demand), demand.account
            head, priority = head or demand.priority != priority, demand.priority
            kept = self._after.get(demand.key)
            if kept is None and key not in hopeless and (head or demand.created <= bound):
                node = _most_promising(self._within(demand, rooms.job_class(demand)), taken)
                if node is None:  # nor is there one for the others of its class
                    hopeless.add(key)
                else:
                    kept = Reservation(demand, node, self._now)
            if kept is None:
                continue  # the next may be the first of its priority that could run at all
            head = False
            if not kept.preempting:
                found.append(kept)
                taken.add(kept.node)
                left -= 1
            if not left:
                break
        return tuple(found)


def withhold(reservation: Reservation, entries: Sequence[Entry], now: datetime) -> int | None:
    """Keep the machines that are reserved from whoever is placed after this, until the cycle ends.

    Returns for how many of the pods that the job needs there is room on them; None where the node would not do for the
    job any more.
    """
    here = [e.candidate for e in entries if e.candidate.node.name == reservation.node]
    if not here:
        return None
    most = max(here, key=lambda candidate: (candidate.fit.pods_free, candidate.offer.pods_empty))
    demand, room, offer = reservation.demand, most.room, most.offer
    if reservation.preempting:  # in whichever form it will run
        kinds = frozenset[int]().union(*(candidate.offer.kinds for candidate in here))
        machines = {part: count for part, count in room.parts.items() if part[0] in kinds}
    else:
        machines = freest(room, offer, reservation.pods(now))
    need = offer.need or ()
    free = sum(pods_on(part[1], need) * count for part, count in machines.items() if part[0] in offer.kinds)
    if room.lent is not None:
        free = min(free, pods_on(room.lent, need))
    room.withhold(machines, need, demand)
    return min(free, demand.least)


def hold_for_others(snapshot: Snapshot, rooms: Rooms, demand: Demand) -> None:
    """Keep what is reserved for jobs that are placed before the demand."""
    for reservation in snapshot.reservations:
        other = reservation.demand
        if other.key != demand.key and other.priority >= demand.priority:
            withhold(reservation, rooms.job_class(other).entries, snapshot.now)


def freest(room: Room, offer: Offer, pods: int) -> dict[Part, int]:
    """As many machines as hold so many of the offer's pods when empty, those with most free first."""
    need = offer.need or ()
    usable = [part for part in room.parts if part[0] in offer.kinds]
    usable.sort(key=lambda part: (-min((1000 * part[1][axis] // amount for axis, amount in need), default=0), part))
    chosen: dict[Part, int] = {}
    for part in usable:
        if pods <= 0:
            break
        each = pods_on(room.kinds[part[0]].allocatable, need)
        chosen[part] = min(room.parts[part], -(-pods // each))
        pods -= chosen[part] * each
    return chosen


def _most_promising(entries: Sequence[Entry], taken: set[str]) -> str | None:
    """The node with room for most of the job's pods now; of equals that with most machines for it, then by name."""

    def promise(candidate: Candidate) -> tuple[int, int, str]:
        return -candidate.fit.pods_free, -candidate.fit.pods_empty, candidate.node.name

    open_ones = [e.candidate for e in entries if e.candidate.node.name not in taken and not e.candidate.room.overdrawn]
    return min(open_ones, key=promise).node.name if open_ones else None
