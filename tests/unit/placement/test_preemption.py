from collections.abc import Sequence
from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.placement.fleets import NOW, UNHURRIED, demand, node, shape

from isthmus.placement import Demand, NodeView, Outcome, Preemption, Reservation, RunningShard, Snapshot, Split, place
from isthmus.placement.accounts import AccountLimits, AccountsView, AccountView
from isthmus.placement.terms import Terms
from isthmus.placement.victims import Victim, by_loss, cheapest, total

FULL = {"cpu": 0}


def running(name: str, on: str = "west", width: int = 1, *, minutes: int = 1, **facts: Any) -> RunningShard:
    """A preemptible shard of one-core pods that has run for so many minutes."""
    shard: dict[str, Any] = {key: facts.pop(key) for key in ("preemptible", "claimed_by") if key in facts}
    since = NOW - timedelta(minutes=minutes)
    facts.setdefault("request", {"cpu": 1000})
    fields: dict[str, Any] = {
        "dispatch": name,
        "node": on,
        "demand": demand(name, width, **facts),
        "width": width,
        "preemptible": True,
        "since": since,
        **shard,
    }
    return RunningShard(**fields)


def cycle(nodes: list[NodeView], shards: list[RunningShard], *demands: Demand) -> Outcome:
    """What a cycle decides over nodes on which these run."""
    return place(Snapshot(tuple(nodes), NOW, running=tuple(shards)), demands)


def stopped(outcome: Outcome) -> dict[str, tuple[str, ...]]:
    """Whom the cycle stops, by whom it does so for."""
    return {each.demand.key: tuple(shard.dispatch for shard in each.victims) for each in outcome.preemptions}


def west(cores: int = 8, **facts: Any) -> NodeView:
    """A node whose only machine is full."""
    return node("west", shape(cores=cores, free=FULL), **facts)


def test_only_what_is_needed_is_stopped() -> None:
    """Of equal shards as many are stopped as make room, those that began last."""
    shards = [running(f"old-{n}", minutes=10) for n in range(5)] + [running(f"new-{n}", minutes=1) for n in range(3)]
    outcome = cycle([west()], shards, demand("urgent", 2, priority=1))
    assert stopped(outcome) == {"urgent": ("new-0", "new-1")}
    (verdict,) = outcome.unplaced
    assert verdict.reason == "Preempting"
    assert "reserved on west: room for 0 of 2 pods is free there and kept" in verdict.message


@pytest.mark.parametrize(
    ("facts", "shard"),
    [
        pytest.param({}, {"preemptible": False}, id="what is not preemptible"),
        pytest.param({}, {"priority": 1}, id="what is of the same priority"),
        pytest.param({}, {"priority": 2}, id="what is of a higher one"),
        pytest.param({"preemption_allowed": False}, {}, id="where the offer does not allow it"),
        pytest.param({"scheduling_state": "Cordoned"}, {}, id="where the job could not run anyhow"),
        pytest.param({}, {"claimed_by": "another"}, id="what makes room for another job"),
        pytest.param({}, {"on": "east"}, id="what stands elsewhere"),
        pytest.param({}, {"width": 1}, id="where that would not be enough"),
    ],
)
def test_what_is_left_alone(facts: dict[str, Any], shard: dict[str, Any]) -> None:
    """Nothing is stopped that must not be, or whose room would be of no use."""
    shards = [running("there", **{"width": 8, **shard})]
    assert not cycle([west(**facts)], shards, demand("urgent", 2, priority=1)).preemptions


def test_the_node_that_loses_least() -> None:
    """A job gets all its room on one node: the one where what would be lost is least, though it be more shards."""
    east = node("east", shape(cores=8, free=FULL), preemption_notice_seconds=30)
    shards = [running("long", "west", 4, minutes=60), *(running(f"short-{n}", "east", minutes=2) for n in range(4))]
    (found,) = cycle([west(), east], shards, demand("urgent", 4, priority=1)).preemptions
    assert (found.node, found.notice_seconds, len(found.victims)) == ("east", 30, 4)


def test_work_is_weighed_by_what_it_holds() -> None:
    """A minute of a pod that takes a machine is more to lose than two of one that takes a small part."""
    big = running("big", "west", 1, minutes=1, request={"cpu": 8000})
    small = [running(f"small-{n}", "west", minutes=2) for n in range(8)]
    room = west(cores=16)
    assert stopped(cycle([room], [big, *small], demand("urgent", 1, priority=1))) == {"urgent": ("small-0",)}


