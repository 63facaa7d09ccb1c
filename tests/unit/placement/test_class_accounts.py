"""Accounts share the classes of their jobs; limits, offers and what is told stay each account's own."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.placement.fleets import GPU, NOW, T4, UNHURRIED, demand, fleets, node, queues, shape, snapshot

from isthmus.placement import (
    AccountLimits,
    AccountsView,
    AccountView,
    Demand,
    NodeView,
    Reservation,
    Rooms,
    Snapshot,
    Terms,
    place,
)
from isthmus.placement.jobclass import JobClass

ACCOUNTS = tuple(f"account-{n}" for n in range(10))


def of_accounts(*accounts: str, cores: int = 1) -> list[Demand]:
    """Equal jobs, one of each account."""
    return [demand(f"{name}-{cores}", account=name, request={"cpu": cores * 1000}) for name in accounts]


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[Demand]:
    """The first job of each class that is judged."""
    firsts: list[Demand] = []

    def judge(job: Demand) -> JobClass:
        firsts.append(job)
        return JobClass(job)

    monkeypatch.setattr("isthmus.placement.rooms.JobClass", judge)
    return firsts


@pytest.mark.parametrize("batch", [1, 1000])
def test_ten_accounts_make_as_many_classes_as_one(judged: list[Demand], batch: int) -> None:
    """Where no offer selects accounts, jobs are judged by what they ask for, not by who pays."""
    jobs = [job for cores in range(1, 6) for job in of_accounts(*ACCOUNTS, cores=cores)]
    place(snapshot(node("a", shape()), node("b", shape())), jobs, batch=batch)
    assert len(judged) == 5


def test_only_accounts_that_are_left_out_have_classes_of_their_own(judged: list[Demand]) -> None:
    """Those that all offers admit still share theirs."""
    closed = node("closed", shape(), terms=Terms(excepted=frozenset(ACCOUNTS[:2])))
    place(snapshot(closed, node("open", shape())), of_accounts(*ACCOUNTS))
    assert len(judged) == 3


def _nodes_by_job(nodes: tuple[NodeView, ...], jobs: list[Demand], rooms: Rooms) -> dict[str, str]:
    return {each.demand.key: each.node for each in place(snapshot(*nodes), jobs, rooms=rooms).assignments}


def test_an_offer_that_changes_parts_accounts() -> None:
    """An account that is no longer admitted takes none of the others with it that it shared a class with."""
    rooms, jobs = Rooms(), of_accounts("first", "second")
    only = node("only", shape())
    assert _nodes_by_job((only,), jobs, rooms) == {"first-1": "only", "second-1": "only"}
    selecting = replace(only, terms=Terms(excepted=frozenset({"first"})))
    assert _nodes_by_job((selecting,), jobs, rooms) == {"second-1": "only"}
    assert _nodes_by_job((only,), jobs, rooms) == {"first-1": "only", "second-1": "only"}


@pytest.mark.parametrize("batch", [1, 1000])
def test_the_quota_of_one_account_bars_no_other(batch: int) -> None:
    """Of accounts with quotas each gets its own, and one without gets what there is room for."""
    limits = {"none": AccountLimits(gpus={"T4": 0}), "two": AccountLimits(gpus={"T4": 2})}
    accounts = AccountsView({name: AccountView(each) for name, each in limits.items()}, currency="CNY")
    jobs = [
        demand(f"{name}-{n}", account=name, request={GPU: 1, "pods": 1}) for name in (*limits, "free") for n in range(4)
    ]
    outcome = place(Snapshot((node("n", shape(accelerator=T4)),), NOW, accounts), jobs, batch=batch)
    placed = [each.demand.account for each in outcome.assignments]
    assert {name: placed.count(name) for name in (*limits, "free")} == {"none": 0, "two": 2, "free": 4}
    assert {each.reason for each in outcome.unplaced} == {"QuotaExceeded"}


@pytest.mark.parametrize("batch", [1, 1000])
def test_what_is_held_for_an_account_is_named_to_no_other(batch: int) -> None:
    """Equal jobs of two accounts are told of a reservation each as its own account may know it."""
    held = demand("big", 2, request={"cpu": 20_000}, namespace="secret", account="first", priority=1)
    reserved = (Reservation(held, "held", NOW),)
    nodes = (node("held", shape(2, free={"cpu": 15_000})), node("small", shape(cores=8)))
    jobs = [
        demand(f"{name}-{n}", account=name, request={"cpu": 2000}, created=NOW + timedelta(seconds=n))
        for n in range(4)
        for name in ("first", "second")
    ]
    outcome = place(Snapshot(nodes, NOW, reservations=reserved), [held, *jobs], batch=batch)
    placed = {each.demand.key: each.explanation.model_dump_json() for each in outcome.assignments}
    waiting = {each.demand.key: each.explanation.model_dump_json() for each in outcome.unplaced}
    assert sorted(placed) == ["first-0", "first-1", "second-0", "second-1"]
    assert [key for key, told in placed.items() if "secret" in told and key.startswith("second")] == []
    assert "held for job secret/big" in waiting["first-3"]
    assert "held for a job of priority 1" in waiting["second-3"]


@UNHURRIED
@given(there=fleets(), jobs=queues(), names=st.lists(st.sampled_from("abc"), min_size=6, max_size=6))
def test_rooms_kept_over_changing_offers_change_nothing(
    there: tuple[NodeView, ...], jobs: tuple[Demand, ...], names: list[str]
) -> None:
    """Whatever an offer selects in turn, what was judged for other accounts before does not matter."""
    mixed = [replace(job, account=name) for job, name in zip(jobs, names, strict=False)]
    rooms = Rooms()
    for terms in (None, Terms(excepted=frozenset({"a"})), Terms(accounts=frozenset({"a", "b"})), None):
        fleet = snapshot(replace(there[0], terms=terms), *there[1:])
        assert place(fleet, mixed, rooms=rooms, batch=2) == place(fleet, mixed, batch=2)
