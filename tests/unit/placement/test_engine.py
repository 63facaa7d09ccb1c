from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.placement.fleets import (
    A100,
    GPU,
    NOW,
    T4,
    UNHURRIED,
    demand,
    fleets,
    node,
    price,
    queues,
    shape,
    snapshot,
)
from tests.unit.placement.packing import packs

from isthmus.api.quantities import GIBIBYTE
from isthmus.capacity.accelerators import model_matches
from isthmus.placement import BATCH, Assignment, Assumption, Demand, NodeView, Outcome, Rooms, Snapshot, Split, place
from isthmus.placement.forms import demands_of

EITHER_WAY = pytest.mark.parametrize("batch", [pytest.param(BATCH, id="one-by-one"), pytest.param(1, id="at-once")])
"""However few the jobs of these tests are: one after another, or by a program."""


@EITHER_WAY
@UNHURRIED
@given(fleet=fleets(), jobs=queues())
def test_never_over_commits(fleet: tuple[NodeView, ...], jobs: tuple[Demand, ...], batch: int) -> None:
    """What a node is given goes on its machines together with all that was sent to it before."""
    outcome = place(snapshot(*fleet), jobs, batch=batch)
    for each in fleet:
        given_ = [(a.demand, a.width) for a in outcome.assignments if a.node == each.name]
        if any(width for _, width in given_):
            assert packs(each, [*((a.demand, a.width) for a in each.assumed), *given_])


@EITHER_WAY
@UNHURRIED
@given(fleet=fleets(), jobs=queues())
def test_never_breaks_a_filter(fleet: tuple[NodeView, ...], jobs: tuple[Demand, ...], batch: int) -> None:
    """Every job stands once in the outcome, or in pieces; where it is assigned the node meets all that it asks for."""
    outcome = place(snapshot(*fleet), jobs, batch=batch)
    by_name = {each.name: each for each in fleet}
    assigned = [key for key, _ in groupby(a.demand.key for a in outcome.assignments)]
    assert sorted([*assigned, *(u.demand.key for u in outcome.unplaced)]) == sorted(job.key for job in jobs)
    for assignment in outcome.assignments:
        job, there = assignment.demand, by_name[assignment.node]
        assert there.ready
        assert there.price is not None
        assert not job.tiers or there.tier in job.tiers
        assert job.split or assignment.width == job.width
        assert assignment.explanation.winner == assignment.node
        assert assignment.explanation.nodes[0].node in {a.node for a in outcome.assignments if a.demand is job}
        assert assignment.estimate_per_hour is not None
        if job.models and job.width:
            ((_, values),) = assignment.affinity
            assert all(any(model_matches(m, value) for m in job.models) for value in values)


@EITHER_WAY
@UNHURRIED
@given(fleet=fleets(), jobs=queues())
def test_pieces_keep_to_the_split(fleet: tuple[NodeView, ...], jobs: tuple[Demand, ...], batch: int) -> None:
    """A divided job has no more pieces than it may, none twice on a node, and none below the minimum but a last one."""
    for job, group in groupby(place(snapshot(*fleet), jobs, batch=batch).assignments, key=lambda a: a.demand):
        pieces = list(group)
        widths = [a.width for a in pieces]
        assert len({a.node for a in pieces}) == len(pieces)
        assert len(pieces) <= (job.split.pieces if job.split else 1)
        assert sum(widths) <= job.width
        assert sum(widths) == job.width or (job.split is not None and min(widths) >= job.split.minimum_width)
        assert all(width >= job.least for width in widths[:-1])


@UNHURRIED
@given(fleet=fleets(), jobs=queues(), data=st.data())
def test_order_of_input_changes_nothing(
    fleet: tuple[NodeView, ...], jobs: tuple[Demand, ...], data: st.DataObject
) -> None:
    """The same nodes and jobs in another order give the same outcome."""
    shuffled = place(snapshot(*data.draw(st.permutations(fleet))), data.draw(st.permutations(jobs)))
    assert shuffled == place(snapshot(*fleet), jobs)


