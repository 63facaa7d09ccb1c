from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.placement.fleets import demand, node, shape, snapshot

from isthmus.api.computejob import NodeVerdict
from isthmus.api.quantities import GIBIBYTE
from isthmus.placement import NodeView, place
from isthmus.placement.demand import Input
from isthmus.placement.stated import Lapse, NetworkView

EAST, WEST = ("node", "east"), ("node", "west")


def carrying(price: str) -> NetworkView:
    """A network out of which a GiB costs so much."""
    return NetworkView(egress=Decimal(price))


def told(*nodes: NodeView, inputs: tuple[Input, ...], **facts: Any) -> dict[str, NodeVerdict]:
    """The verdicts on the nodes, for a job that reads these inputs."""
    (assignment,) = place(snapshot(*nodes), [demand(inputs=inputs, **facts)]).assignments
    return {verdict.node: verdict for verdict in assignment.explanation.nodes}


def parts(verdicts: dict[str, NodeVerdict]) -> dict[str, int | None]:
    """The score of data by node."""
    return {name: verdict.parts.get("data") if verdict.parts else None for name, verdict in verdicts.items()}


@pytest.mark.parametrize(
    ("networks", "inputs", "scores"),
    [
        pytest.param({}, (Input(EAST, 3), Input(WEST, 1)), {"east": 75, "west": 25, "other": 0}, id="by size"),
        pytest.param(
            {},
            (Input(("region", "r-east"), 1), Input(("region", "r-other"), 1)),
            {"east": 50, "west": 0, "other": 50},
            id="by region",
        ),
        pytest.param(
            {"east": carrying("0.1"), "west": carrying("0.9")},
            (Input(EAST, 9 * GIBIBYTE), Input(WEST, GIBIBYTE)),
            {"east": 50, "west": 50, "other": 0},
            id="by what carrying costs",
        ),
        pytest.param(
            {"east": carrying("1")},
            (Input(EAST, 1), Input(WEST, 3)),
            {"east": 25, "west": 75, "other": 0},
            id="one price is not known",
        ),
        pytest.param(
            {"east": carrying("0"), "west": carrying("0")},
            (Input(EAST, 1), Input(WEST, 3)),
            {"east": 25, "west": 75, "other": 0},
            id="all free",
        ),
        pytest.param(
            {}, (Input(("node", "gone"), 3), Input(EAST, 1)), {"east": 25, "west": 0, "other": 0}, id="no such node"
        ),
        pytest.param({}, (Input(EAST, 0),), {"east": 100, "west": 100, "other": 100}, id="nothing to carry"),
        pytest.param({}, (), {"east": None, "west": None, "other": None}, id="no inputs, no score"),
    ],
)
def test_score(networks: dict[str, NetworkView], inputs: tuple[Input, ...], scores: dict[str, int | None]) -> None:
    """A node has the share of the inputs that need not be carried to it."""
    nodes = [node(name, shape(), region=f"r-{name}", network=networks.get(name)) for name in ("east", "west", "other")]
    assert parts(told(*nodes, inputs=inputs)) == scores


def test_a_region_costs_what_its_dearest_node_states() -> None:
    """Where in a region the data is nobody says, so the dearest price stated there counts."""
    nodes = [
        node("a", shape(), region="r", network=carrying("1")),
        node("b", shape(), region="r", network=carrying("3")),
        node("west", shape(), region="s", network=carrying("1")),
    ]
    found = parts(told(*nodes, inputs=(Input(("region", "r"), GIBIBYTE), Input(WEST, GIBIBYTE))))
    assert found == {"a": 75, "b": 75, "west": 25}


def test_a_lapsed_price_is_told() -> None:
    """Where a price of carrying was stated and is not in force, sizes count, and each node's verdict says why."""
    gone = NetworkView(egress_lapse=Lapse("was valid until yesterday"))
    nodes = [node("east", shape(), network=gone), node("west", shape(), network=carrying("1"))]
    found = told(*nodes, inputs=(Input(EAST, 1), Input(WEST, 1)))
    assert parts(found) == {"east": 50, "west": 50}
    why = "data by size: the egress price of east was valid until yesterday"
    assert {verdict.message for verdict in found.values()} == {why}


def test_work_goes_to_its_data() -> None:
    """Of two nodes that are equal in all else, the one with most of the data gets the job."""
    nodes = [node("a", shape()), node("west", shape())]
    assert next(iter(told(*nodes, inputs=(Input(WEST, 100), Input(("node", "a"), 1))))) == "west"


@given(
    sizes=st.lists(st.integers(0, 1 << 60), min_size=1, max_size=6),
    price=st.sampled_from(("0", "0.000000000001", "1", "9999999999999.999999999999")),
)
def test_bounds(sizes: list[int], price: str) -> None:
    """Whatever sizes and prices, the score is 0 to 100, and all of the data at one place is 100 there, 0 elsewhere."""
    nodes = [node(name, shape(), network=carrying(price)) for name in ("east", "west")]
    inputs = tuple(Input(EAST, size) for size in sizes)
    assert parts(told(*nodes, inputs=inputs)) == {"east": 100, "west": 0 if any(sizes) else 100}
