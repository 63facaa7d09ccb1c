"""What a node states of its energy, its network and its clearances, as it holds at one instant.

Figures that are not in force are left out, with the reason kept: nothing is decided by them, and that can be told.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from isthmus.api.computenode import ComputeNodeSpec
from isthmus.api.energy import Energy
from isthmus.api.network import Network

ANY_MODEL = "*"


class Bounded(Protocol):
    """A figure that is in force from an instant (included) until another (not included); unset is unbounded."""

    @property
    def valid_from(self) -> str | None:
        """RFC 3339."""

    @property
    def valid_until(self) -> str | None:
        """RFC 3339."""


@dataclass(frozen=True, slots=True)
class Lapse:
    """Why a figure is not in force; `pending` where it will be by itself."""

    message: str
    pending: bool = False


@dataclass(frozen=True, slots=True)
class EnergyView:
    """Grams of CO2 equivalent for a kWh that machines use (PUE times the grid's), and watts by model, `*` any other.

    `grams` is None where no figure is in force; `lapse` says why, where one was stated.
    """

    grams: Decimal | None = None
    watts: Mapping[str, Decimal] = field(default_factory=dict)
    lapse: Lapse | None = None

    def of_model(self, model: str) -> Decimal | None:
        """What an accelerator of the model draws at work, in watts, or None where that is not stated."""
        found = self.watts.get(model)
        return self.watts.get(ANY_MODEL) if found is None else found


@dataclass(frozen=True, slots=True)
class NetworkView:
    """Round trips to regions in milliseconds, and the price of carrying a GiB out, in the hub's currency.

    `lapses` are by region, `egress_lapse` of the price: what was stated and is not in force.
    """

    latencies: Mapping[str, int] = field(default_factory=dict)
    lapses: Mapping[str, Lapse] = field(default_factory=dict)
    egress: Decimal | None = None
    egress_lapse: Lapse | None = None


@dataclass(frozen=True, slots=True)
class Stated:
    """All of it. `until` is the next instant at which some of it comes into force or ends; None where none does."""

    energy: EnergyView | None
    network: NetworkView | None
    classifications: frozenset[str]
    jurisdictions: frozenset[str]
    until: datetime | None

    @property
    def lapses(self) -> Iterator[str]:
        """What is stated and not in force, in words."""
        if self.energy is not None and self.energy.lapse is not None:
            yield f"the carbon intensity {self.energy.lapse.message}"
        if self.network is not None:
            yield from (f"the latency to {region} {found.message}" for region, found in self.network.lapses.items())
            if self.network.egress_lapse is not None:
                yield f"the egress price {self.network.egress_lapse.message}"


def stated(spec: ComputeNodeSpec, now: datetime, currency: str) -> Stated:
    """What the node states as it holds at `now` (aware), prices in `currency` alone."""
    return Stated(
        energy=None if spec.energy is None else _energy(spec.energy, now),
        network=None if spec.network is None else _network(spec.network, now, currency),
        classifications=frozenset(spec.clearances.classifications),
        jurisdictions=frozenset(spec.clearances.jurisdictions),
        until=min((at for at in _bounds(spec) if at > now), default=None),
    )


def has_figures(spec: ComputeNodeSpec) -> bool:
    """Whether the node states any figure that can be in force or not."""
    return any(True for _ in _figures(spec))


def lapse(figure: Bounded, now: datetime) -> Lapse | None:
    """Why the figure is not in force at `now`, or None where it is."""
    if figure.valid_from is not None and now < datetime.fromisoformat(figure.valid_from):
        return Lapse(f"is valid from {figure.valid_from}", pending=True)
    if figure.valid_until is not None and now >= datetime.fromisoformat(figure.valid_until):
        return Lapse(f"was valid until {figure.valid_until}")
    return None


def _energy(energy: Energy, now: datetime) -> EnergyView:
    intensity = energy.carbon_intensity
    gone = None if intensity is None else lapse(intensity, now)
    return EnergyView(
        grams=None
        if intensity is None or gone is not None
        else Decimal(energy.pue) * Decimal(intensity.grams_per_kilowatt_hour),
        watts={each.model: Decimal(each.watts) for each in energy.watts},
        lapse=gone,
    )


def _network(network: Network, now: datetime, currency: str) -> NetworkView:
    lapses = {each.region: found for each in network.latencies if (found := lapse(each, now)) is not None}
    egress, gone = network.egress, None
    if egress is not None:
        gone = lapse(egress, now)
        if egress.currency != currency:
            gone = Lapse(f"is in {egress.currency}, the hub bills in {currency}")
    return NetworkView(
        latencies={each.region: each.milliseconds for each in network.latencies if each.region not in lapses},
        lapses=lapses,
        egress=None if egress is None or gone is not None else Decimal(egress.price_per_gibibyte),
        egress_lapse=gone,
    )


def _figures(spec: ComputeNodeSpec) -> Iterator[Bounded]:
    if spec.energy is not None and spec.energy.carbon_intensity is not None:
        yield spec.energy.carbon_intensity
    if spec.network is not None:
        yield from spec.network.latencies
        if spec.network.egress is not None:
            yield spec.network.egress


def _bounds(spec: ComputeNodeSpec) -> Iterator[datetime]:
    for figure in _figures(spec):
        for text in (figure.valid_from, figure.valid_until):
            if text is not None:
                yield datetime.fromisoformat(text)