@UNHURRIED
@given(fleet=fleets(), jobs=queues())
def test_a_lone_job_is_placed_where_there_is_room(fleet: tuple[NodeView, ...], jobs: tuple[Demand, ...]) -> None:
    """A job without a place has none: on no node that only lacks room could its pods, or a piece of it, be packed."""
    idle = tuple(replace(each, assumed=()) for each in fleet)
    for unplaced in place(snapshot(*idle), jobs[:1]).unplaced:
        lacking = {v.node for v in unplaced.explanation.nodes if v.reason == "InsufficientCapacity"}
        for job in demands_of(unplaced.demand):
            assert not any(packs(each, [(job, job.least)]) for each in idle if each.name in lacking)


@UNHURRIED
@given(data=st.data())
def test_what_is_kept_changes_nothing(data: st.DataObject) -> None:
    """Cycle after cycle, with nodes changing, coming and going, kept rooms give what fresh ones give."""
    rooms = Rooms()
    fleet = data.draw(fleets())
    jobs = data.draw(queues())
    now = NOW
    for _ in range(data.draw(st.integers(2, 4))):
        outcome = place(Snapshot(fleet, now), jobs, rooms=rooms)
        assert outcome == place(Snapshot(fleet, now), jobs)
        change = data.draw(st.sampled_from(("dispatch", "fleet", "jobs", "cordon", "figures", "time")))
        if change == "dispatch":
            fleet = tuple(_assumed(each, outcome) for each in fleet)
        elif change == "fleet":
            fleet = data.draw(fleets())
        elif change == "jobs":
            jobs = data.draw(queues())
        elif change == "cordon":
            fleet = tuple(replace(each, scheduling_state="Cordoned") for each in fleet)
        elif change == "time":
            now += timedelta(seconds=data.draw(st.sampled_from((20, 40, 86400))))
        else:
            fleet = tuple(replace(each, profile=replace(each.profile), assumed=()) for each in fleet if each.profile)


def _assumed(each: NodeView, outcome: Outcome) -> NodeView:
    sent = [a for a in outcome.assignments if a.node == each.name]
    last = len(each.assumed)
    return replace(
        each, assumed=(*each.assumed, *(Assumption(last + n, a.demand, a.width) for n, a in enumerate(sent, 1)))
    )


def _names(assignments: Sequence[Assignment]) -> list[str]:
    return [a.demand.name for a in assignments]


def test_order() -> None:
    """Priority goes first, then age, then the key; and what can't run blocks nobody."""
    only = node("n", shape(1, free={"cpu": 4000}))
    jobs = [
        demand("d", created=NOW + timedelta(seconds=1)),
        demand("c"),
        demand("b"),
        demand("urgent", priority=5, created=NOW + timedelta(hours=1)),
        demand("huge", priority=9, width=99),
        demand("late", created=NOW + timedelta(seconds=2)),
    ]
    outcome = place(snapshot(only), jobs)
    assert _names(outcome.assignments) == ["urgent", "b", "c", "d"]
    assert [(u.demand.name, u.reason) for u in outcome.unplaced] == [
        ("huge", "NeverFits"),
        ("late", "InsufficientCapacity"),
    ]


def test_capacity_shrinks_within_a_cycle() -> None:
    """Two gangs that each need all of the node: the first gets it, and the second hears how much is left."""
    only = node("n", shape(2, accelerator=A100))
    outcome = place(snapshot(only), [demand("a", 2, gpus=8), demand("b", 2, gpus=8)])
    assert _names(outcome.assignments) == ["a"]
    assert outcome.unplaced[0].message == (
        "0/1 nodes are available: 1 InsufficientCapacity (needs 8 x NVIDIA-A100-SXM4-80GB on one machine for each "
        "of 2 pods; the largest free block is 0)"
    )


def test_gang_waits_for_one_node() -> None:
    """A job is never divided over nodes, whatever they have together."""
    fleet = [node(name, shape(1, accelerator=A100)) for name in "abc"]
    outcome = place(snapshot(*fleet), [demand(width=2, gpus=8)])
    assert (outcome.assignments, outcome.unplaced[0].reason, outcome.unplaced[0].never) == ((), "NeverFits", True)


def test_divided_for_want_of_room() -> None:
    """What one node has room for is not divided, be others better; what none has is, for all the room there is."""
    fleet = [node("a", shape(1)), node("b", shape(1)), node("big", shape(2), price=price("0.1"))]
    outcome = place(snapshot(*fleet), [demand("one", 40, split=Split(8, 1)), demand("two", 80, split=Split(8, 1))])
    assert [(a.demand.name, a.node, a.width) for a in outcome.assignments] == [
        ("one", "big", 40),
        ("two", "a", 32),
        ("two", "b", 32),
        ("two", "big", 16),
    ]
    assert not outcome.unplaced


