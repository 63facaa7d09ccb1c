import random
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.placement.fleets import GPU, NOW, UNHURRIED, demand, snapshot
from tests.unit.placement.sharing import Room

from isthmus.placement import AccountLimits, AccountsView, AccountView, Demand, Snapshot, Usage, rounds_of


def _room(usage: dict[str, Usage], weights: dict[str, int]) -> Snapshot:
    """Eight GPUs, and accounts that have held this."""
    known = {
        name: AccountView(AccountLimits(weights.get(name, 1)), usage=usage.get(name, Usage()))
        for name in {*weights, *usage}
    }
    eight = Room(8, weights, 10.0).snapshot()
    return Snapshot(eight.nodes, NOW, AccountsView(known, at=0.0, half_life=10.0))


def _jobs(*names: str) -> list[Demand]:
    """A job of one GPU for each account named, each older than the next."""
    return [
        demand(f"{name}{n}", gpus=1, account=name, created=NOW + timedelta(seconds=n)) for n, name in enumerate(names)
    ]


def _keys(there: Snapshot, jobs: list[Demand]) -> list[str]:
    return [job.key for turn in rounds_of(there, jobs) for job in turn.demands]


def test_turns_go_round_by_weight() -> None:
    """Of two accounts that hold nothing the one that weighs three times as much has three turns of four."""
    jobs = _jobs(*("a",) * 8, *("b",) * 8)
    order = "".join(key[0] for key in _keys(_room({}, {"a": 1, "b": 3}), jobs))
    assert order[:8].count("a") == 2
    assert order[:8].count("b") == 6


def test_within_an_account_the_older_goes_first() -> None:
    """Whatever order they are handed in."""
    jobs = _jobs("a", "b", "a", "b", "a")
    expected = _keys(_room({}, {}), jobs)
    assert [key for key in expected if key[0] == "a"] == ["a0", "a2", "a4"]
    assert _keys(_room({}, {}), jobs[::-1]) == expected


def test_who_has_had_less_goes_first() -> None:
    """An account that held four GPUs of late waits until the other has been given as many."""
    had = {"a": Usage(0.0, {GPU: 4.0})}
    assert _keys(_room(had, {}), _jobs(*("a",) * 2, *("b",) * 6))[:5] == ["b2", "b3", "b4", "b5", "b6"]


def test_what_is_held_now_counts_as_what_was() -> None:
    """A job that has just begun counts at once, though no time has gone by."""
    holds = {"a": Usage(0.0, {}, {GPU: 2})}
    assert _keys(_room(holds, {}), _jobs("a", "b", "b", "b"))[:2] == ["b1", "b2"]


def test_priority_goes_before_any_share() -> None:
    """A job of a higher priority stands in an earlier round, and what it takes counts in the later ones."""
    jobs = [*_jobs("a", "b"), *(demand(f"up{n}", gpus=1, account="a", priority=5) for n in range(2))]
    rounds = rounds_of(_room({"a": Usage(0.0, {GPU: 1.0})}, {}), jobs)
    assert [[job.key for job in turn.demands] for turn in rounds] == [["up0", "up1"], ["b1", "a0"]]


def test_a_gang_that_waits_costs_its_account_no_turn() -> None:
    """Small jobs behind one for which there is no room go as if it were not there."""
    gang = demand("gang", 100, gpus=8, account="a", created=NOW - timedelta(days=1))
    jobs = [gang, *_jobs("a", "b", "a", "b")]
    turn = rounds_of(_room({}, {}), jobs, lambda job: job.key != "gang")[0]
    assert [job.key for job in turn.demands] == ["gang", "a0", "b1", "a2", "b3"]
    counted = rounds_of(_room({}, {}), jobs)[0]
    assert [job.key for job in counted.demands] == ["gang", "b1", "b3", "a0", "a2"]


def test_urgency_falls_along_the_order() -> None:
    """From 2 to 1 in each round; a job alone has 2."""
    jobs = [*_jobs("a", "b", "a"), demand("up", account="b", priority=1)]
    first, second = rounds_of(_room({}, {}), jobs)
    assert first.urgency == {"up": 2.0}
    assert [second.urgency[job.key] for job in second.demands] == [2.0, 1.5, 1.0]


