"""One node as one job sees it: the gathered facts on which filters and scores decide."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from .cost import per_hour
from .demand import Demand, Place
from .fit import Fit, Looks, Offer, fit_of, offer_of
from .holding import Holding, holding_of
from .site import Site
from .snapshot import NodeView, in_force


@dataclass(frozen=True, slots=True)
class Fleet:
    """What is known over all nodes: the accelerator models that any of them has, and prices of carrying data away.

    `egress` is by place, a GiB; `egress_lapses` says why a price that was stated there is not in force.
    """

    models: tuple[str, ...]
    egress: Mapping[Place, Decimal] = field(default_factory=dict)
    egress_lapses: Mapping[Place, str] = field(default_factory=dict)


def fleet_of(nodes: Iterable[NodeView]) -> Fleet:
    """The fleet that the nodes make up."""
    there = tuple(nodes)
    models = {t.accelerator.model for n in there if n.profile for t in n.profile.accelerators}
    return Fleet(tuple(sorted(models)), *_carriage(there))


def _carriage(nodes: Iterable[NodeView]) -> tuple[Mapping[Place, Decimal], Mapping[Place, str]]:
    prices: dict[Place, Decimal] = {}
    lapses: dict[Place, str] = {}
    for node in nodes:
        network = node.network
        if network is None:
            continue
        for place in (("node", node.name), ("region", node.region)):
            if network.egress is not None:
                prices[place] = max(prices.get(place, network.egress), network.egress)
            elif network.egress_lapse is not None:
                lapses[place] = f"the egress price of {node.name} {network.egress_lapse.message}"
    return prices, {place: why for place, why in lapses.items() if place not in prices}


class Candidate:
    """A node, its room, and what both are to a job; computed when first asked for, kept while the room is the same."""

    __slots__ = (
        "_fit",
        "_offer",
        "_per_hour",
        "_pod",
        "_version",
        "demand",
        "fleet",
        "least",
        "looks",
        "room",
        "site",
    )

    def __init__(self, demand: Demand, site: Site, fleet: Fleet, looks: Looks | None = None) -> None:
        self.demand = demand
        self.least = demand.least
        self.site = site
        self.room = site.room
        self.fleet = fleet
        self.looks = looks
        self._offer: Offer | None = None
        self._per_hour: Decimal | None = None
        self._pod: Holding | None = None
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
            self._offer = offer_of(self.demand, self.room, in_force(self.node.price), self.looks)
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
    def pod(self) -> Holding:
        """What one of the job's pods would hold here, as its account is measured."""
        if self._pod is None:
            self._pod = holding_of(self.demand.request, self.offer.accelerators, self.costs(1))
        return self._pod

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
