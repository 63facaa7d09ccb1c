"""Preemption: which work of lower priority is stopped so that a job that found no room gets it.

Only what is preemptible and of a lower priority, on nodes whose offer allows it, and only where the job then fits for
certain, per machine. It is stopped by whole shards, on one node for each job: of all nodes where that helps, on the one
that loses least work. The room that it leaves is the job's alone until it is placed (see `reservation`); it is sent
there by the node's real figures, never by what is expected of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from isthmus.api.quantities import PODS

from .allowance import Allowance
from .candidate import Candidate
from .certain import WHOLE, Certain, counted
from .demand import Demand
from .jobclass import Entry, JobClass
from .running import RunningShard
from .snapshot import Snapshot
from .stoppable import Stoppable
from .victims import Victim, cheapest, spared, total

CLAIMS = 8
"""Jobs at most for which room is made in one cycle; the next cycle goes on."""
TRIES = 24
"""Kinds of jobs at most for which that is tried in one cycle, as it may prove to be in vain."""
ALWAYS = 16
"""So many of them are those that come first. The others take turns:"""
TURNS = 16
"""in each half second it is that of one of so many."""
NODES_TRIED = 16
"""Nodes of which the victims are worked out, for one job in one cycle: those where it seems to lose least."""
VICTIMS_TRIED = 256
"""Shards of one node that are looked at, those that lose least."""

_Below = tuple[Candidate, Sequence[Victim]]
"""A node that would do but for room, and what may be stopped there."""


@dataclass(frozen=True, slots=True)
class Preemption:
    """Shards of a node to be stopped for a job, and for how many of its pods there is certain to be room then."""

    demand: Demand
    node: str
    victims: tuple[RunningShard, ...]
    width: int
    notice_seconds: int


class Claims:
    """What runs and may be stopped in this cycle: whatever one job claims is no other's."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._served: dict[str, str] = {}
        for shard in snapshot.running:
            if shard.claimed_by:
                self._served.setdefault(shard.claimed_by, shard.node)
        self._stoppable = Stoppable((each for each in snapshot.running if not each.claimed_by), snapshot.now)
        self._left = CLAIMS
        self._tries = TRIES
        self._kinds = 0
        self._turn = int(snapshot.now.timestamp() * 2)
        self._in_vain: set[tuple[tuple[object, ...], int]] = set()

    def claimed(self, demand: Demand) -> bool:
        """Whether work is being stopped for the job already."""
        return demand.key in self._served

    def node_of(self, demand: Demand) -> str | None:
        """The node on which work is being stopped for the job; None where none is."""
        return self._served.get(demand.key)

    def claim(
        self, key: tuple[object, ...], demand: Demand, job_class: JobClass, allowance: Allowance
    ) -> Preemption | None:
        """What is to be stopped for a job that found no room; None where nothing may be, or it would not help."""
        kind, lowest = (key, demand.priority), self._stoppable.lowest
        if lowest is None or demand.priority <= lowest or self.claimed(demand) or kind in self._in_vain:
            return None
        if self._left <= 0:
            return None
        limits = allowance.limits_of(demand.account)
        nodes = _below_on(demand, job_class.entries, self._stoppable, limits)
        found = preemption(demand, nodes, self._stoppable, limits) if nodes and self._tried() else None
        if found is None:
            self._in_vain.add(kind)
            return None
        self._left -= 1
        self._served[demand.key] = found.node
        self._stoppable.claimed(found.node, found.victims)
        return found

    def _tried(self) -> bool:
        """Whether it is the next kind's turn: jobs that nothing helps must not keep those behind them from theirs."""
        place = self._kinds
        self._kinds += 1
        if self._tries <= 0 or (place >= ALWAYS and (place + self._turn) % TURNS):
            return False
        self._tries -= 1
        return True


def preemption(
    demand: Demand, nodes: Iterable[_Below], stoppable: Stoppable, limits: Allowance | None
) -> Preemption | None:
    """The preemption for a demand that loses least, by the rooms as they are; None where none would help.

    `nodes` are those that would do but for room, each with what may be stopped there, and `limits` those of the job's
    account: what it may not have is not made room for. Where a job may be split, the node comes first that gives room
    to most of its pods.
    """
    sizes: dict[str | None, _Sizes] = {}
    plans = []
    for candidate, lower in nodes:
        form = candidate.demand
        if form.variant not in sizes:
            sizes[form.variant] = _Sizes.of(form, stoppable.kinds)
        plans.append(_plan(candidate, lower, sizes[form.variant], limits))
    plans.sort(key=lambda plan: (-plan.width, plan.estimate, plan.node))
    best: tuple[tuple[int, int, int, str], Preemption] | None = None
    for plan in plans[:NODES_TRIED]:
        if best is not None and demand.split is None and plan.bound > best[0][1]:
            continue
        found = plan.victims(stoppable)
        if found is None:
            continue
        width, victims = found
        key = (-width, total(victims), len(victims), plan.node)
        if best is None or key < best[0]:
            notice = plan.candidate.node.preemption_notice_seconds
            shards = tuple(victim.shard for victim in victims)
            best = key, Preemption(demand, plan.node, shards, width, notice)
    return best[1] if best is not None else None