def test_two_jobs_do_not_count_on_the_same_room() -> None:
    """Each of two jobs has its own shards stopped, and a third that nothing is left for none."""
    asked = demand().request
    shards = [running(f"low-{n}", "west", 4, request=asked) for n in range(2)]
    urgent = [demand(f"urgent-{n}", 4, priority=1) for n in range(3)]
    full = node("west", shape(cores=8, free=dict.fromkeys(asked, 0)))
    assert stopped(cycle([full], shards, *urgent)) == {"urgent-0": ("low-0",), "urgent-1": ("low-1",)}


def test_jobs_with_nothing_to_stop_cost_others_no_turn() -> None:
    """However many there are of them before it, a job gets its room if stopping something makes it."""
    large = node("large", shape(cores=64, free=FULL), labels={"size": "large"})
    where = {"size": "large"}
    requests = [{"cpu": 40_000 + n} for n in range(40)]
    hopeless = [demand(f"big-{each}", priority=9, request=each, node_selector=where) for each in requests]
    shards = [running(f"low-{n}") for n in range(2)]
    assert list(stopped(cycle([west(), large], shards, *hopeless, demand("urgent", priority=1)))) == ["urgent"]


def test_jobs_that_nothing_helps_take_turns_with_others() -> None:
    """Behind many of them a job has its room made within some cycles."""
    hopeless = [demand(f"big-{n:02}", priority=9, request={"cpu": 40_000 + n}) for n in range(40)]
    shards = [running(f"low-{n}") for n in range(2)]
    urgent = demand("urgent", priority=1)
    cycles = (Snapshot((west(cores=64),), NOW + timedelta(seconds=n / 2), running=tuple(shards)) for n in range(16))
    assert [stopped(place(each, [*hopeless, urgent])) for each in cycles].count({"urgent": ("low-0",)}) == 1


def test_nothing_more_is_stopped_while_something_is() -> None:
    """A job for which shards are being stopped waits for their room, and for the node's real figures."""
    shards = [running("going", claimed_by="urgent"), *(running(f"low-{n}") for n in range(7))]
    assert not cycle([west()], shards, demand("urgent", 4, priority=1)).preemptions


def test_what_was_stopped_does_not_come_back_first() -> None:
    """The room that a preemption leaves is kept for its job, though a part of it is free before the rest."""
    first = cycle([west()], [running("low", width=4)], demand("urgent", 4, priority=1))
    half = node("west", shape(cores=8, free={"cpu": 2000}))
    back = demand("low", 1, created=NOW - timedelta(hours=1))
    going = (running("low", width=4, claimed_by="urgent"),)
    then = Snapshot((half,), NOW, running=going, reservations=first.reservations)
    outcome = place(then, [back, demand("urgent", 4, priority=1)])
    assert not outcome.assignments
    told = {verdict.demand.key: verdict for verdict in outcome.unplaced}
    assert told["low"].reason == "Reserved"
    assert "held for job team/urgent" in told["low"].message
    assert "room for 2 of 4 pods is free there and kept" in told["urgent"].message
    free = node("west", shape(cores=8, free={"cpu": 5000}))
    placed = place(Snapshot((free,), NOW, reservations=outcome.reservations), [back, demand("urgent", 4, priority=1)])
    assert [(a.demand.key, a.width) for a in placed.assignments] == [("urgent", 4), ("low", 1)]


def test_a_claim_of_a_former_process_is_kept() -> None:
    """What gets free where a hub that was killed had work stopped is nobody else's, though no reservation is known."""
    half = node("west", shape(cores=8, free={"cpu": 1000}))
    urgent, small = demand("urgent", 3, priority=1), demand("small")
    elsewhere = Reservation(urgent, "east", NOW)
    for known in ((), (elsewhere,)):
        shards = (running("there", width=2, claimed_by="urgent"),)
        outcome = place(Snapshot((half, node("east")), NOW, running=shards, reservations=known), [urgent, small])
        assert not outcome.assignments
        assert {verdict.demand.key: verdict.reason for verdict in outcome.unplaced} == {
            "urgent": "Preempting",
            "small": "Reserved",
        }
        assert [(each.node, each.preempting) for each in outcome.reservations] == [("west", True)]


def test_nothing_is_stopped_for_machines_that_may_not_come() -> None:
    """Machines that an autoscaler has yet to add are no certain room: they don't make up for what is lacking."""
    coming = Terms(coming=(shape(cores=8),))
    shards = [running("there", width=4)]
    assert not cycle([west(terms=coming)], shards, demand("urgent", 12, priority=1)).preemptions
    assert stopped(cycle([west(terms=coming)], [running("there", width=8)], demand("wide", 10, priority=1))) == {}


def test_a_split_job_takes_what_one_node_can_give() -> None:
    """A job that may be split has as much room made on one node as there is, and the rest is seen to later."""
    shards = [running(f"west-{n}", "west") for n in range(3)] + [running(f"east-{n}", "east") for n in range(5)]
    east = node("east", shape(cores=8, free=FULL))
    (found,) = cycle([west(), east], shards, demand("wide", 8, priority=1, split=Split(4, 2))).preemptions
    assert (found.node, found.width, len(found.victims)) == ("east", 5, 5)


