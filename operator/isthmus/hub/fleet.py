"""All ComputeNodes with their live figures, and what was sent to each since: the snapshot that placement sees."""

import math
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime

from isthmus.agent.stoprate import StopRate
from isthmus.api.computenode import ComputeNode
from isthmus.capacity import AcceleratorTable, Profile, impossible
from isthmus.placement import (
    AssumedLedger,
    Demand,
    Holding,
    ShapeHint,
    Snapshot,
    Terms,
)

from .accounting import Accounting
from .dispatches import NodeDispatches
from .fleetnode import FleetNode
from .hinting import Hinting
from .lending import Lending
from .nodestatus import CONNECTING, IMPOSSIBLE, NO_PROFILE, NodeFacts
from .stopping import rate_of

_BEGINNING = frozenset({CONNECTING, NO_PROFILE})


class Fleet:
    """The nodes by name. `currency` is the hub's billing currency; `dispatches_of` gives a node's Dispatches.

    `monotonic` never jumps, in seconds.
    """

    def __init__(
        self,
        currency: str,
        dispatches_of: Callable[[str], NodeDispatches],
        monotonic: Callable[[], float],
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        accelerators: AcceleratorTable | None = None,
    ) -> None:
        self._currency = currency
        self._dispatches_of = dispatches_of
        self._monotonic = monotonic
        self._nodes: dict[str, FleetNode] = {}
        self._expected: set[str] = set()
        self._unread: set[str] = set()
        self._assumed = AssumedLedger()
        self._now = now
        self._lending = Lending(accelerators or AcceleratorTable.default())
        self.accounting = Accounting(currency, monotonic)
        """What the accounts hold on the nodes."""
        self.hinting = Hinting()
        """The machines in mind, by what jobs have asked for."""
        self._settled = False
        self._rates: dict[str, StopRate] = {}

    def get(self, name: str) -> FleetNode | None:
        """The node of that name."""
        return self._nodes.get(name)

    def all(self) -> Iterable[FleetNode]:
        """Every node."""
        return self._nodes.values()

    def expect(self, names: Iterable[str]) -> None:
        """Say which nodes there are, before the watch shows them: others have been removed."""
        self._expected.update(names)

    def still_there(self, names: Collection[str]) -> None:
        """Take in which nodes there are now: others that no watch has shown will not be shown any more."""
        self._expected.intersection_update(self._nodes.keys() | set(names))

    def unseen(self) -> int:
        """How many of the nodes that there are the watch has not shown yet."""
        return len(self._expected - self._nodes.keys() - self._unread)

    def unreadable(self, name: str) -> None:
        """The watch has shown the node, but in a form that we can't read: it is there, and nothing goes to it."""
        self._unread.add(name)

    def removed(self, name: str) -> bool:
        """Whether there is no such node (any more)."""
        return name not in self._nodes and name not in self._expected and name not in self._unread

    def settled(self) -> bool:
        """Whether each node was reached, or found to be out of reach, since the hub started. Once so, always so."""
        if not self._settled:
            self._settled = self.roll()[0] == 0
        return self._settled

    def roll(self) -> tuple[int, int]:
        """How many nodes are still to be reached or found to be out of reach, and how many are known to be either."""
        blocked = [known.facts.blocked() for known in self._nodes.values()]
        beginning = sum(problem is not None and problem[0] in _BEGINNING for problem in blocked)
        return beginning + self.unseen(), len(blocked) - beginning

    def put(self, node: ComputeNode) -> FleetNode:
        """Take in a node as declared."""
        name = node.metadata["name"]
        self._unread.discard(name)
        known = self._nodes.get(name)
        if known is None:
            known = self._nodes[name] = FleetNode(node, NodeFacts())
        self.learn(node)
        return known

    def learn(self, node: ComputeNode) -> None:
        """Take in a form of a node, unless a newer one is known."""
        known = self._nodes.get(node.metadata["name"])
        if known is None:
            return
        same = known.node.metadata["uid"] == node.metadata["uid"]
        if not same or int(node.metadata["resourceVersion"]) > int(known.node.metadata["resourceVersion"]):
            known.node = node

    def drop(self, name: str) -> None:
        """The node is gone."""
        rate = self.stop_rate(name)
        if rate is not None:
            self._rates[name] = rate
        self._nodes.pop(name, None)
        self._expected.discard(name)
        self._unread.discard(name)
        self._assumed.drop(name)
        self._lending.drop(name)
        self.hinting.drop(name)

    def stop_rate(self, name: str) -> StopRate | None:
        """How fast the node's member stops pods, or did when the node was there: it may be at it still."""
        known = self._nodes.get(name)
        return (rate_of(known.node.status) if known is not None else None) or self._rates.get(name)

    def observed(self, name: str, profile: Profile) -> bool:
        """New figures of a node, in the order in which they were made; whether the node is judged anew for them.

        Figures that can't be are set aside, and so is the node until such as can be come.
        """
        known = self._nodes.get(name)
        if known is None:
            return False
        before, wrong = known.facts.quarantine, impossible(profile)
        known.facts.quarantine = wrong if wrong is None else (IMPOSSIBLE, f"the member's figures can't be: {wrong}")
        if wrong is None:
            known.profile = profile
            self._assumed.cover(name, profile)
        return known.facts.quarantine != before

    def lost_sight(self, name: str) -> None:
        """The node's figures are no longer followed."""
        known = self._nodes.get(name)
        if known is not None:
            known.profile = known.facts.quarantine = None

    def takes(self, name: str) -> bool:
        """Whether there is such a node still, and it takes new work."""
        known = self._nodes.get(name)
        return known is not None and known.node.spec.scheduling_state == "Active" and known.facts.blocked() is None

    def next_sequence(self, name: str) -> int:
        """A number for a Dispatch of the node that was never given out before."""
        known = self._nodes[name]
        stored = known.node.status.profile
        known.sequence = 1 + max(
            known.sequence,
            stored.sequence if stored else 0,
            max(stored.visible_beyond, default=0) if stored else 0,
            self._dispatches_of(name).highest_sequence,
        )
        return known.sequence

    def assume(self, name: str, sequence: int, demand: Demand, width: int, holding: Holding) -> None:
        """Subtract a Dispatch that is about to be written from the node's room, and count it to its account."""
        self._assumed.assume(name, sequence, demand, width)
        self.accounting.begin(name, sequence, demand.account, holding)

    def renumber(self, name: str, sequence: int, demand: Demand, width: int, holding: Holding) -> int:
        """Another number for a Dispatch that is still to be written, under which it is subtracted from now on.

        A number that has not come to the agent for long is taken for one that will not (`SequenceTracker`): a Dispatch
        that was written under it after that would be in no figures and not be subtracted either.
        """
        fresh = self.next_sequence(name)
        self.assume(name, fresh, demand, width, holding)
        self.forget(name, sequence)
        return fresh

    def forget(self, name: str, sequence: int) -> None:
        """The Dispatch was not written after all, or has ended."""
        self._assumed.forget(name, sequence)
        self.accounting.end(name, sequence)

    def cluster_uid(self, name: str) -> str:
        """The UID of the cluster that is the node's member. Raises KeyError where there is no such node."""
        return self._nodes[name].facts.cluster_uid

    def hinder(self, name: str, reason: str, message: str) -> None:
        """No Dispatch can be written for the node: it takes no new shards until that is over."""
        known = self._nodes.get(name)
        if known is not None:
            known.facts.hindrance = (reason, message)

    def hint(self, name: str, demand: Demand) -> ShapeHint | None:
        """A machine of the node that would suit the demand's pods, by its latest figures."""
        known = self._nodes.get(name)
        return None if known is None or known.profile is None else self.hinting.hint(name, known.profile, demand)

    def live(self, name: str) -> int:
        """How many shards stand on the node."""
        return len(self._dispatches_of(name).live())

    def drained(self, name: str) -> bool:
        """Whether what stands on the node is to be moved away."""
        known = self._nodes.get(name)
        if known is None:
            return False
        spec = known.node.spec
        return spec.scheduling_state == "Drained" or self._lending.reclaimed(name, spec.offer, self._now())

    def closed(self, name: str) -> str:
        """Why the node's offer is closed at this hour; empty where it is not."""
        known = self._nodes.get(name)
        return "" if known is None else self._lending.closed(name, known.node.spec.offer, self._now())

    def offer_changes_in(self, name: str) -> float:
        """Seconds until the node's offer opens or closes, or its work is reclaimed; infinite where that never is."""
        known = self._nodes.get(name)
        return math.inf if known is None else self._lending.changes_in(name, known.node.spec.offer, self._now())

    def unreachable(self, names: Iterable[str]) -> dict[str, str]:
        """Those of the nodes whose member can't be reached, and has not been for some seconds, with why.

        One that is not yet known to be out of reach is not among them: a hub that has just started knows of none.
        """
        found: dict[str, str] = {}
        for name in names:
            known = self._nodes.get(name)
            problem = known.facts.trouble if known is not None else None
            if problem is not None and self.lost_in(name) == 0:
                found[name] = problem[0]
            elif self.removed(name):
                found[name] = "NodeRemoved"
        return found

    def lost_in(self, name: str) -> float | None:
        """Seconds until the node is among the unreachable, if it does not come back; None where it can be reached."""
        known = self._nodes.get(name)
        return known.facts.lasting_in(self._monotonic()) if known is not None else None

    def snapshot(self, now: datetime) -> Snapshot:
        """What placement may know at `now`."""
        nodes = tuple(
            known.view(
                now,
                self._currency,
                assumed=self._assumed.of(name),
                terms=self._terms(name, known, now),
                reliability=self._dispatches_of(name).record.percent(now),
            )
            for name, known in self._nodes.items()
        )
        return Snapshot(nodes, now, self.accounting.view())

    def _terms(self, name: str, known: FleetNode, now: datetime) -> Terms | None:
        offer, dispatches = known.node.spec.offer, self._dispatches_of(name)
        if offer is None:
            return None
        return self._lending.terms(
            name, offer, known.profile, lambda: dispatches.holdings.sums(dispatches.live(), self._assumed.of(name)), now
        )
