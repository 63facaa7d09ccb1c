"""Preemption: which work of lower priority is stopped so that a job that found no room gets it.

Only what is preemptible and of a lower priority, on nodes whose offer allows it, and only where the job then fits for
certain, per machine. It is stopped by whole shards, on one node for each job: of all nodes where that helps, on the one
that loses least work. The room that it leaves is the job's alone until it is placed (see `reservation`); it is sent
there by the node's real figures, never by what is expected of them.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from .allowance import Allowance
from .demand import Demand
from .fit import Offer, offer_of
from .jobclass import Entry, JobClass
from .release import release
from .room import Need, Room, pods_on
from .running import RunningShard
from .snapshot import Snapshot, in_force
from .victims import Victim, by_loss, cheapest, total

CLAIMS = 8
"""Jobs at most for which victims are looked for in one cycle; the next cycle goes on."""
NODES_TRIED = 16
"""Nodes of which the victims are worked out, for one job in one cycle: those where it seems to lose least."""
VICTIMS_TRIED = 256
"""Shards of one node that are looked at, those that lose least."""


Known = dict[str, tuple[Victim, Offer]]
"""By Dispatch, what stopping a shard loses, and what its node's machines are to its pods."""


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
        self._now = snapshot.now
        self._by_node: dict[str, list[RunningShard]] = defaultdict(list)
        self._served: dict[str, str] = {}
        for shard in snapshot.running:
            if shard.claimed_by:
                self._served.setdefault(shard.claimed_by, shard.node)
            elif shard.preemptible:
                self._by_node[shard.node].append(shard)
        self._lowest = min((s.priority for shards in self._by_node.values() for s in shards), default=None)
        self._left = CLAIMS
        self._known: Known = {}
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
        kind = (key, demand.priority)
        if self._lowest is None or demand.priority <= self._lowest or self.claimed(demand) or kind in self._in_vain:
            return None
        if self._left <= 0:
            return None
        self._left -= 1
        limits = allowance.limits_of(demand.account)
        found = preemption(demand, job_class.entries, self._by_node, self._now, limits=limits, known=self._known)
        if found is None:
            self._in_vain.add(kind)
            return None
        self._served[demand.key] = found.node
        gone = {shard.dispatch for shard in found.victims}
        self._by_node[found.node] = [shard for shard in self._by_node[found.node] if shard.dispatch not in gone]
        return found


def preemption(
    demand: Demand,
    entries: Sequence[Entry],
    running: Mapping[str, Sequence[RunningShard]],
    now: datetime,
    *,
    limits: Allowance | None = None,
    known: Known | None = None,
) -> Preemption | None:
    """The preemption for a demand that loses least, by the rooms as they are; None where none would help.

    `entries` are the nodes that would do but for room, `running` is what runs, by node, and `limits` are those of the
    job's account: what it may not have is not made room for. `known` saves work within a cycle. Where a job may be
    split, the node comes first that gives room to most of its pods.
    """
    known = {} if known is None else known
    there = ((entry, running.get(entry.candidate.node.name, ())) for entry in entries)
    plans = [
        plan for entry, shards in there if (plan := _Plan.of(demand, entry, shards, now, limits=limits, known=known))
    ]
    plans.sort(key=lambda plan: (-plan.width, plan.estimate(), plan.node))
    best: tuple[tuple[int, int, int, str], Preemption] | None = None
    for plan in plans[:NODES_TRIED]:
        victims = plan.victims()
        if victims is None:
            continue
        key = (-plan.width, total(victims), len(victims), plan.node)
        if best is None or key < best[0]:
            notice = plan.entry.candidate.node.preemption_notice_seconds
            shards = tuple(victim.shard for victim in victims)
            best = key, Preemption(demand, plan.node, shards, plan.width, notice)
    return best[1] if best is not None else None


@dataclass(frozen=True, slots=True)
class _Plan:
    """One node on which shards may be stopped for a job, and for how many of its pods that gives room at most."""

    entry: Entry
    candidates: tuple[Victim, ...]
    offers: Mapping[str, Offer]
    width: int

    @classmethod
    def of(
        cls,
        demand: Demand,
        entry: Entry,
        running: Sequence[RunningShard],
        now: datetime,
        *,
        limits: Allowance | None,
        known: Known,
    ) -> "_Plan | None":
        candidate = entry.candidate
        node, room = candidate.node, candidate.room
        lower = [shard for shard in running if shard.preemptible and shard.priority < demand.priority]
        if not lower or not node.preemption_allowed or room.overdrawn:
            return None
        if limits is not None and not limits.permits(demand, candidate.pod):
            return None
        for shard in lower:
            if shard.dispatch not in known:
                offer = offer_of(shard.demand, room, in_force(node.price))
                known[shard.dispatch] = Victim(shard, shard.lost_seconds(now) * _share(shard, room)), offer
        found = sorted((known[shard.dispatch][0] for shard in lower), key=by_loss)[:VICTIMS_TRIED]
        offers = {victim.shard.dispatch: known[victim.shard.dispatch][1] for victim in found}
        plan = cls(entry, tuple(found), offers, 0)
        most = demand.width if limits is None else limits.pods(demand.account, candidate.pod, demand.width)
        width = min(plan.fits(found), most)
        return cls(entry, tuple(found), offers, width) if width >= demand.least else None

    @property
    def node(self) -> str:
        return self.entry.candidate.node.name

    def estimate(self) -> int:
        """What it loses at least, about: the cheapest whose pods together ask for what the job does."""
        need = self.entry.candidate.demand.request
        given: dict[str, int] = defaultdict(int)
        lost = 0
        missing = self.width - self.entry.candidate.fit.there
        for victim in self.candidates:
            if all(given[name] >= amount * missing for name, amount in need.items()):
                break
            lost += victim.lost
            for name, amount in victim.shard.demand.request.items():
                given[name] += amount * victim.shard.width
        return lost

    def victims(self) -> tuple[Victim, ...] | None:
        """Those to be stopped."""
        return cheapest(self.candidates, lambda some: self.fits(some) >= self.width)

    def fits(self, stopped: Iterable[Victim]) -> int:
        """For how many of the job's pods there is certain to be room once these have stopped."""
        candidate = self.entry.candidate
        room, wanted = candidate.room.copy(), _there(candidate.offer, candidate.room)
        alike: dict[tuple[Need, frozenset[int]], tuple[Offer, int]] = {}
        for victim in stopped:  # equal pods are given back at once, which is far quicker
            held = self.offers[victim.shard.dispatch]
            kind = held.need or (), held.kinds
            alike[kind] = held, alike.get(kind, (held, 0))[1] + victim.shard.width
        for held, pods in alike.values():
            release(room, held, pods, wanted)
            room.give_back(held.need or (), pods)
        need = wanted.need or ()
        fits = sum(pods_on(part[1], need) * count for part, count in room.parts.items() if part[0] in wanted.kinds)
        return fits if room.lent is None else min(fits, pods_on(room.lent, need))


def _there(offer: Offer, room: Room) -> Offer:
    """The offer without machines that are yet to come: it is not certain that they do."""
    return offer._replace(kinds=offer.kinds - room.coming) if room.coming else offer


def _share(shard: RunningShard, room: Room) -> int:
    """The per mille of the node's largest machine that one of its pods takes, by what it takes most of; at least 1."""
    largest = {name: max(kind.allocatable[axis] for kind in room.kinds) for name, axis in room.axes.items()}
    shares = (1000 * amount // largest[name] for name, amount in shard.demand.request.items() if largest.get(name))
    return max(1, *shares, 0)
