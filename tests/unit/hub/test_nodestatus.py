from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from isthmus.agent.stoprate import StopRate
from isthmus.api.computenode import ComputeNode, ComputeNodeStatus
from isthmus.api.conditions import find
from isthmus.hub.nodestatus import CONNECTING, NO_PROFILE, NodeFacts, figures_verdict, node_status
from isthmus.placement.stated import stated
from isthmus.settlement.tariff import tariff_state

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = datetime(2026, 11, 22, 13, tzinfo=UTC)
TARIFF = {"version": "1", "currency": "CNY", "prices": {"coreSecond": "0.0001", "gibibyteSecond": "0.00001"}}
Table = dict[str, tuple[str, str]]


def node(status: ComputeNodeStatus | None = None, **spec: Any) -> ComputeNode:
    """A node in its second generation."""
    declared = {
        "identity": {"code": "CN-1"},
        "tier": "Core",
        "region": {"code": "cn-east"},
        "access": {"local": {}},
        "tariff": TARIFF,
        **spec,
    }
    metadata = {"name": "n1", "uid": "u1", "generation": 2}
    made = ComputeNode.model_validate({"metadata": metadata, "spec": declared})
    return made if status is None else made.model_copy(update={"status": status})


def status_of(of: ComputeNode, facts: NodeFacts, now: datetime = NOW) -> ComputeNodeStatus:
    """Its status in a hub that bills in CNY."""
    return node_status(of, facts, tariff=tariff_state(of.spec.tariff, now, "CNY"), profile=None, jobs=0, now=now)


def told(status: ComputeNodeStatus) -> Table:
    """Status and reason by condition."""
    return {c.type: (c.status, c.reason) for c in status.conditions}


UP = NodeFacts(connected=True, problem=None, observed=True, cluster_uid="c1", version="v1.36.3")
DOWN = NodeFacts(problem=("Timeout", "no answer in 10 s"), observed=True, cluster_uid="c1", version="v1.36.3")
CONNECTED, READY = ("True", "Connected"), ("True", "Ready")
CURRENT = ("True", "Current")


def everything(blocked: tuple[str, str]) -> Table:
    """Ready and Schedulable share the reason that blocks the node."""
    return {"Reachable": CONNECTED, "Schedulable": blocked, "PriceCurrent": CURRENT, "Ready": blocked}


FIGURES: dict[str, Any] = {
    "energy": {
        "pue": "1.5",
        "carbonIntensity": {"gramsPerKilowattHour": "400", "source": "x", "validUntil": "2026-11-22T12:30:00Z"},
    },
    "network": {"latencies": [{"region": "r1", "milliseconds": 3, "validFrom": "2026-11-22T12:10:00Z"}]},
}


def test_figures_that_are_not_in_force_are_told() -> None:
    """FiguresCurrent stands there where a node states figures, names what is not in force, and goes with them."""

    def current(of: ComputeNode, now: datetime) -> ComputeNodeStatus:
        figures = figures_verdict(of.spec, stated(of.spec, now, "CNY"))
        tariff = tariff_state(of.spec.tariff, now, "CNY")
        return node_status(of, UP, tariff=tariff, profile=None, jobs=0, now=now, figures=figures)

    between = NOW.replace(minute=20)
    assert told(current(node(**FIGURES), between))["FiguresCurrent"] == CURRENT
    for now, words in (
        (NOW, "the latency to r1 is valid from 2026-11-22T12:10:00Z"),
        (LATER, "the carbon intensity was valid until 2026-11-22T12:30:00Z"),
    ):
        condition = find(current(node(**FIGURES), now).conditions, "FiguresCurrent")
        assert condition is not None
        assert (condition.status, condition.reason) == ("False", "NotInForce")
        assert condition.message == f"{words}: nothing is decided by what is not in force; state it anew"
    before = current(node(**FIGURES), NOW)
    assert "FiguresCurrent" not in told(current(node(before), NOW))


