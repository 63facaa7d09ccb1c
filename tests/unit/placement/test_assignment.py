from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.placement.fleets import (
    A100,
    NOW,
    T4,
    UNHURRIED,
    demand,
    fleets,
    node,
    nodes,
    price,
    queues,
    shape,
    snapshot,
)

from isthmus.placement import Assumption, Demand, Limits, NodeView, Outcome, PriceView, Rooms, Snapshot, Split, place
from isthmus.placement.accounts import NO_ACCOUNTS, AccountLimits, AccountsView
from isthmus.placement.jobclass import JobClass


def batch(fleet: Sequence[NodeView], jobs: Sequence[Demand], **options: object) -> Outcome:
    """What a program makes of the jobs, however few there are."""
    return place(snapshot(*fleet), jobs, batch=1, **options)  # type: ignore[arg-type]


@UNHURRIED
@given(fleet=fleets(), jobs=queues())
def test_what_a_batch_sends_is_still_free_when_it_is_assumed(
    fleet: tuple[NodeView, ...], jobs: tuple[Demand, ...]
) -> None:
    """Subtracted again in the order of its Dispatches, a batch fits: no node is overdrawn by what the hub sent."""
    idle = tuple(replace(each, assumed=()) for each in fleet)
    outcome = batch(idle, jobs)
    later = [
        replace(
            each,
            assumed=tuple(
                Assumption(n, a.demand, a.width)
                for n, a in enumerate((a for a in outcome.assignments if a.node == each.name), 1)
            ),
        )
        for each in idle
    ]
    rooms = Rooms()
    rooms.begin(later)
    assert not [name for name, site in rooms._sites.items() if site.room.overdrawn]


@UNHURRIED
@given(fleet=fleets(), jobs=queues(), data=st.data())
def test_order_of_a_batch_changes_nothing(
    fleet: tuple[NodeView, ...], jobs: tuple[Demand, ...], data: st.DataObject
) -> None:
    """The same nodes and jobs in another order give the same outcome, with kept rooms or fresh ones."""
    rooms = Rooms()
    first = batch(fleet, jobs, rooms=rooms)
    shuffled = batch(data.draw(st.permutations(fleet)), data.draw(st.permutations(jobs)))
    assert shuffled == first
    assert batch(fleet, jobs, rooms=rooms) == first


@UNHURRIED
@given(fleet=fleets(), jobs=queues(), more=nodes("node-x"))
def test_one_more_node_never_worsens_the_bound(
    fleet: tuple[NodeView, ...], jobs: tuple[Demand, ...], more: NodeView
) -> None:
    """The program's optimum is no higher with one more node, and never above what is reached."""
    equal = tuple(replace(job, priority=0) for job in jobs)
    less, whole = batch(fleet, equal).programs, batch((*fleet, more), equal).programs
    assert less is not None
    assert whole is not None
    assert whole.bound <= less.bound + 1e-6 * (1 + less.bound)
    assert less.bound <= less.objective
    assert whole.bound <= whole.objective


def test_the_largest_block_is_kept_for_who_needs_it() -> None:
    """A small job that would break the only whole machine if it went first goes elsewhere, at a higher price."""
    large = node("large", shape(1, accelerator=A100))
    small = node("small", shape(1, accelerator=A100, gpus=4), price=price("0.00002"))
    jobs = [
        demand("first", gpus=4, objective="Cheapest"),
        demand("second", gpus=8, created=NOW + timedelta(seconds=1)),
    ]
    assert [u.demand.name for u in place(snapshot(large, small), jobs).unplaced] == ["second"]
    outcome = batch((large, small), jobs)
    assert {a.demand.name: a.node for a in outcome.assignments} == {"first": "small", "second": "large"}


def test_priority_goes_before_the_program() -> None:
    """However many jobs a program could place instead, the higher priority has its room first."""
    fleet = [node("a", shape(1, accelerator=A100))]
    jobs = [*(demand(f"small-{n}", gpus=1) for n in range(8)), demand("urgent", gpus=8, priority=1)]
    outcome = batch(fleet, jobs)
    assert [a.demand.name for a in outcome.assignments] == ["urgent"]
    assert len(outcome.unplaced) == 8


