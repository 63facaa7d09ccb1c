"""Who comes first: the higher priority; then the account that has had least for its weight; then the older job.

The accounts of a priority take turns by progressive filling of weighted dominant shares (Ghodsi et al., Dominant
Resource Fairness, NSDI 2011, §4.2): the account with the least share for its weight has the turn, its oldest job is
counted to it, and so on. A share is what the account will have held on average once what it holds has ended: what it
held of late (see `usage`), and what it holds now and has been given in the order so far, for as long as that is likely
to go on. So an account that was idle goes first, but not for ever, and within one cycle turns go round already.

Half of the job whose turn it would be counts as well, as seats are given in proportion by Webster and Sainte-Laguë:
without it small shares would be rounded up, and with all of it down. It never counts for more than the account has had,
so that one that has had nothing for long enough comes first, however little it weighs.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heapreplace
from math import log2

from isthmus.capacity.profile import Profile

from .accounts import AccountsView, dominant
from .demand import Demand
from .holding import counted_in, counts
from .snapshot import NodeView, Snapshot

MOST_URGENT = 2.0
LEAST_URGENT = 1.0
# So many steps of urgency for single jobs, and then for each doubling of their number.
_FINE = 64
_COARSE = 16


@dataclass(frozen=True, slots=True)
class Round:
    """Jobs that are placed together, in order; a round takes nothing from the rounds before it.

    `urgency` is by a demand's key, 1.0..2.0: what it costs to leave the job out is multiplied by it. Among accounts it
    falls along the order.
    """

    demands: tuple[Demand, ...]
    urgency: Mapping[str, float]


def rounds_of(
    snapshot: Snapshot, demands: Sequence[Demand], startable: Callable[[Demand], bool] | None = None
) -> tuple[Round, ...]:
    """The demands, the highest priority first. They depend on nothing but what is handed in, not on its order.

    Where several accounts want more than is free, the jobs of a priority make two rounds: those that what is free would
    hold if it were all on one machine, and the rest. So no job gets its place for being cheaper to run than one whose
    turn it is.
    Of a job that could not start now (`startable`; None says that all could) nothing is counted to its account: a gang
    that waits for room must not cost its account the turns of the small jobs behind it.
    """
    by_priority: dict[int, list[Demand]] = {}
    for demand in sorted(demands, key=_age):
        by_priority.setdefault(demand.priority, []).append(demand)
    ordered = [jobs for _, jobs in sorted(by_priority.items())[::-1]]
    accounts = {demand.account for demand in demands}
    if len(accounts) <= 1:
        return tuple(Round(tuple(jobs), dict.fromkeys((job.key for job in jobs), LEAST_URGENT)) for jobs in ordered)
    turns = _Turns(snapshot.accounts, capacity_of(node.profile for node in snapshot.nodes), accounts, startable)
    free = free_of(snapshot.nodes)
    return tuple(
        Round(part, _urgency(part)) for jobs in ordered for part in _parts(turns.order(jobs), free, turns.starts)
    )


def _parts(
    jobs: tuple[Demand, ...], free: dict[str, int], starts: Callable[[Demand], bool]
) -> Iterator[tuple[Demand, ...]]:
    """The jobs that what is free would hold, and the rest; what the former hold is free no more."""
    for place, job in enumerate(jobs):
        more = counted_in(job.request, job.width) if starts(job) else {}
        short = any(amount > free.get(name, amount) for name, amount in more.items())
        if short and place:
            yield jobs[:place]
            yield jobs[place:]
            return
        for name, amount in more.items():
            if name in free:
                free[name] = max(free[name] - amount, 0)
    yield jobs


def free_of(nodes: Iterable[NodeView]) -> dict[str, int]:
    """What is free on all nodes that are followed, by resource, without what was sent to them since."""
    total: dict[str, int] = {}
    for node in nodes:
        for name, amount in node.profile.free.items() if node.profile is not None else ():
            if counts(name):
                total[name] = total.get(name, 0) + amount
        for assumption in node.assumed:
            for name, amount in counted_in(assumption.demand.request, assumption.width).items():
                if name in total:
                    total[name] = max(total[name] - amount, 0)
    return total


def capacity_of(profiles: Iterable[Profile | None]) -> dict[str, int]:
    """What all nodes that are followed have, by resource, of what accounts are measured by."""
    total: dict[str, int] = {}
    for profile in profiles:
        for name, amount in profile.allocatable.items() if profile is not None else ():
            if counts(name):
                total[name] = total.get(name, 0) + amount
    return total


def _age(demand: Demand) -> tuple[object, ...]:
    return demand.created, demand.key


def _urgency(demands: Sequence[Demand]) -> dict[str, float]:
    """From 2 to 1 along the order; the further back, the more jobs share a step: each costs the program a column."""
    steps = [place if place < _FINE else _FINE + int(_COARSE * log2(place / _FINE)) for place in range(len(demands))]
    fall = (MOST_URGENT - LEAST_URGENT) / max(steps[-1], 1) if steps else 0.0
    return {each.key: MOST_URGENT - fall * step for each, step in zip(demands, steps, strict=True)}


class _Turns:
    """Shares as they become along the order, over all priorities of one cycle."""

    def __init__(
        self,
        accounts: AccountsView,
        capacity: Mapping[str, int],
        names: Iterable[str],
        startable: Callable[[Demand], bool] | None,
    ) -> None:
        self._capacity = capacity
        self._startable = startable
        self._weights = {name: accounts.of(name).limits.weight for name in names}
        self._ahead = accounts.ahead
        self._amounts = {name: _ahead(accounts, name, accounts.ahead) for name in self._weights}
        self._next: dict[str, dict[str, int]] = {}
        """What the next job of each account counts to it."""
        self._shares = {name: dominant(amounts, capacity) for name, amounts in self._amounts.items()}

    def order(self, jobs: Sequence[Demand]) -> tuple[Demand, ...]:
        """The jobs, oldest first, as their accounts take turns."""
        queues: dict[str, deque[Demand]] = {}
        for job in jobs:
            queues.setdefault(job.account, deque()).append(job)
        heap = [(self._standing(queue[0]), *_age(queue[0]), name) for name, queue in queues.items()]
        heapify(heap)
        ordered: list[Demand] = []
        while heap:
            name = str(heap[0][-1])
            queue = queues[name]
            job = queue.popleft()
            ordered.append(job)
            self._count(name)
            if queue:
                heapreplace(heap, (self._standing(queue[0]), *_age(queue[0]), name))
            else:
                heappop(heap)
        return tuple(ordered)

    def starts(self, job: Demand) -> bool:
        """Whether it could start now."""
        return self._startable is None or self._startable(job)

    def _standing(self, job: Demand) -> float:
        """The share, for its weight, of the account whose next job that is."""
        amounts, share = self._amounts[job.account], self._shares[job.account]
        counted = self._next[job.account] = counted_in(job.request, job.width) if self.starts(job) else {}
        for name, more in counted.items():
            there = self._capacity.get(name, 0)
            if there:
                had = amounts.get(name, 0.0)
                share = max(share, (had + min(more * self._ahead / 2, had)) / there)
        return share / self._weights[job.account]

    def _count(self, account: str) -> None:
        amounts = self._amounts[account]
        for name, more in self._next[account].items():
            amounts[name] = amounts.get(name, 0.0) + more * self._ahead
        self._shares[account] = dominant(amounts, self._capacity)


def _ahead(accounts: AccountsView, name: str, ahead: float) -> dict[str, float]:
    """What the account will have held on average; `ahead` is how much of that lies in what it holds now."""
    amounts = {resource: amount * (1 - ahead) for resource, amount in accounts.average(name).items()}
    for resource, amount in accounts.of(name).usage.held.items():
        amounts[resource] = amounts.get(resource, 0.0) + amount * ahead
    return amounts