def test_pieces_take_their_room() -> None:
    """What a piece has taken is not given again, and a job that has found room for a part only is not unplaced."""
    fleet = [node("a", shape(1)), node("b", shape(1))]
    outcome = place(snapshot(*fleet), [demand("one", 40, split=Split(2, 4)), demand("two", 40, split=Split(2, 4))])
    assert [(a.demand.name, a.node, a.width) for a in outcome.assignments] == [
        ("one", "a", 32),
        ("one", "b", 8),
        ("two", "b", 24),
    ]
    late = place(snapshot(*fleet), [demand("one", 62, split=Split(2, 4)), demand("two", 9, split=Split(2, 4))])
    assert [(u.demand.name, u.reason, u.never, u.message) for u in late.unplaced] == [
        (
            "two",
            "InsufficientCapacity",
            False,
            ("0/2 nodes are available: 2 InsufficientCapacity (needs room for 4 of 9 pods of 1 cpu + 1Gi memory)"),
        )
    ]


def test_pieces_are_told_each_by_itself() -> None:
    """A piece has its own price, labels and node, and the nodes that have the job stand first."""
    prices = {name: price(gpus={"*": each}) for name, each in (("cheap", "0.1"), ("small", "0.1"), ("dear", "0.2"))}
    fleet = [
        node("small", shape(1, accelerator=T4, gpus=1), price=prices["small"]),
        node("cheap", shape(1, accelerator=T4, gpus=4), price=prices["cheap"]),
        node("dear", shape(1, accelerator=A100), price=prices["dear"]),
    ]
    request = {GPU: 1, "pods": 1}
    job = demand(width=10, request=request, models=("T4", "A100"), objective="Cheapest", split=Split(2, 1))
    pieces = place(snapshot(*fleet), [job]).assignments
    assert [(a.node, a.width, a.estimate_per_hour, a.explanation.winner) for a in pieces] == [
        ("cheap", 4, Decimal(1440), "cheap"),
        ("dear", 6, Decimal(4320), "dear"),
    ]
    assert [a.affinity[0][1] for a in pieces] == [(T4.model,), (A100.model,)]
    assert {tuple(v.node for v in a.explanation.nodes) for a in pieces} == {("cheap", "dear", "small")}


def test_no_nodes() -> None:
    """Without any node a job waits, and that is said."""
    (unplaced,) = place(snapshot(), [demand()]).unplaced
    assert (unplaced.never, unplaced.reason, unplaced.message) == (False, "NoNodes", "there are no nodes")


def test_estimate() -> None:
    """The estimate is an hour of all pods at the node's prices, the dearest model that might be used."""
    prices = price("0.001", gpus={A100.model: "0.5", T4.model: "0.25"})
    there = node("n", shape(1, accelerator=A100), shape(1, accelerator=T4), price=prices)
    job = demand(width=2, request={"cpu": 1500, "memory": 3 * GIBIBYTE, GPU: 2, "pods": 1})
    (placed,) = place(snapshot(there), [job]).assignments
    second = Decimal("1.5") * Decimal("0.001") + 3 * Decimal("0.000001") + 2 * Decimal("0.5")
    assert (placed.estimate_per_hour, placed.currency) == (second * 3600 * 2, "CNY")


def test_never_says_no_while_it_may_change() -> None:
    """A job that a cordoned node could run is not told never, one that it could not run is."""
    small, cordoned = node("a", shape(1)), node("b", shape(1, accelerator=A100), scheduling_state="Cordoned")
    fits, does_not = place(snapshot(small, cordoned), [demand("a", gpus=8), demand("b", gpus=16)]).unplaced
    assert (fits.never, fits.reason) == (False, "NodesUnavailable")
    assert (does_not.never, does_not.reason) == (True, "NoSuitableNode")


def test_ten_thousand_equal_jobs() -> None:
    """Equal jobs that wait share one evaluation and one explanation."""
    jobs = [demand(f"job-{n}", gpus=1) for n in range(10_000)]
    outcome = place(snapshot(node("n", shape(1, accelerator=T4, gpus=4))), jobs)
    assert len(outcome.assignments) == 4
    assert len({id(u.explanation) for u in outcome.unplaced}) == 1