def test_split_jobs_follow_the_shares_of_the_program() -> None:
    """A job that no node holds is divided where the program has room for it, and no piece is below the minimum."""
    fleet = [node(name, shape(1, accelerator=T4, gpus=4)) for name in "abc"]
    outcome = batch(fleet, [demand("wide", 10, gpus=1, split=Split(3, 2)), demand("narrow", 2, gpus=1)])
    assert not outcome.unplaced
    assert sorted(a.width for a in outcome.assignments if a.demand.name == "wide") == [2, 4, 4]


def test_explains_the_winner_first() -> None:
    """A job placed by the program is told its node first, with the parts of its score, then the others."""
    fleet = [node(name, shape(1)) for name in "abc"]
    for assignment in batch(fleet, [demand(f"job-{n}", 20) for n in range(4)]).assignments:
        explanation = assignment.explanation
        assert explanation.winner == assignment.node == explanation.nodes[0].node
        assert explanation.nodes[0].parts
        assert sorted(verdict.node for verdict in explanation.nodes) == ["a", "b", "c"]


def test_after_the_deadline_jobs_go_one_after_another() -> None:
    """With no time left for a program the greedy pass places what it can, and no bound is told."""
    fleet = [node("a", shape(1)), node("b", shape(1))]
    jobs = [demand(f"job-{n}", 20) for n in range(3)]
    late = batch(fleet, jobs, limits=Limits(now=lambda: 10.0, deadline=9.0))
    single = place(snapshot(*fleet), jobs)
    assert late.programs is None
    assert [(a.demand, a.node, a.width) for a in late.assignments] == [
        (a.demand, a.node, a.width) for a in single.assignments
    ]
    assert late.unplaced == single.unplaced
    assert [a.explanation.winner for a in late.assignments] == [a.node for a in late.assignments]


def test_time_to_judge_nodes_is_not_the_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Classes that are new are judged whatever places them: a program is not given up because that took long."""
    clock = 0.0
    judge = JobClass.judge

    def slow(self: JobClass, *asked: Any) -> None:
        nonlocal clock
        clock += 10.0
        judge(self, *asked)

    monkeypatch.setattr(JobClass, "judge", slow)
    fleet = (node("a", shape(1)), node("b", shape(1)))
    bounded = AccountsView(default=AccountLimits(resources={"cpu": 80_000}))
    for accounts, names in ((NO_ACCOUNTS, 1), (NO_ACCOUNTS, 2), (bounded, 1), (bounded, 2)):
        jobs = [demand(f"job-{n}", 20, account=f"team-{n % names}") for n in range(3)]
        limits = Limits(now=lambda: clock, deadline=clock + 5.0)
        outcome = place(Snapshot(fleet, NOW, accounts), jobs, batch=1, limits=limits)
        assert outcome.programs is not None


def test_no_nodes_for_a_batch() -> None:
    """Without any node all wait, the bound is what that costs, and it is reached."""
    outcome = batch((), [demand(f"job-{n}") for n in range(3)])
    assert [u.reason for u in outcome.unplaced] == ["NoNodes"] * 3
    assert outcome.programs is not None
    assert outcome.programs.bound == outcome.programs.objective > 0


def test_a_hundred_thousand_equal_jobs() -> None:
    """One class is one row of the program, however many jobs it has; who waits shares one explanation."""
    fleet = [node(name, shape(2, accelerator=T4, gpus=4)) for name in "abc"]
    jobs = [demand(f"job-{n:06}", gpus=1, created=NOW + timedelta(seconds=n)) for n in range(100_000)]
    outcome = place(snapshot(*fleet), jobs)
    assert sorted(a.demand.name for a in outcome.assignments) == [f"job-{n:06}" for n in range(24)]
    assert len({id(u.explanation) for u in outcome.unplaced}) == 1


def test_prices_of_nothing_and_of_a_trillion() -> None:
    """Free nodes are filled first and absurdly dear ones last; the ordinary between them keep their differences."""
    prices = {"free": "0", "cheap": "0.00001", "dear": "0.00002", "absurd": "1000000000000"}
    fleet = [
        node(name, shape(1), price=PriceView(Decimal(each), Decimal(0), {}, "CNY")) for name, each in prices.items()
    ]
    for count, used in enumerate((["free"], ["cheap", "free"], ["cheap", "dear", "free"], sorted(prices)), 1):
        jobs = [demand(f"job-{n}", 32, objective="Cheapest") for n in range(count)]
        assert sorted(a.node for a in batch(fleet, jobs).assignments) == used
