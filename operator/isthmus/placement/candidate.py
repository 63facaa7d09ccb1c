"""One node as one job sees it: the gathered facts on which filters and scores decide."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from .cost import per_hour
from .demand import Demand
from .fit import Fit, Offer, fit_of, offer_of
from .site import Site
from .snapshot import NodeView, in_force


@dataclass(frozen=True, slots=True)
class Fleet:
    """What is known over all nodes: the accelerator models that any of them has."""

    models: tuple[str, ...]


def fleet_of(nodes: Iterable[NodeView]) -> Fleet:
    """The fleet that the nodes make up."""
    return Fleet(tuple(sorted({t.accelerator.model for n in nodes if n.profile for t in n.profile.accelerators})))


class Candidate:
    """A node, its room, and what both are to a job; computed when first asked for, kept while the room is the same."""

    __slots__ = ("_fit", "_offer", "_per_hour", "_version", "demand", "fleet", "least", "room", "site")

    def __init__(self, demand: Demand, site: Site, fleet: Fleet) -> None:
        self.demand = demand
        self.least = demand.least
        self.site = site
        self.room = site.room
        self.fleet = fleet
        self._offer: Offer | None = None
        self._per_hour: Decimal | None = None
        self._fit: Fit | None = None
        self._version = -1

    @property
    def node(self) -> NodeView:
        """The node as last seen."""
        return self.site.node

    @property
    def offer(self) -> Offer:
        """What the node's machines are to the job, whatever is free."""
        if self._offer is None:
            self._offer = offer_of(self.demand, self.room, in_force(self.node.price))
        return self._offer

    @property
    def per_hour(self) -> Decimal | None:
        """Price of an hour of the whole job here, or None where the node has no price for it."""
        if self._per_hour is None:
            self._per_hour = self.costs(self.demand.width)
        return self._per_hour

    def costs(self, width: int) -> Decimal | None:
        """Price of an hour of so many of the job's pods here, or None where the node has no price for them."""
        price = self.node.price
        return None if price is None else per_hour(self.demand, self.offer, price, width)

    @property
    def fit(self) -> Fit:
        """How many of the job's pods have room."""
        if self._fit is None or self._version != self.room.version:
            self._fit = fit_of(self.offer, self.room, self.demand.width)
            self._version = self.room.version
        return self._fit

    @property
    def fits(self) -> bool:
        """Whether all of the job's pods have room now, or as many as are worth a piece of a split job."""
        return self.fit.pods_free >= self.least

    def take(self, width: int) -> None:
        """Take so many of the job's pods out of the room, until it is undone."""
        if self.offer.need is not None:
            self.room.mark()
            self.room.take(self.offer.need, self.offer.kinds, width)