def _below_on(demand: Demand, entries: Iterable[Entry], stoppable: Stoppable, limits: Allowance | None) -> list[_Below]:
    """The nodes of the entries on which something may be stopped for the job."""
    return [(entry.candidate, below) for entry in entries if (below := _below(demand, entry, stoppable, limits))]


def _below(demand: Demand, entry: Entry, stoppable: Stoppable, limits: Allowance | None) -> Sequence[Victim]:
    """What may be stopped for the job on a node; nothing where its account may have no more."""
    candidate = entry.candidate
    if not candidate.node.preemption_allowed or candidate.room.overdrawn:
        return ()
    lower = stoppable.below(demand.priority, candidate)[:VICTIMS_TRIED]
    return lower if lower and (limits is None or limits.permits(demand, candidate.pod)) else ()


class _Sizes(NamedTuple):
    """How much of one of the job's pods a pod makes up, by its kind, in thousandths.

    `least` by what it has least of, `most` by what it has most of; the number of pods on a machine apart.
    """

    least: Sequence[int]
    most: Sequence[int]

    @classmethod
    def of(cls, wanted: Demand, kinds: Sequence[Demand]) -> "_Sizes":
        asked = [(name, amount) for name, amount in wanted.request.items() if amount and name != PODS]
        shares = [[WHOLE * kind.request.get(name, 0) // amount for name, amount in asked] or [WHOLE] for kind in kinds]
        return cls([min(each) for each in shares], [max(each) for each in shares])


@dataclass(frozen=True, slots=True)
class _Plan:
    """One node on which shards may be stopped for a job.

    `width` is for how many of its pods, at most, `estimate` what that seems to lose, and `bound` what it loses at
    least where it makes use of nothing that is free already.
    """

    candidate: Candidate
    lower: Sequence[Victim]
    width: int
    estimate: int
    bound: int

    @property
    def node(self) -> str:
        return self.candidate.node.name

    def victims(self, stoppable: Stoppable) -> tuple[int, tuple[Victim, ...]] | None:
        """For how many pods there will be room, and whom that takes; None where it is too few even without all."""
        certain, counts = Certain(self.candidate, stoppable), counted(self.lower)
        tried = certain.tried(len(counts))
        width, least = self.width, self.candidate.least
        if least < width:
            width = min(width, certain.most(counts) if tried else certain.least(counts))
        if width < least:
            return None

        def summed(some: Sequence[Victim]) -> bool:
            return certain.least(counted(some)) >= width

        def on_machines(some: Sequence[Victim]) -> bool:
            return summed(some) or certain.most(counted(some)) >= width

        found = cheapest(self.lower, on_machines if tried else summed)
        if found is not None and len(found) > 1 and not tried and certain.tried(len(counted(found))):
            found = tuple(spared(found, on_machines))
        return None if found is None else (width, found)


def _plan(candidate: Candidate, lower: Sequence[Victim], sizes: _Sizes, limits: Allowance | None) -> _Plan:
    demand, there = candidate.demand, candidate.fit.there
    most = demand.width if limits is None else limits.pods(demand.account, candidate.pod, demand.width)
    estimate, _ = _lost(lower, sizes.least, demand.width - there)
    bound, more = _lost(lower, sizes.most, demand.width - there)
    width = demand.width if demand.split is None else min(most, there + more)
    return _Plan(candidate, lower, width, estimate, bound)


def _lost(victims: Sequence[Victim], sizes: Sequence[int], pods: int) -> tuple[int, int]:
    """What it loses to stop the cheapest of them that make up so many pods, and how many all make up at most."""
    missing = made = WHOLE * pods
    lost = 0
    for victim in victims:
        size = sizes[victim.kind] * victim.shard.width
        if size >= missing:  # one alone
            return min(lost + victim.lost, victim.lost), pods
        if size:
            lost += victim.lost
            made -= size
            if made <= 0:
                return lost, pods
    return lost, pods - made // WHOLE