@pytest.mark.parametrize(
    ("of", "facts", "conditions"),
    [
        pytest.param(
            node(),
            NodeFacts(),
            {**everything(("False", CONNECTING)), "Reachable": ("Unknown", CONNECTING)},
            id="connecting",
        ),
        pytest.param(
            node(),
            DOWN,
            {**everything(("False", "Timeout")), "Reachable": ("False", "Timeout")},
            id="unreachable",
        ),
        pytest.param(
            node(),
            NodeFacts(problem=None, connected=True, observed=True, misfit=("DuplicateMember", "n0 is it already")),
            {**everything(("False", "DuplicateMember")), "Reachable": ("False", "DuplicateMember")},
            id="misfit",
        ),
        pytest.param(
            node(), NodeFacts(problem=None, connected=True), everything(("False", NO_PROFILE)), id="no-profile"
        ),
        pytest.param(
            node(),
            NodeFacts(problem=None, connected=True, observed=True, deleting="2 shards stand on it"),
            everything(("False", "Deleting")),
            id="deleting",
        ),
        pytest.param(node(), UP, {**everything(READY), "Schedulable": ("True", "Schedulable")}, id="ready"),
        pytest.param(
            node(schedulingState="Cordoned"),
            UP,
            {**everything(READY), "Schedulable": ("False", "Cordoned")},
            id="cordoned",
        ),
        pytest.param(
            node(schedulingState="Drained", tariff=None),
            UP,
            {**everything(READY), "Schedulable": ("False", "Drained"), "PriceCurrent": ("False", "NoTariff")},
            id="drained-without-tariff",
        ),
        pytest.param(
            node(schedulingState="Cordoned"),
            DOWN,
            {**everything(("False", "Timeout")), "Reachable": ("False", "Timeout")},
            id="cordoned-and-unreachable",
        ),
        pytest.param(
            node(tariff={**TARIFF, "currency": "EUR"}),
            UP,
            {
                **everything(READY),
                "Schedulable": ("False", "CurrencyMismatch"),
                "PriceCurrent": ("False", "CurrencyMismatch"),
            },
            id="other-currency",
        ),
        pytest.param(
            node(tariff=None),
            UP,
            {**everything(READY), "Schedulable": ("False", "NoTariff"), "PriceCurrent": ("False", "NoTariff")},
            id="no-tariff",
        ),
        pytest.param(
            node(tariff={**TARIFF, "validUntil": "2026-11-22T12:00:00Z"}),
            UP,
            {**everything(READY), "Schedulable": ("False", "Expired"), "PriceCurrent": ("False", "Expired")},
            id="expired-at-this-instant",
        ),
        pytest.param(
            node(schedulingState="Cordoned", tariff=None),
            UP,
            {**everything(READY), "Schedulable": ("False", "Cordoned"), "PriceCurrent": ("False", "NoTariff")},
            id="cordoned-without-tariff",
        ),
    ],
)
def test_conditions(of: ComputeNode, facts: NodeFacts, conditions: Table) -> None:
    """Each state of affairs has its four conditions; no new shard goes to a node that is not Schedulable."""
    status = status_of(of, facts)
    assert told(status) == conditions
    assert {c.observed_generation for c in status.conditions} == {2}
    assert all(c.message for c in status.conditions)
    if facts.blocked() is not None:
        assert conditions["Schedulable"][0] == "False"


@pytest.mark.parametrize(
    "beginning",
    [NodeFacts(), NodeFacts(connected=True, problem=None)],
    ids=["connecting", "no-profile"],
)
@pytest.mark.parametrize("before", [UP, DOWN], ids=["was-ready", "was-unreachable"])
def test_a_hub_that_begins_tells_no_news(beginning: NodeFacts, before: NodeFacts) -> None:
    """Until it has found out for itself, a hub leaves standing what its forerunner wrote, but for a silence's end."""
    old = status_of(node(), before)
    new = status_of(node(old), beginning, LATER)
    if beginning.connected and before is DOWN:
        assert told(new) == {**told(old), "Reachable": CONNECTED}
    else:
        assert new == old


def test_what_was_found_out_of_the_member_stays() -> None:
    """UID and version of the member stay in the status while it can't be reached."""
    old = status_of(node(), UP)
    new = status_of(node(old), NodeFacts(problem=("Timeout", "no answer")), LATER)
    assert (new.cluster_uid, new.kubernetes_version) == ("c1", "v1.36.3")
    times = {c.type: c.last_transition_time for c in new.conditions}
    assert times == {
        "Reachable": "2026-11-22T13:00:00Z",
        "Schedulable": "2026-11-22T13:00:00Z",
        "Ready": "2026-11-22T13:00:00Z",
        "PriceCurrent": "2026-11-22T12:00:00Z",
    }


def test_a_word_that_cant_be_read() -> None:
    """What is wrong with the operator's word is told where it matters: while the member can't be reached."""
    of = node()
    of.metadata["annotations"] = {"isthmus.dev/forget-before": "yesterday"}
    told_down = find(status_of(of, DOWN).conditions, "Reachable")
    told_up = find(status_of(of, UP).conditions, "Reachable")
    assert told_down is not None
    assert told_up is not None
    assert told_down.message.startswith("no answer in 10 s; annotation isthmus.dev/forget-before: 'yesterday' is no")
    assert told_up.message == "the member's API answers"


def test_stop_rate() -> None:
    """The rate that this process measured is told, else the one that a former process did."""
    before = node(ComputeNodeStatus(stops_per_second=7, stops_measured=40))
    told = [status_of(before, facts) for facts in (UP, replace(UP, stop_rate=StopRate(12, 30)))]
    assert [(each.stops_per_second, each.stops_measured) for each in told] == [(7, 40), (12, 30)]