def test_nodes_without_figures_leave_the_order_to_age() -> None:
    """Where nothing is known of any capacity nobody has a share of it."""
    jobs = _jobs("b", "a", "b", "a")
    assert _keys(snapshot(), jobs) == ["b0", "a1", "b2", "a3"]


_jobs_drawn = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 2), st.integers(0, 4), st.integers(0, 3)), max_size=12
)


@UNHURRIED
@given(drawn=_jobs_drawn, seed=st.integers(0, 1000))
def test_the_order_hangs_on_content_alone(drawn: list[tuple[str, int, int, int]], seed: int) -> None:
    """Each job stands in it once, higher priorities first, however they are handed in."""
    jobs = [
        demand(f"j{n}", width, gpus=1, account=account, priority=priority, created=NOW + timedelta(seconds=age))
        for n, (account, priority, age, width) in enumerate(drawn)
    ]
    there = _room({"a": Usage(0.0, {GPU: 3.0}), "b": Usage(0.0, {}, {GPU: 1})}, {"c": 2})
    order = [job for turn in rounds_of(there, jobs) for job in turn.demands]
    assert sorted(job.key for job in order) == sorted(job.key for job in jobs)
    assert [job.priority for job in order] == sorted((job.priority for job in jobs), reverse=True)
    shuffled = jobs.copy()
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - a simulation
    assert [job for turn in rounds_of(there, shuffled) for job in turn.demands] == order


@settings(UNHURRIED, max_examples=12)
@given(seed=st.integers(0, 10_000), slots=st.integers(3, 8), size=st.sampled_from((1, 2)), longest=st.floats(0.2, 0.5))
def test_backlogged_accounts_get_their_weights(seed: int, slots: int, size: int, longest: float) -> None:
    """Two accounts that always have work share GPU time 1:3, within 5 %, over forty windows, however long jobs run."""
    half_life = 10.0
    draw = random.Random(seed)  # noqa: S311 - a simulation
    room = Room(slots * size, {"a": 1, "b": 3}, half_life)
    for name in ("a", "b"):
        room.join(name, lambda _: (size, draw.uniform(0.1, longest) * half_life))
    room.run(40 * half_life)
    assert room.time["b"] / room.time["a"] == pytest.approx(3, rel=0.05)
    assert sum(room.time.values()) == pytest.approx(slots * size * 40 * half_life)


def test_what_one_leaves_idle_others_use_and_give_back() -> None:
    """An account alone has all; once the other has work, that catches up, and then both have what they weigh."""
    room = Room(8, {"a": 1, "b": 3}, 10.0)
    room.join("a", lambda _: (1, 2.0))
    room.run(100)
    assert room.time == {"a": pytest.approx(800)}
    room.join("b", lambda _: (1, 2.0))
    room.run(10)
    assert room.time["b"] > 0.75 * 80  # more than its part for a while, as it had nothing
    room.run(100)
    before = room.time.copy()
    room.run(400)
    assert (room.time["b"] - before["b"]) / (room.time["a"] - before["a"]) == pytest.approx(3, rel=0.05)
    room.leave("b")
    room.run(4)
    before = room.time.copy()
    room.run(100)
    assert room.time["a"] - before["a"] == pytest.approx(800)


@settings(UNHURRIED, max_examples=6)
@given(seed=st.integers(0, 10_000), weight=st.sampled_from((1, 10, 100)))
def test_nobody_starves(seed: int, weight: int) -> None:
    """However little an account weighs, each of its jobs starts within a bounded time."""
    draw = random.Random(seed)  # noqa: S311 - a simulation
    room = Room(4, {"a": 1, "b": weight}, 10.0, backlog=1)
    for name in ("a", "b"):
        room.join(name, lambda _: (1, draw.uniform(1.0, 5.0)))
    room.run(1500)
    waits = [begun - offered for key, (offered, begun) in room.started.items() if key.startswith("a")]
    assert len(waits) > 10
    assert max(waits) < 120
