from decimal import Decimal
from typing import Any

import pytest
from tests.unit.placement.fleets import A100, GPU, T4, demand, node, shape, snapshot

from isthmus.api.computejob import NodeVerdict
from isthmus.placement import NodeView, place
from isthmus.placement.stated import EnergyView, Lapse

LAPSED = EnergyView(lapse=Lapse("was valid until yesterday"))


def grams(number: str, **watts: str) -> EnergyView:
    """A figure in force, and watts by model."""
    return EnergyView(Decimal(number), {model: Decimal(each) for model, each in watts.items()})


def told(*nodes: NodeView, objective: str = "Greenest", **facts: Any) -> dict[str, NodeVerdict]:
    """The verdicts on the nodes, the winner first."""
    (assignment,) = place(snapshot(*nodes), [demand(objective=objective, **facts)]).assignments
    return {verdict.node: verdict for verdict in assignment.explanation.nodes}


def parts(verdicts: dict[str, NodeVerdict]) -> dict[str, int | None]:
    """The score of carbon by node."""
    return {name: verdict.parts["carbon"] if verdict.parts else None for name, verdict in verdicts.items()}


@pytest.mark.parametrize(
    ("figures", "scores"),
    [
        pytest.param(
            {"a": grams("300"), "b": grams("100"), "c": grams("400")}, {"a": 33, "b": 100, "c": 25}, id="share"
        ),
        pytest.param({"a": grams("300"), "b": grams("0")}, {"a": 0, "b": 100}, id="nothing is least"),
        pytest.param({"a": grams("0"), "b": grams("0")}, {"a": 100, "b": 100}, id="all of them"),
        pytest.param({"a": grams("900"), "b": None}, {"a": 100, "b": 0}, id="unstated is not guessed"),
        pytest.param({"a": grams("900"), "b": LAPSED}, {"a": 100, "b": 0}, id="lapsed is not used"),
        pytest.param({"a": None, "b": None}, {"a": 0, "b": 0}, id="nobody states any"),
        pytest.param({"a": grams("99999.999999"), "b": grams("0.000001")}, {"a": 0, "b": 100}, id="extremes"),
    ],
)
def test_score(figures: dict[str, EnergyView | None], scores: dict[str, int]) -> None:
    """The least has 100, others the least over their own; one without a figure in force has 0."""
    assert parts(told(*(node(name, shape(), energy=each) for name, each in figures.items()))) == scores


def test_what_accelerators_draw() -> None:
    """Where all state what the job's accelerators draw, that counts; where one does not, none of them does."""
    thrifty = node("thrifty", shape(accelerator=T4), energy=grams("200", **{"Tesla-T4": "70"}))
    strong = node("strong", shape(accelerator=A100), energy=grams("100", **{"*": "280"}))
    silent = node("silent", shape(accelerator=A100), energy=grams("50"))
    assert parts(told(thrifty, strong, gpus=2)) == {"thrifty": 100, "strong": 50}
    assert parts(told(thrifty, strong, silent, gpus=2)) == {"silent": 100, "strong": 50, "thrifty": 25}
    assert parts(told(thrifty, strong)) == {"strong": 100, "thrifty": 50}, "it would hold none"


def test_the_highest_draw_counts() -> None:
    """Where the job may get one model or another on a node, it is not credited with the lesser draw."""
    both = (shape(accelerator=T4), shape(accelerator=A100))
    mixed = node("mixed", *both, energy=grams("100", **{"Tesla-T4": "70", "*": "400"}))
    plain = node("plain", shape(accelerator=T4), energy=grams("100", **{"*": "100"}))
    assert parts(told(mixed, plain, request={GPU: 1, "pods": 1})) == {"plain": 100, "mixed": 25}


@pytest.mark.parametrize(
    ("figures", "objective", "notes"),
    [
        pytest.param(
            {"a": grams("1"), "b": LAPSED},
            "Balanced",
            {"a": None, "b": "carbon 0: the node's carbon intensity was valid until yesterday"},
            id="lapsed",
        ),
        pytest.param(
            {"a": grams("1"), "b": None},
            "Balanced",
            {"a": None, "b": "carbon 0: the node states no carbon intensity"},
            id="others state it",
        ),
        pytest.param({"a": None, "b": None}, "Balanced", {"a": None, "b": None}, id="nobody does, nobody asks"),
        pytest.param(
            {"a": None},
            "Greenest",
            {"a": "carbon 0: the node states no carbon intensity"},
            id="nobody does, and it was asked for",
        ),
        pytest.param({"a": grams("1"), "b": LAPSED}, "Cheapest", {"a": None, "b": None}, id="it counts nothing"),
    ],
)
def test_why_it_is_0(figures: dict[str, EnergyView | None], objective: str, notes: dict[str, str | None]) -> None:
    """The explanation says why a node has no carbon score, where that matters."""
    verdicts = told(*(node(name, shape(), energy=each) for name, each in figures.items()), objective=objective)
    assert {name: each.message for name, each in verdicts.items()} == notes
