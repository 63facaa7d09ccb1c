"""Constraints of a job that can't be met together: which two, for a job that no node could ever run.

Two contradict each other where some nodes meet the one and some the other, and none meets both. What no node meets by
itself is no contradiction: its own reason tells it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from isthmus.api.quantities import MEMORY, text
from isthmus.capacity.accelerators import model_matches
from isthmus.capacity.profile import Accelerator

from .demand import Demand
from .snapshot import NodeView
from .wording import asked

CONTRADICTORY = "ContradictoryConstraints"

Spot = tuple[str, int]
"""A node and the place of one of its accelerators; -1 is the node without any."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """What is asked for, as the manifest has it, and where it is met."""

    wanted: str
    met: frozenset[Spot]

    @property
    def nodes(self) -> int:
        """How many nodes meet it."""
        return len({name for name, _ in self.met})


def alone(demand: Demand) -> str | None:
    """Which two constraints of the job contradict each other, whatever nodes there are, or None."""
    if demand.deadline is None or demand.deadline > demand.created:
        return None
    asked_for, made = (f"{each:%Y-%m-%dT%H:%M:%SZ}" for each in (demand.deadline, demand.created))
    return (
        f"spec.deadline {asked_for} and metadata.creationTimestamp {made} contradict each other: "
        "it was to be done before it was made; move the deadline, or take it out"
    )


def together(demand: Demand, nodes: Sequence[NodeView]) -> str | None:
    """The first two constraints of the job that some nodes meet each and none both, or None where there are none."""
    found = list(_constraints(demand, nodes))
    if not all(each.met for each in found):
        return None
    for one, other in combinations(found, 2):
        if one.met.isdisjoint(other.met):
            return (
                f"{one.wanted} and {other.wanted} contradict each other: {_counted(one.nodes)} the first, "
                f"{_counted(other.nodes)} the second, none both; change one of the two"
            )
    return None


def _counted(nodes: int) -> str:
    return "1 node meets" if nodes == 1 else f"{nodes} nodes meet"


def _constraints(demand: Demand, nodes: Sequence[NodeView]) -> Iterator[Constraint]:
    yield from _of_nodes(demand, nodes)
    if not demand.forms:  # each form asks for other machines, and one that will do is enough
        yield from _of_machines(demand, nodes)


def _of_nodes(demand: Demand, nodes: Sequence[NodeView]) -> Iterator[Constraint]:
    """What the nodes' declarations meet or not."""

    def where(wanted: str, met: Sequence[bool]) -> Constraint:
        pairs = zip(nodes, met, strict=True)
        return Constraint(wanted, frozenset(spot for node, good in pairs if good for spot in _spots(node)))

    if demand.tiers:
        yield where(f"placement.tiers {_list(demand.tiers)}", [node.tier in demand.tiers for node in nodes])
    if demand.regions:
        yield where(f"placement.regions {_list(demand.regions)}", [node.region in demand.regions for node in nodes])
    for key, value in sorted(demand.node_selector.items()):
        yield where(f"placement.nodeSelector {key}={value}", [node.labels.get(key) == value for node in nodes])
    if demand.classification is not None:
        wanted = f"placement.data.classification {demand.classification}"
        yield where(wanted, [demand.classification in node.classifications for node in nodes])
    if demand.residency:
        wanted = f"placement.data.residency {_list(demand.residency)}"
        yield where(wanted, [not node.jurisdictions.isdisjoint(demand.residency) for node in nodes])
    for region, limit in demand.latencies:
        wanted = f"placement.maxLatencyMilliseconds {region}: {limit}"
        yield where(wanted, [_within(node, region, limit) for node in nodes])


def _of_machines(demand: Demand, nodes: Sequence[NodeView]) -> Iterator[Constraint]:
    """What the nodes' accelerators and machines meet or not."""
    there = [(spot, held) for node in nodes for spot, held in _held(node)]
    if demand.models:
        fits = [spot for spot, a in there if any(model_matches(wanted, a.model) for wanted in demand.models)]
        yield Constraint(f"placement.accelerator.models {_list(demand.models)}", frozenset(fits))
    if demand.minimum_memory_bytes:
        least = demand.minimum_memory_bytes
        fits = [spot for spot, a in there if (a.memory_bytes or 0) >= least]
        yield Constraint(f"placement.accelerator.minimumMemory {text(MEMORY, least)}", frozenset(fits))
    if demand.partition_profile:
        fits = [spot for spot, a in there if a.partition_profile == demand.partition_profile]
        yield Constraint(f"placement.accelerator.partitionProfile {demand.partition_profile}", frozenset(fits))
    for resource in (name for name, _ in asked(demand) if "/" in name):
        offering = (node for node in nodes if node.profile and node.profile.allocatable.get(resource))
        fits = [spot for spot, a in there if a.resource_name == resource]
        fits += [spot for node in offering for spot in _spots(node) if not _tells(node, resource)]
        yield Constraint(f"the pods' {resource}", frozenset(fits))


def _tells(node: NodeView, resource: str) -> bool:
    """Whether the node's profile names accelerators of the resource, so that these are where it is."""
    return any(held.resource_name == resource for _, held in _held(node))


def _held(node: NodeView) -> list[tuple[Spot, Accelerator]]:
    totals = node.profile.accelerators if node.profile else ()
    return [((node.name, place), total.accelerator) for place, total in enumerate(totals)]


def _spots(node: NodeView) -> list[Spot]:
    return [(node.name, -1), *(spot for spot, _ in _held(node))]


def _within(node: NodeView, region: str, limit: int) -> bool:
    here = None if node.network is None else node.network.latencies.get(region)
    return here is not None and here <= limit


def _list(words: Sequence[str]) -> str:
    return f"[{', '.join(words)}]"