def test_a_quota_is_no_want_of_room() -> None:
    """A job that its account's quota keeps waiting has nothing stopped for it, and no machines reserved."""
    accounts = AccountsView({"team": AccountView(AccountLimits(resources={"cpu": 1000}))})
    urgent = demand("urgent", 2, priority=1)
    outcome = place(Snapshot((west(),), NOW, accounts, (running("low", width=8),)), [urgent])
    assert (outcome.preemptions, outcome.reservations) == ((), ())
    assert outcome.unplaced[0].reason == "QuotaExceeded"


def test_what_is_lent_is_freed_too() -> None:
    """Where the machines have room and the node's share is used up, as much is stopped as gives back what is needed."""
    lent = node("west", shape(cores=8, free={"cpu": 4000}), terms=Terms(share={"cpu": 4000}, left={"cpu": 1000}))
    shards = [running(f"low-{n}") for n in range(3)]
    assert stopped(cycle([lent], shards, demand("urgent", 3, priority=1))) == {"urgent": ("low-0", "low-1")}


losses = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 4)), min_size=1, max_size=7)


@UNHURRIED
@given(losses=losses, wanted=st.integers(1, 12))
def test_the_cheapest_set(losses: list[tuple[int, int]], wanted: int) -> None:
    """Of a few shards the set is found that loses least of all that would do, and none of it can be spared."""
    victims = [Victim(running(f"s{n}", width=width), lost) for n, (lost, width) in enumerate(losses)]
    victims.sort(key=by_loss)

    def enough(some: Sequence[Victim]) -> bool:
        return sum(victim.shard.width for victim in some) >= wanted

    found = cheapest(victims, enough)
    sets = [some for size in range(1, len(victims) + 1) for some in combinations(victims, size) if enough(some)]
    if found is None:
        assert not sets
        return
    assert enough(found)
    assert total(found) == min(map(total, sets))
    assert not any(enough([other for other in found if other is not victim]) for victim in found if len(found) > 1)


@st.composite
def running_shards(draw: st.DrawFn) -> list[RunningShard]:
    """Up to six shards on two nodes."""
    return [
        running(
            f"s{n}",
            draw(st.sampled_from(("west", "east"))),
            draw(st.integers(1, 3)),
            minutes=draw(st.integers(0, 5)),
            priority=draw(st.integers(0, 3)),
            preemptible=draw(st.booleans()),
            request={"cpu": draw(st.integers(1, 3)) * 1000},
        )
        for n in range(draw(st.integers(0, 6)))
    ]


def after(nodes: list[NodeView], preemption: Preemption, gone: tuple[RunningShard, ...]) -> Outcome:
    """What a cycle would decide if these shards were gone; machines in order are filled with what stays."""
    freed = sum(shard.width * shard.demand.request["cpu"] for shard in gone)
    (there,) = (each for each in nodes if each.name == preemption.node)
    assert there.profile is not None
    (machine,) = there.profile.shapes
    left = shape(cores=machine.allocatable["cpu"] // 1000, free={"cpu": machine.free["cpu"] + freed})
    return place(Snapshot((node(there.name, left),), NOW), [preemption.demand])


@UNHURRIED
@given(shards=running_shards(), width=st.integers(1, 6), priority=st.integers(0, 3), spare=st.integers(0, 2))
def test_no_preemption_is_unjust_or_in_vain(shards: list[RunningShard], width: int, priority: int, spare: int) -> None:
    """Only preemptible work of lower priority is stopped, only where the job then fits, and none of it needlessly."""
    used = {on: sum(s.width * s.demand.request["cpu"] for s in shards if s.node == on) for on in ("west", "east")}
    nodes = [node(on, shape(cores=used[on] // 1000 + spare, free={"cpu": spare * 1000})) for on in ("west", "east")]
    urgent = demand("urgent", width, priority=priority)
    outcome = cycle(nodes, shards, urgent)
    for preemption in outcome.preemptions:
        assert all(s.preemptible and s.priority < priority and s.node == preemption.node for s in preemption.victims)
        assert after(nodes, preemption, preemption.victims).assignments
        for spared in preemption.victims:
            fewer = tuple(shard for shard in preemption.victims if shard is not spared)
            assert not after(nodes, preemption, fewer).assignments
    if not outcome.assignments and not outcome.preemptions:  # it would not have helped
        for on in ("west", "east"):
            able = tuple(s for s in shards if s.node == on and s.preemptible and s.priority < priority)
            assert not after(nodes, Preemption(urgent, on, able, width, 0), able).assignments
    assert cycle(nodes[::-1], shards[::-1], urgent) == outcome
