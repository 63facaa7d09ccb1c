from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from tests.unit.placement.fleets import (
    A100,
    GPU,
    NETWORKS,
    NOW,
    T4,
    UNHURRIED,
    demand,
    fleets,
    node,
    queues,
    shape,
    snapshot,
)

from isthmus.api.quantities import GIBIBYTE
from isthmus.placement import Demand, NodeView, examine, place
from isthmus.placement.forms import Form

CORE = node(
    "core",
    shape(4, accelerator=A100),
    region="north",
    labels={"site": "a"},
    jurisdictions=frozenset({"CN"}),
    classifications=frozenset({"Secret"}),
    network=NETWORKS[1],
)
EDGE = node(
    "edge",
    shape(4, accelerator=T4),
    tier="Edge",
    region="south",
    labels={"site": "b"},
    jurisdictions=frozenset({"EU"}),
    network=NETWORKS[2],
)
BARE = node("bare", shape(9), tier="Region", region="west")
FLEET = (CORE, EDGE, BARE)


@pytest.mark.parametrize(
    ("asked", "one", "other"),
    [
        pytest.param(
            {"tiers": ("Edge",), "models": ("A100",), "gpus": 1},
            "placement.tiers [Edge]",
            "placement.accelerator.models [A100]",
            id="tier and model",
        ),
        pytest.param(
            {"regions": ("north",), "node_selector": {"site": "b"}},
            "placement.regions [north]",
            "placement.nodeSelector site=b",
            id="region and label",
        ),
        pytest.param(
            {"regions": ("north", "west"), "residency": ("EU",)},
            "placement.regions [north, west]",
            "placement.data.residency [EU]",
            id="regions and residency",
        ),
        pytest.param(
            {"classification": "Secret", "residency": ("EU",)},
            "placement.data.classification Secret",
            "placement.data.residency [EU]",
            id="class and residency",
        ),
        pytest.param(
            {"models": ("T4",), "minimum_memory_bytes": 40 * GIBIBYTE, "gpus": 1},
            "placement.accelerator.models [T4]",
            "placement.accelerator.minimumMemory 40Gi",
            id="model and memory",
        ),
        pytest.param(
            {"tiers": ("Region",), "gpus": 2},
            "placement.tiers [Region]",
            f"the pods' {GPU}",
            id="tier and resource",
        ),
        pytest.param(
            {"tiers": ("Edge",), "latencies": (("r1", 15),)},
            "placement.tiers [Edge]",
            "placement.maxLatencyMilliseconds r1: 15",
            id="tier and latency",
        ),
    ],
)
def test_pair(asked: dict[str, Any], one: str, other: str) -> None:
    """The message names the two constraints that no node meets together, and how many meet each."""
    job = demand(**asked)
    (unplaced,) = place(snapshot(*FLEET), [job]).unplaced
    assert (unplaced.reason, unplaced.never) == ("ContradictoryConstraints", True)
    assert unplaced.message.startswith(f"{one} and {other} contradict each other: ")
    assert examine(snapshot(*FLEET), job).summary == unplaced.message


def test_counts() -> None:
    """It is told how many nodes meet each of the two."""
    (unplaced,) = place(snapshot(*FLEET), [demand(tiers=("Edge",), models=("A100",), gpus=1)]).unplaced
    assert unplaced.message == (
        "placement.tiers [Edge] and placement.accelerator.models [A100] contradict each other: 1 node meets the first, "
        "1 node meets the second, none both; change one of the two"
    )


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        pytest.param({"tiers": ("Industry",), "regions": ("north",)}, "TierMismatch", id="no node meets one of them"),
        pytest.param(
            {"models": ("V100",), "gpus": 1, "tiers": ("Edge",)}, "NoSuitableNode", id="no node has the model"
        ),
        pytest.param(
            {"regions": ("north", "south"), "tiers": ("Core", "Region"), "node_selector": {"site": "b"}},
            "ContradictoryConstraints",
            id="of three, two contradict",
        ),
        pytest.param({"gpus": 64}, "NoSuitableNode", id="a size is no contradiction"),
    ],
)
def test_what_is_none(asked: dict[str, Any], reason: str) -> None:
    """What no node meets by itself keeps the reason of its own."""
    (unplaced,) = place(snapshot(*FLEET), [demand(**asked)]).unplaced
    assert unplaced.reason == reason


def test_variants() -> None:
    """Of a job in several forms only what all of them share is looked at: what one form asks for binds no other."""
    forms = (Form("nvidia", {GPU: 1, "pods": 1}, models=("A100",)), Form("huge", {"cpu": 10**9, "pods": 1}))
    edge = demand(tiers=("Edge",), request={GPU: 1, "pods": 1}, models=("A100",), forms=forms)
    (unplaced,) = place(snapshot(*FLEET), [edge]).unplaced
    assert unplaced.never
    assert unplaced.reason != "ContradictoryConstraints"
    both = demand(tiers=("Edge",), regions=("north",), forms=forms)
    (unplaced,) = place(snapshot(*FLEET), [both]).unplaced
    assert unplaced.message.startswith("placement.tiers [Edge] and placement.regions [north] contradict each other")


def test_a_node_that_meets_both_ends_it() -> None:
    """Once a node meets both, be it full or away, the job waits for it as for any other."""
    job = demand(tiers=("Edge",), models=("A100",), gpus=1)
    away = node("away", shape(accelerator=A100), tier="Edge", ready=False)
    (unplaced,) = place(snapshot(*FLEET, away), [job]).unplaced
    assert (unplaced.reason, unplaced.never) == ("NodesUnavailable", False)


@pytest.mark.parametrize("seconds", [0, -1, -86400])
def test_deadline_before_creation(seconds: int) -> None:
    """A job that was to be done before it was made goes nowhere, whatever nodes there are; its message names both."""
    job = demand(deadline=NOW + timedelta(seconds=seconds), created=NOW)
    for there in ((), FLEET):
        outcome = place(snapshot(*there), [job, demand("other")])
        unplaced = next(each for each in outcome.unplaced if each.demand.key == "job")
        assert (unplaced.reason, unplaced.never) == ("ContradictoryConstraints", True)
        assert "spec.deadline " in unplaced.message
        assert "metadata.creationTimestamp 2026-03-01T12:00:00Z contradict each other" in unplaced.message
        assert len(outcome.assignments) == (1 if there else 0)


@UNHURRIED
@given(fleet=fleets(), jobs=queues())
def test_it_is_never_said_of_what_can_run(fleet: tuple[NodeView, ...], jobs: tuple[Demand, ...]) -> None:
    """Where one is told, every node is ruled out for good."""
    for unplaced in place(snapshot(*fleet), jobs).unplaced:
        if unplaced.reason == "ContradictoryConstraints":
            assert unplaced.never
            assert len(unplaced.explanation.nodes) == len(fleet)
            assert all(each.reason for each in unplaced.explanation.nodes)
