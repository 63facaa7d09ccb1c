"""One node as one job sees it: the gathered facts on which filters and scores decide."""

from collections.abc import Iterable
from decimal import Decimal
from functools import cached_property

from .cost import per_hour
from .demand import Demand
from .fit import Fit, Offer, fit_of, offer_of
from .room import Room
from .snapshot import NodeView, Snapshot


class Fleet:
    """What is known over all nodes: the accelerator models that any of them has."""

    def __init__(self, nodes: Iterable[NodeView]) -> None:
        self.models: tuple[str, ...] = tuple(
            sorted({total.accelerator.model for n in nodes if n.profile for total in n.profile.accelerators})
        )

    @classmethod
    def of(cls, snapshot: Snapshot) -> "Fleet":
        """The fleet of a snapshot."""
        return cls(snapshot.nodes)


class Candidate:
    """A node, its room, and what both are to a job; computed when first asked for, kept while the room is the same."""

    def __init__(self, demand: Demand, node: NodeView, room: Room, fleet: Fleet) -> None:
        self.demand = demand
        self.node = node
        self.room = room
        self.fleet = fleet
        self._fit: Fit | None = None
        self._version = -1

    @cached_property
    def offer(self) -> Offer:
        """What the node's machines are to the job, whatever is free."""
        price = self.node.price if self.node.price is not None and self.node.price.current else None
        return offer_of(self.demand, self.room, price)

    @cached_property
    def per_hour(self) -> Decimal | None:
        """Price of an hour of the whole job here, or None where the node has no price for it."""
        return None if self.node.price is None else per_hour(self.demand, self.offer, self.node.price)

    @property
    def fit(self) -> Fit:
        """How many of the job's pods have room."""
        if self._fit is None or self._version != self.room.version:
            self._fit = fit_of(self.offer, self.room, self.demand.width)
            self._version = self.room.version
        return self._fit

    @property
    def fits(self) -> bool:
        """Whether all of the job's pods have room now."""
        return self.fit.pods_free >= self.demand.width

    def take(self) -> None:
        """Take the job's pods out of the room."""
        if self.offer.need is not None:
            self.room.take(self.offer.need, self.offer.kinds, self.demand.width)
