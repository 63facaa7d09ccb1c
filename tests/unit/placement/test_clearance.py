from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from tests.unit.placement.fleets import NETWORKS, UNHURRIED, demand, fleets, node, queues, shape, snapshot

from isthmus.placement import Demand, NodeView, Rooms, place
from isthmus.placement.stated import Lapse, NetworkView

GONE = NetworkView({}, {"r1": Lapse("was valid until yesterday")})
SOON = NetworkView({}, {"r1": Lapse("is valid from tomorrow", pending=True)})


@pytest.mark.parametrize(
    ("there", "asked", "verdict"),
    [
        pytest.param(
            {},
            {"classification": "Secret"},
            ("NotCleared", "data of class Secret; the node is cleared for none", True),
            id="unstated is not cleared",
        ),
        pytest.param(
            {"classifications": frozenset({"Public", "Internal"})},
            {"classification": "Secret"},
            ("NotCleared", "data of class Secret; the node is cleared for Internal, Public", True),
            id="another class",
        ),
        pytest.param({"classifications": frozenset({"Secret"})}, {"classification": "Secret"}, None, id="cleared"),
        pytest.param(
            {"classifications": frozenset({"secret"})},
            {"classification": "Secret"},
            ("NotCleared", "data of class Secret; the node is cleared for secret", True),
            id="names are compared letter by letter",
        ),
        pytest.param(
            {},
            {"residency": ("CN", "HK")},
            ("ResidencyMismatch", "data that may be in CN or HK; the node is cleared for none", True),
            id="no jurisdiction stated",
        ),
        pytest.param(
            {"jurisdictions": frozenset({"EU"})},
            {"residency": ("CN",)},
            ("ResidencyMismatch", "data that may be in CN; the node is cleared for EU", True),
            id="another jurisdiction",
        ),
        pytest.param(
            {"jurisdictions": frozenset({"EU", "HK"})}, {"residency": ("CN", "HK")}, None, id="one of them will do"
        ),
        pytest.param(
            {},
            {"latencies": (("r1", 20),)},
            ("LatencyUnknown", "wants r1 within 20 ms; the node states no latency to it", True),
            id="no network stated",
        ),
        pytest.param(
            {"network": NETWORKS[1], "region": "r9"},
            {"latencies": (("r1", 20), ("r9", 20))},
            ("LatencyUnknown", "wants r9 within 20 ms; the node states no latency to it", True),
            id="its own region is stated like any other",
        ),
        pytest.param(
            {"network": NETWORKS[2]},
            {"latencies": (("r1", 20),)},
            ("LatencyTooHigh", "wants r1 within 20 ms; it is 30 ms from here", True),
            id="too far",
        ),
        pytest.param(
            {"network": GONE},
            {"latencies": (("r1", 20),)},
            ("LatencyUnknown", "wants r1 within 20 ms; the node's latency to it was valid until yesterday", False),
            id="no longer in force",
        ),
        pytest.param(
            {"network": SOON},
            {"latencies": (("r1", 20),)},
            ("LatencyUnknown", "wants r1 within 20 ms; the node's latency to it is valid from tomorrow", False),
            id="not yet in force",
        ),
        pytest.param({"network": NETWORKS[2]}, {"latencies": (("r1", 30),)}, None, id="just near enough"),
        pytest.param({"network": GONE}, {}, None, id="no limit, no matter"),
    ],
)
def test_verdict(there: dict[str, Any], asked: dict[str, Any], verdict: tuple[str, str, bool] | None) -> None:
    """A node without the clearance, or not known to be near enough, is passed over, with the reason."""
    outcome = place(snapshot(node("n", shape(), **there)), [demand(**asked)])
    if verdict is None:
        assert [a.node for a in outcome.assignments] == ["n"]
    else:
        ((told,),) = [each.explanation.nodes for each in outcome.unplaced]
        assert (told.reason, told.message, outcome.unplaced[0].never) == verdict


def _allowed(job: Demand, there: NodeView) -> bool:
    near = {} if there.network is None else there.network.latencies
    return (
        (job.classification is None or job.classification in there.classifications)
        and (not job.residency or any(each in there.jurisdictions for each in job.residency))
        and all(region in near and near[region] <= limit for region, limit in job.latencies)
    )


@UNHURRIED
@given(fleet=fleets(), jobs=queues())
def test_never_broken(fleet: tuple[NodeView, ...], jobs: tuple[Demand, ...]) -> None:
    """No job, nor a part of one, is ever given to a node that lacks a clearance or is not known to be near enough."""
    nodes = {each.name: each for each in fleet}
    for assignment in place(snapshot(*fleet), jobs).assignments:
        assert _allowed(assignment.demand, nodes[assignment.node])


def test_a_clearance_that_is_taken_away_counts_at_once() -> None:
    """What is kept from cycle to cycle does not outlive what it was decided by."""
    rooms, job = Rooms(), demand(residency=("CN",), classification="Secret", latencies=(("r1", 20),))
    good = node(
        "n",
        shape(),
        jurisdictions=frozenset({"CN"}),
        classifications=frozenset({"Secret"}),
        network=NETWORKS[1],
    )
    assert place(snapshot(good), [job], rooms=rooms).assignments
    lacking: tuple[dict[str, Any], ...] = (
        {"jurisdictions": frozenset()},
        {"classifications": frozenset()},
        {"network": GONE},
    )
    for less in lacking:
        assert not place(snapshot(replace(good, **less)), [job], rooms=rooms).assignments
        assert place(snapshot(good), [job], rooms=rooms).assignments


def test_jobs_of_other_classes_share_no_verdict() -> None:
    """Jobs that differ in nothing but what their data asks for are told apart in one cycle."""
    nodes = [
        node(f"{word}-{place_}", shape(), classifications=frozenset({word}), jurisdictions=frozenset({place_}))
        for word, place_ in product(("Public", "Secret"), ("CN", "EU"))
    ]
    jobs = [
        demand(f"{word}-{place_}", classification=word, residency=(place_,))
        for word, place_ in product(("Public", "Secret"), ("CN", "EU"))
    ]
    found = place(snapshot(*nodes), jobs).assignments
    assert {a.demand.key: a.node for a in found} == {job.key: job.key for job in jobs}
