from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.placement.fleets import NOW, demand, node, price, shape

from isthmus.api.objective import SCORES
from isthmus.placement import NodeView, Rooms, Snapshot, examine, place
from isthmus.placement.deadline import STEPS, urgency
from isthmus.placement.demand import Input
from isthmus.placement.objectives import OBJECTIVES, percent, weights_of
from isthmus.placement.scores import ROOM, STANDING
from isthmus.placement.stated import EnergyView, NetworkView

NEAR = {"latencies": (("r1", 20),)}
READS = {"inputs": (Input(("node", "west"), 1),)}


def test_weights_name_the_scores_that_there_are() -> None:
    """What the API lets a job weigh is what there is a score for."""
    assert set(SCORES) == {*STANDING, *ROOM}
    assert {name for table in OBJECTIVES.values() for name in table} <= set(SCORES)


@pytest.mark.parametrize(
    ("asked", "weights"),
    [
        pytest.param({**NEAR, **READS}, OBJECTIVES["Balanced"], id="balanced in full"),
        pytest.param({"objective": "Greenest"}, {"carbon": 100}, id="an objective of one score"),
        pytest.param({"objective": "Fastest"}, {"free": 56, "reliability": 44}, id="silent scores give theirs away"),
        pytest.param({"weights": {"price": 1, "carbon": 2}}, {"price": 33, "carbon": 67}, id="its own, in proportion"),
        pytest.param({"weights": {"price": 100}, "objective": "Greenest"}, {"price": 100}, id="its own go first"),
        pytest.param(
            {"weights": {"latency": 50, "price": 50}, **NEAR}, {"price": 50, "latency": 50}, id="a score that speaks"
        ),
        pytest.param({"weights": {"latency": 50, "price": 1}}, {"price": 100}, id="one that is silent"),
    ],
)
def test_weights(asked: dict[str, Any], weights: dict[str, int]) -> None:
    """A job's weights in percent, without those that count nothing."""
    assert {name: each for name, each in weights_of(demand(**asked)).items() if each} == weights


def test_only_silent_ones() -> None:
    """A job that weighs nothing but what can't be told for it is placed as if it had asked for nothing."""
    assert weights_of(demand(weights={"latency": 100})) == weights_of(demand())


@given(st.dictionaries(st.sampled_from(SCORES), st.integers(0, 100), min_size=1).filter(lambda w: any(w.values())))
def test_percent(weights: dict[str, int]) -> None:
    """Percent sum to 100, are off by less than one, and give nothing to what has no weight."""
    found, total = percent(weights), sum(weights.values())
    assert sum(found.values()) == 100
    assert all(abs(found[name] - Decimal(100 * each) / total) < 1 for name, each in weights.items())
    assert all(each or not found[name] for name, each in weights.items())


def test_no_weight_at_all() -> None:
    """Weights that sum to zero are an error, as the API server says before."""
    with pytest.raises(ValueError, match="sum to zero"):
        percent({"price": 0})


@pytest.mark.parametrize(
    ("run", "minutes", "step"),
    [
        pytest.param(None, 0, 0, id="all of it is left"),
        pytest.param(None, 49, 0, id="more than half"),
        pytest.param(None, 50, 1, id="half"),
        pytest.param(None, 75, 2, id="a quarter"),
        pytest.param(None, 88, 3, id="an eighth"),
        pytest.param(None, 100, 4, id="none"),
        pytest.param(None, 1000, 4, id="it has passed"),
        pytest.param(60 * 60, 20, 1, id="half of the time until it must start"),
        pytest.param(60 * 60, 40, 4, id="it must start now"),
        pytest.param(60 * 200, 0, 4, id="there never was enough"),
        pytest.param(2**63 - 1, 0, 4, id="more than there are dates for"),
    ],
)
def test_urgency(run: int | None, minutes: int, step: int) -> None:
    """How near a deadline in 100 minutes is, minute by minute."""
    job = demand(deadline=NOW + timedelta(minutes=100), run_seconds=run)
    assert urgency(job, NOW + timedelta(minutes=minutes)) == step
    assert urgency(demand(run_seconds=run), NOW + timedelta(minutes=minutes)) == 0


@given(
    objective=st.sampled_from(sorted(OBJECTIVES)),
    own=st.none() | st.dictionaries(st.sampled_from(SCORES), st.integers(1, 100), min_size=1),
)
def test_urgency_only_ever_makes_price_count_less(objective: str, own: dict[str, int] | None) -> None:
    """Step by step price and carbon count no more than before, but for a percent of rounding, and at the last nothing.

    The sum stays 100.
    """
    steps = [weights_of(demand(objective=objective, weights=own, urgency=step)) for step in range(STEPS + 1)]
    assert all(sum(weights.values()) == 100 for weights in steps)
    for name in ("price", "carbon"):
        assert all(later[name] <= earlier[name] + 1 for earlier, later in pairwise(steps))
        assert steps[-1][name] == 0


def _fleet() -> tuple[NodeView, ...]:
    cheap = node("cheap", shape(1, free={"cpu": 1000}), reliability=55)
    return cheap, node("dear", shape(9), price=price("0.00002"))


def test_a_job_that_would_be_late_pays_more() -> None:
    """As its deadline nears, a job goes where there is room and nothing gets lost, though it costs twice as much."""
    rooms, job = Rooms(), demand(objective="Cheapest", deadline=NOW + timedelta(hours=8))
    times = {0: "cheap", 5: "cheap", 7.5: "dear", 9: "dear"}
    for hours, expected in times.items():
        at = Snapshot(_fleet(), NOW + timedelta(hours=hours))
        (found,) = place(at, [job], rooms=rooms).assignments
        assert found.node == expected, hours
        assert examine(at, job).findings[0].node == expected
        assert place(at, [demand(objective="Cheapest")], rooms=rooms).assignments[0].node == "cheap"


def test_objectives_choose() -> None:
    """Each objective takes the node that is best in what it is for."""
    dear = price("0.00009")
    nodes = (
        node("cheap", shape(2)),
        node("green", shape(2), price=dear, energy=EnergyView(Decimal(1))),
        node("west", shape(2), price=dear, network=NetworkView({"r1": 1})),
    )
    chosen = {
        objective: place(Snapshot(nodes, NOW), [demand(objective=objective, inputs=READS["inputs"])])
        .assignments[0]
        .node
        for objective in ("Cheapest", "Greenest", "Fastest")
    }
    assert chosen == {"Cheapest": "cheap", "Greenest": "green", "Fastest": "west"}


@pytest.mark.parametrize(("there", "score"), [(0, 100), (5, 75), (19, 5), (20, 0)])
def test_latency(there: int, score: int) -> None:
    """The score is what is left of the limit, for the region where least is."""
    near = node("n", shape(), network=NetworkView({"r1": there, "r2": 0}))
    (found,) = place(Snapshot((near,), NOW), [demand(latencies=(("r1", 20), ("r2", 50)))]).assignments
    assert found.explanation.nodes[0].parts is not None
    assert found.explanation.nodes[0].parts["latency"] == score


def test_reliability() -> None:
    """Of nodes that are equal in all else the more reliable one gets the job; the score is the hub's record."""
    nodes = (node("a", shape(), reliability=80), node("b", shape(), reliability=100))
    (found,) = place(Snapshot(nodes, NOW), [demand()]).assignments
    assert found.node == "b"
    assert [v.parts["reliability"] for v in found.explanation.nodes if v.parts] == [100, 80]
