"""What runs and may be stopped, by node, that first which loses least: sorted once in a cycle, for all jobs in it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from .candidate import Candidate
from .demand import Demand
from .fit import Looks, Offer, offer_of
from .running import RunningShard
from .snapshot import in_force
from .victims import Victim, by_loss

_TRIES = 32
_FEW = 1000


class Stoppable:
    """The shards of one cycle that nobody has claimed.

    `kinds` are their pods' demands, each kind once. `tries` are how many states of machines times kinds of pods may be
    tried on one node: more where less runs, so that a cycle takes no longer.
    """

    def __init__(self, running: Iterable[RunningShard], now: datetime) -> None:
        self._now = now
        self._shards: dict[str, list[RunningShard]] = defaultdict(list)
        priorities: list[int] = []
        for shard in running:
            if shard.preemptible:
                self._shards[shard.node].append(shard)
                priorities.append(shard.demand.priority)
        self._victims: dict[str, list[Victim]] = {}
        self._places: dict[object, int] = {}
        self._looks: list[Looks] = []
        self._offers: dict[tuple[str, int], Offer] = {}
        self.kinds: list[Demand] = []
        self.lowest = min(priorities, default=None)
        self._highest = max(priorities, default=0)
        self.tries = max(_TRIES, _TRIES * _FEW // max(1, len(priorities)))

    def below(self, priority: int, candidate: Candidate) -> Sequence[Victim]:
        """Those of a lower priority on the candidate's node."""
        there = self._on(candidate)
        return there if self._highest < priority else [v for v in there if v.shard.demand.priority < priority]

    def offer(self, candidate: Candidate, kind: int) -> Offer:
        """What the node's machines are to pods of the kind."""
        key = candidate.node.name, kind
        found = self._offers.get(key)
        if found is None:
            price = in_force(candidate.node.price)
            found = self._offers[key] = offer_of(self.kinds[kind], candidate.room, price, self._looks[kind])
        return found

    def claimed(self, node: str, shards: Sequence[RunningShard]) -> None:
        """These shards of the node are no other job's any more."""
        gone = {shard.dispatch for shard in shards}
        self._victims[node] = [each for each in self._victims[node] if each.shard.dispatch not in gone]

    def _on(self, candidate: Candidate) -> Sequence[Victim]:
        node = candidate.node.name
        found = self._victims.get(node)
        if found is None:
            shares: dict[int, int] = {}
            found = self._victims[node] = []
            for shard in self._shards.get(node, ()):
                kind = self._kind(shard.demand)
                if kind not in shares:
                    shares[kind] = _share(shard.demand, candidate.room.largest)
                found.append(Victim(shard, shard.lost_seconds(self._now) * shares[kind], kind))
            found.sort(key=by_loss)
        return found

    def _kind(self, demand: Demand) -> int:
        key = (
            tuple(demand.request.items()),
            demand.models,
            demand.minimum_memory_bytes,
            demand.partition_profile,
            tuple(demand.machine_selector.items()),
            tuple([(each.key, each.operator, each.value, each.effect) for each in demand.machine_tolerations]),
        )
        kind = self._places.setdefault(key, len(self.kinds))
        if kind == len(self.kinds):
            self.kinds.append(demand)
            self._looks.append({})
        return kind


def _share(demand: Demand, largest: Mapping[str, int]) -> int:
    """The per mille of the node's largest machine that one of its pods takes, by what it takes most of; at least 1."""
    shares = (1000 * amount // largest[name] for name, amount in demand.request.items() if largest.get(name))
    return max(1, *shares, 0)
