from typing import Any

import pytest
from tests.unit.placement.fleets import A100, GPU, T4, demand, node, price, shape, snapshot

from isthmus.placement import Assignment, NodeView, place
from isthmus.placement.objectives import OBJECTIVES


def _placed(*nodes: NodeView, **facts: Any) -> Assignment:
    (assignment,) = place(snapshot(*nodes), [demand(**facts)]).assignments
    return assignment


def _parts(assignment: Assignment, score: str) -> dict[str, int | None]:
    return {v.node: v.parts[score] if v.parts else None for v in assignment.explanation.nodes}


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_weights_are_percent(objective: str) -> None:
    """The weights of every objective sum to 100, so that the total of scores of 0..100 is one too."""
    assert sum(OBJECTIVES[objective].values()) == 100


def test_price() -> None:
    """The cheapest node has 100, others what share of their price that is."""
    nodes = [node(name, shape(), price=price(each)) for name, each in (("a", "0.00003"), ("b", "0.00001"), ("c", "0"))]
    found = _parts(_placed(*nodes[:2], request={"cpu": 1000, "pods": 1}), "price")
    assert found == {"a": 33, "b": 100}
    assert _parts(_placed(*nodes, request={"cpu": 1000, "pods": 1}), "price") == {"a": 0, "b": 0, "c": 100}


@pytest.mark.parametrize(
    ("facts", "scores"),
    [
        pytest.param({}, {"Core": 25, "Region": 50, "Industry": 75, "Edge": 100}, id="cpu work stays low"),
        pytest.param({"gpus": 2}, {"Core": 25, "Region": 50, "Industry": 75, "Edge": 100}, id="small gpu work too"),
        pytest.param(
            {"gpus": 2, "width": 4}, {"Core": 100, "Region": 75, "Industry": 50, "Edge": 25}, id="heavy goes up"
        ),
    ],
)
def test_tier(facts: dict[str, Any], scores: dict[str, int]) -> None:
    """Work stays as low as it can; what holds eight accelerators at once goes to the core."""
    nodes = [node(tier, shape(4, accelerator=T4), tier=tier) for tier in scores]
    assert _parts(_placed(*nodes, **facts), "tier") == scores


def test_free() -> None:
    """The node that has more room left for the same is freer."""
    nodes = [node("a", shape(1, free={"cpu": 16000})), node("b", shape(1))]
    assert _parts(_placed(*nodes, width=8), "free") == {"a": 25, "b": 75}


@pytest.mark.parametrize(
    ("facts", "scores"),
    [
        pytest.param({"gpus": 2}, {"cpu": None, "full": 100, "open": 25}, id="fills a gap"),
        pytest.param({"gpus": 8}, {"cpu": None, "full": None, "open": 100}, id="fills a machine"),
        pytest.param({"gpus": 3, "width": 2}, {"cpu": None, "full": None, "open": 75}, id="two on a machine"),
        pytest.param({}, {"cpu": 100, "full": 0, "open": 0}, id="cpu work keeps off GPUs"),
    ],
)
def test_fragmentation(facts: dict[str, Any], scores: dict[str, int | None]) -> None:
    """A node where the job fills a machine's accelerators is better than one where it breaks into a block."""
    nodes = [
        node("cpu", shape(1)),
        node("full", shape(1, accelerator=A100, free={GPU: 2})),
        node("open", shape(1, accelerator=A100)),
    ]
    assert _parts(_placed(*nodes, **facts), "fragmentation") == scores


def test_cheapest_takes_the_cheapest() -> None:
    """Under Cheapest nothing outweighs a lower price, be it the smallest."""
    dear = node("a", shape(9), tier="Edge", price=price("0.000010001"))
    cheap = node("b", shape(1, accelerator=A100, free={"cpu": 1000}), tier="Core", price=price("0.00001"))
    facts = {"request": {"cpu": 1000, "pods": 1}}
    assert _placed(dear, cheap, objective="Cheapest", **facts).node == "b"
    assert _placed(dear, cheap, objective="Balanced", **facts).node == "a"


def test_equals_go_by_name() -> None:
    """Between nodes that are equal in everything the name decides."""
    assert _placed(node("b", shape()), node("a", shape())).node == "a"


@pytest.mark.parametrize("core", ["0", "9999999999999.999999999999"])
def test_extreme_prices(core: str) -> None:
    """Prices of nothing and of 10^12 give scores and estimates like any other."""
    placed = _placed(node("a", shape(), price=price(core)), node("b", shape(), price=price("1")))
    assert all(v.score is not None and 0 <= v.score <= 100 for v in placed.explanation.nodes)
    assert placed.estimate_per_hour is not None
