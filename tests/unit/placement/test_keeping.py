"""What is kept from cycle to cycle is named by all that decides: no field is left out."""

from dataclasses import fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.placement.fleets import GPU, NETWORKS, T4, TOLERATION, demand, node, price, profile, shape

from isthmus.api.computenode import Taint
from isthmus.api.placement import Toleration
from isthmus.placement import Assumption, Demand, Form, NodeView, Split, Terms
from isthmus.placement.candidate import Candidate, fleet_of
from isthmus.placement.classkey import class_key
from isthmus.placement.demand import Input
from isthmus.placement.filters import DECLARED, STANDING, standing
from isthmus.placement.room import room_of_profile
from isthmus.placement.site import Site
from isthmus.placement.stated import EnergyView

LATER = datetime(2027, 1, 1, tzinfo=UTC)
# A value of each field that is another than the one in `demand()`.
ASKED: dict[str, Any] = {
    "width": 2,
    "request": {"cpu": 1, "pods": 1},
    "models": ("A100",),
    "minimum_memory_bytes": 1,
    "partition_profile": "1g.10gb",
    "node_selector": {"a": "b"},
    "regions": ("r1",),
    "tiers": ("Edge",),
    "tolerations": (Toleration(key="a", operator="Exists"),),
    "machine_selector": {"a": "b"},
    "machine_tolerations": (TOLERATION,),
    "objective": "Cheapest",
    "avoid": ("n",),
    "split": Split(2, 1),
    "grace_seconds": 5,
    "latencies": (("r1", 5),),
    "classification": "Secret",
    "residency": ("CN",),
    "inputs": (Input(("node", "n"), 1),),
    "weights": {"carbon": 1},
    "urgency": 1,
    "variant": "ascend",
    "forms": (Form("ascend", {"cpu": 2, "pods": 1}),),
}
# Who it is and who pays, its place in the queue, and what its urgency is made of.
APART = {"key", "name", "namespace", "account", "priority", "created", "attempt", "deadline", "run_seconds"}
# Its name, what rooms are renewed by, and what only those are asked of that would be stopped there.
APART_OF_NODES = {"name", "assumed", "preemption_allowed", "preemption_notice_seconds"}
STATED: dict[str, Any] = {
    "tier": "Edge",
    "parent": "p",
    "region": "r1",
    "labels": {"a": "b"},
    "taints": (Taint(key="a"),),
    "scheduling_state": "Cordoned",
    "stop_allowance_seconds": 1,
    "classifications": frozenset({"Secret"}),
    "jurisdictions": frozenset({"CN"}),
    "energy": EnergyView(Decimal(1)),
    "network": NETWORKS[1],
    "reliability": 5,
    "ready": False,
    "not_ready_reason": "Timeout",
    "not_ready_message": "no answer",
    "price": price("0.1"),
    "profile": profile(shape(2)),
    "terms": Terms(accounts=frozenset({"a"})),
}


def test_no_field_is_left_out() -> None:
    """Each field of a demand and of a node has its value below, or a reason to have none."""
    assert {each.name for each in fields(Demand)} == ASKED.keys() | APART
    assert {each.name for each in fields(NodeView)} == STATED.keys() | APART_OF_NODES


@pytest.mark.parametrize("field", ASKED)
def test_jobs_that_differ_are_of_two_classes(field: str) -> None:
    """Whatever a filter or a score may read of a job is in the key of its class."""
    assert class_key(demand()) != class_key(replace(demand(), **{field: ASKED[field]}))
    hash(class_key(replace(demand(), **{field: ASKED[field]})))


@pytest.mark.parametrize("field", [None, *ASKED])
def test_filters_that_are_not_asked_would_reject_nothing(field: str | None) -> None:
    """Whatever a node is, a filter that is left out for a job has nothing against it."""
    job = demand(**{"request": {GPU: 1}, **({} if field is None else {field: ASKED[field]})})
    asked = standing(job)
    assert [STANDING[place] for place, _ in asked] == [each for _, each in asked]
    left_out = set(STANDING) - {each for _, each in asked}
    for stated, value in STATED.items():
        there = replace(node("n", shape(gpus=2, accelerator=T4)), **{stated: value})
        candidate = Candidate(job, Site(there, room_of_profile(there.profile), 1), fleet_of([there]))
        assert [each for each in left_out if each(candidate) is not None] == []


@pytest.mark.parametrize("field", ASKED)
def test_nodes_that_declare_the_same_are_judged_alike(field: str) -> None:
    """Filters that are asked once for all nodes which declare the same read nothing else of a node."""
    job = replace(demand(), avoid=(), **({} if field == "avoid" else {field: ASKED[field]}))
    first = node("n", shape())
    for stated, value in STATED.items():
        sites = [Site(each, room_of_profile(each.profile), 1) for each in (first, replace(first, **{stated: value}))]
        said = [[ask(Candidate(job, site, fleet_of([first]))) for ask in STANDING if ask in DECLARED] for site in sites]
        assert said[0] == said[1] or sites[0].declared is not sites[1].declared


@pytest.mark.parametrize("field", sorted(APART))
def test_who_it_is_makes_no_class(field: str) -> None:
    """Jobs that differ only in who they are, or when they came, share one evaluation."""
    other: Any = {"priority": 9, "attempt": 9, "run_seconds": 9, "created": LATER, "deadline": LATER}.get(
        field, "other"
    )
    assert class_key(demand()) == class_key(replace(demand(), **{field: other}))


@pytest.mark.parametrize("field", STATED)
def test_a_node_that_changed_is_judged_anew(field: str) -> None:
    """Whatever a filter or a score may read of a node moves its stamp."""
    before = node("n", shape())
    site = Site(before, room_of_profile(before.profile), 1)
    assert site.renew(replace(before, **{field: STATED[field]}))


def test_what_was_sent_is_no_change() -> None:
    """What a node was sent changes its room, and has nothing judged anew."""
    before = node("n", shape())
    site = Site(before, room_of_profile(before.profile), 1)
    assert not site.renew(replace(before, assumed=(Assumption(1, demand(), 1),)))
