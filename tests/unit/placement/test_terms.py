from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.placement.fleets import (
    A100,
    GPU,
    T4,
    UNHURRIED,
    demand,
    demands,
    node,
    price,
    profile,
    shape,
    shapes,
    snapshot,
)

from isthmus.api.quantities import GIBIBYTE
from isthmus.capacity.profile import ExpectedPods, Shape
from isthmus.placement import Assumption, Demand, NodeView, Outcome, Rooms, Split, Terms, Unplaced, examine, place
from isthmus.placement.jobclass import COMING
from isthmus.placement.terms import still_to_come


def lends(share: dict[str, int] | None = None, left: dict[str, int] | None = None, **terms: Any) -> Terms:
    """Terms of which all of the share is left unless said otherwise."""
    return Terms(share=share, left=share if left is None else left, **terms)


def refused(terms: Terms, job: Demand, *shapes_: Shape) -> Unplaced:
    """Why a node under these terms does not take the job."""
    (found,) = place(snapshot(node("site", *(shapes_ or (shape(accelerator=A100),)), terms=terms)), [job]).unplaced
    return found


REFUSED: dict[str, tuple[Terms, Demand, str, str, bool]] = {
    "closed": (
        Terms(closed="the node lends nothing at this hour"),
        demand(),
        "NotOfferedNow",
        "the node lends nothing at this hour",
        False,
    ),
    "not among the accounts": (
        Terms(accounts=frozenset({"other"})),
        demand(),
        "AccountNotAdmitted",
        "the node's offer does not admit account team",
        True,
    ),
    "excepted": (
        Terms(excepted=frozenset({"team"})),
        demand(),
        "AccountNotAdmitted",
        "the node's offer does not admit account team",
        True,
    ),
    "more than is ever lent": (
        lends({GPU: 2}),
        demand(width=3, gpus=1),
        "ShareTooSmall",
        "needs 3 x nvidia.com/gpu for 3 pods; the node lends 2",
        True,
    ),
    "more than is left": (
        lends({GPU: 4, "cpu": 64_000}, {GPU: 1, "cpu": 64_000}),
        demand(gpus=2),
        "ShareExhausted",
        "needs 2 x nvidia.com/gpu for a pod; of 4 that the node lends 1 is left",
        False,
    ),
    "less than nothing left": (
        lends({"cpu": 1000}, {"cpu": -3000}),
        demand(),
        "ShareExhausted",
        "needs 1 cpu for a pod; of 1 that the node lends 0 is left",
        False,
    ),
    "a queue of its own": (
        Terms(queued=True),
        demand(grace_seconds=30),
        "QueuedByMember",
        "a queue of the member decides when the job begins, so onNodeLost Rerun can't be kept to its limit there",
        True,
    ),
}


@pytest.mark.parametrize(("terms", "job", "reason", "message", "never"), REFUSED.values(), ids=REFUSED)
def test_refused(terms: Terms, job: Demand, reason: str, message: str, never: bool) -> None:
    """What the offer rules out is told in its words; only what waiting can't change rules the job out for good."""
    found = refused(terms, job)
    assert (found.reason, found.explanation.nodes[0].message, found.never) == (reason, message, never)


TAKEN: dict[str, tuple[Terms, Demand]] = {
    "without terms": (Terms(), demand()),
    "among the accounts": (Terms(accounts=frozenset({"team"}), excepted=frozenset({"other"})), demand()),
    "within the share": (lends({GPU: 2}), demand(width=2, gpus=1)),
    "of what is not bounded": (lends({GPU: 0}), demand(width=8)),
    "queued, and patient": (Terms(queued=True), demand()),
}


@pytest.mark.parametrize(("terms", "job"), TAKEN.values(), ids=TAKEN)
def test_taken(terms: Terms, job: Demand) -> None:
    """A job that the offer covers is placed."""
    outcome = place(snapshot(node("site", shape(accelerator=A100), terms=terms)), [job])
    assert [a.node for a in outcome.assignments] == ["site"]


def test_a_share_is_counted_within_a_cycle() -> None:
    """What one job of a cycle takes of a share is gone for the next, and a split job gets what is left."""
    site = node("site", shape(4, accelerator=A100), terms=lends({GPU: 5}))
    jobs = [demand(f"job-{n}", gpus=2) for n in range(3)]
    assert len(place(snapshot(site), jobs).assignments) == 2
    wide = demand("wide", 9, gpus=1, split=Split(4, 1))
    assert [a.width for a in place(snapshot(site), [jobs[0], wide]).assignments] == [1, 3]


def test_without_room_it_is_not_the_share() -> None:
    """Where the machines themselves are full, that is what is told."""
    found = refused(lends({GPU: 8}, {GPU: 1}), demand(gpus=2), shape(accelerator=A100, free={GPU: 1}))
    assert found.reason == "InsufficientCapacity"


def test_a_share_renewed_from_cycle_to_cycle() -> None:
    """One set of rooms over many cycles gives what a fresh one would, as what is left of the share goes and comes."""
    rooms = Rooms()
    machines = node("site", shape(2, accelerator=A100))
    work = demand(gpus=2)
    for left, assumed in ((4, 0), (2, 1), (0, 2), (2, 1), (1, 1), (4, 0)):
        site = replace(
            machines,
            terms=lends({GPU: 4}, {GPU: left}),
            assumed=tuple(Assumption(n + 1, work, 1) for n in range(assumed)),
        )
        jobs = [demand(f"job-{n}", gpus=2) for n in range(3)]
        kept = place(snapshot(site), jobs, rooms=rooms)
        assert kept == place(snapshot(site), jobs)
        assert len(kept.assignments) == left // 2


@UNHURRIED
@given(
    there=st.lists(shapes(), min_size=1, max_size=3),
    share=st.dictionaries(st.sampled_from((GPU, "cpu", "memory", "pods")), st.integers(0, 9), max_size=3),
    cycles=st.lists(st.lists(demands(), min_size=1, max_size=3), min_size=1, max_size=4),
    ends=st.lists(st.integers(0, 5), max_size=4),
)
def test_held_never_above_the_share(
    there: list[Shape], share: dict[str, int], cycles: list[list[Demand]], ends: list[int]
) -> None:
    """Over cycles in which work comes and goes, what our work holds of a node never exceeds what it lends."""
    units = {"cpu": 1000, "memory": GIBIBYTE}
    most = {name: amount * units.get(name, 1) for name, amount in share.items()}
    rooms, sequence = Rooms(), 0
    held: list[Assumption] = []
    for number, jobs in enumerate(cycles):
        taken = {name: sum(a.demand.request.get(name, 0) * a.width for a in held) for name in most}
        left = {name: amount - taken[name] for name, amount in most.items()}
        site = node("site", *there, terms=Terms(share=most, left=left), assumed=tuple(held))
        named = [replace(job, key=f"{number}-{n}", name=f"{number}-{n}") for n, job in enumerate(jobs)]
        for assignment in place(snapshot(site), named, rooms=rooms).assignments:
            sequence += 1
            held.append(Assumption(sequence, assignment.demand, assignment.width))
        for name, amount in most.items():
            assert sum(a.demand.request.get(name, 0) * a.width for a in held) <= amount
        if number < len(ends) and held:
            held.pop(ends[number] % len(held))


def taken(outcome: Outcome, node_: str, resource: str) -> int:
    """How much of the resource the outcome gives out on the node."""
    return sum(a.demand.request.get(resource, 0) * a.width for a in outcome.assignments if a.node == node_)


def test_a_batch_keeps_to_the_share() -> None:
    """Jobs placed at once by a program take no more of any node than it lends, and the program's bound knows it."""
    first = node("first", shape(8, accelerator=A100), terms=lends({GPU: 5}))
    second = node("second", shape(2, accelerator=A100), terms=lends({GPU: 9, "cpu": 4000}, {GPU: 6, "cpu": 4000}))
    jobs = [demand(f"job-{n:02}", gpus=1 + n % 3) for n in range(40)]
    outcome = place(snapshot(first, second), jobs, batch=1)
    assert taken(outcome, "first", GPU) == 5
    assert 0 < taken(outcome, "second", GPU) <= 6
    assert taken(outcome, "second", "cpu") <= 4000
    assert outcome.programs is not None
    assert outcome.programs.bound <= outcome.programs.objective


@UNHURRIED
@given(
    fleet=st.lists(st.lists(shapes(), min_size=1, max_size=2), min_size=1, max_size=2),
    left=st.lists(st.integers(0, 6), min_size=2, max_size=2),
    jobs=st.lists(demands(), min_size=1, max_size=6),
)
def test_no_batch_exceeds_a_share(fleet: list[list[Shape]], left: list[int], jobs: list[Demand]) -> None:
    """Whatever comes at once, in several forms and in parts too, each node gives out no more than is left of it."""
    sites = [
        node(f"site-{n}", *there, terms=lends({GPU: 9, "cpu": 9000}, {GPU: left[n], "cpu": left[n] * 1000}))
        for n, there in enumerate(fleet)
    ]
    named = [replace(job, key=f"job-{n}", name=f"job-{n}") for n, job in enumerate(jobs)]
    outcome = place(snapshot(*sites), named, batch=1)
    for n, site in enumerate(sites):
        assert taken(outcome, site.name, GPU) <= left[n]
        assert taken(outcome, site.name, "cpu") <= left[n] * 1000


def test_a_batch_fills_what_is_there_first() -> None:
    """Of many jobs at once only those go to machines that are yet to come which no real machine has room for."""
    growing = node("a-growing", shape(accelerator=A100), terms=Terms(coming=(shape(2, accelerator=A100),)))
    dear = node("z-real", shape(accelerator=A100), price=price("0.001"))
    jobs = [demand(f"job-{n:02}", gpus=2) for n in range(12)]
    outcome = place(snapshot(growing, dear), jobs, batch=1)
    assert (taken(outcome, "z-real", GPU), taken(outcome, "a-growing", GPU)) == (8, 16)
    told = [{v.node: v.message for v in a.explanation.nodes}[a.node] for a in outcome.assignments]
    assert told.count(COMING) == 4


def test_machines_to_come_are_the_last_resort() -> None:
    """Room that an autoscaler would make is given out after all real room, in any order of nodes, and it is told."""
    growing = node(
        "a-growing", shape(accelerator=A100, free={GPU: 0}), terms=Terms(coming=(shape(2, accelerator=A100),))
    )
    dear = node("z-real", shape(accelerator=A100))
    jobs = [demand(f"job-{n}", gpus=8) for n in range(4)]
    outcome = place(snapshot(growing, dear), jobs)
    assert [a.node for a in outcome.assignments] == ["z-real", "a-growing", "a-growing"]
    messages = {v.node: v.message for v in outcome.assignments[1].explanation.nodes}
    assert messages["a-growing"] == COMING
    assert all(0 <= (v.score or 0) <= 100 for a in outcome.assignments for v in a.explanation.nodes)
    (waiting,) = outcome.unplaced
    assert (waiting.reason, waiting.never) == ("InsufficientCapacity", False)
    (first, second) = examine(snapshot(growing, dear), jobs[0]).findings
    told = [(each.node, each.score.note if each.score else None) for each in (first, second)]
    assert told == [("z-real", ""), ("a-growing", COMING)]


def test_on_one_node_what_is_there_goes_first() -> None:
    """Small work on a node that may grow uses the machines that it has."""
    site = node("site", shape(free={"cpu": 2000}), terms=Terms(coming=(shape(),)))
    outcome = place(snapshot(site), [demand(f"job-{n}") for n in range(3)])
    assert [v.message for a in outcome.assignments for v in a.explanation.nodes] == [None, None, COMING]


def test_what_was_sent_to_machines_to_come_is_subtracted() -> None:
    """Until they are there, work sent to machines that come holds them, and overdraws nothing."""
    sent = Assumption(1, demand(gpus=8), 1)
    site = node("site", shape(free={"cpu": 0}), terms=Terms(coming=(shape(accelerator=A100),)), assumed=(sent,))
    assert refused_by(site, demand(gpus=1)) == "InsufficientCapacity"
    assert not place(snapshot(replace(site, assumed=())), [demand(gpus=8)]).unplaced


@pytest.mark.parametrize(
    ("labels", "count", "placed"),
    [
        pytest.param({}, 1, 1, id="one of two waits for each"),
        pytest.param({}, 2, 0, id="as many wait as may come"),
        pytest.param({}, 9, 0, id="more wait than may come"),
        pytest.param({"kubernetes.io/arch": ("arm64",)}, 2, 2, id="it waits for other machines"),
        pytest.param({"rack": ("r1",)}, 2, 0, id="it may be these that it waits for"),
    ],
)
def test_what_waits_in_the_member_holds_machines_to_come(
    labels: dict[str, tuple[str, ...]], count: int, placed: int
) -> None:
    """Pods that the figures show nowhere wait for machines that come: these are not given out a second time."""
    waiting = ExpectedPods(demand(gpus=8).request, count, labels)
    figures = replace(profile(shape(free={"cpu": 0})), waiting=(waiting,))
    site = node("site", profile=figures, terms=Terms(coming=(shape(2, accelerator=A100),)))
    outcome = place(snapshot(site), [demand(f"job-{n}", gpus=8) for n in range(4)])
    assert len(outcome.assignments) == placed
    assert place(snapshot(replace(site, terms=None)), [demand(gpus=8)]).unplaced[0].never


def refused_by(site: NodeView, job: Demand) -> str:
    """Why the node does not take the job."""
    return place(snapshot(site), [job]).unplaced[0].reason


def test_a_split_job_fills_what_is_there_first() -> None:
    """The pieces of a split job go to real machines; what is left goes to those to come only once there are none."""
    growing = node("growing", shape(free={"cpu": 1000}), terms=Terms(coming=(shape(4),)))
    real = node("real", shape(free={"cpu": 3000}))
    wide = demand("wide", 20, split=Split(4, 1))
    assert sorted((a.node, a.width) for a in place(snapshot(growing, real), [wide]).assignments) == [
        ("growing", 1),
        ("real", 3),
    ]
    full = replace(real, profile=None)
    none_left = node("growing", shape(free={"cpu": 0}), terms=Terms(coming=(shape(4),)))
    assert [(a.node, a.width) for a in place(snapshot(none_left, full), [wide]).assignments] == [("growing", 20)]


LARGE = shape(5, accelerator=A100)
CAME: dict[str, tuple[list[Shape], int | None]] = {
    "none": ([], 5),
    "others": ([shape(3), shape(2, accelerator=T4)], 5),
    "some": ([shape(3, accelerator=A100)], 2),
    "a little smaller": ([shape(3, accelerator=A100, cores=30)], 2),
    "much smaller": ([shape(3, accelerator=A100, cores=16)], 5),
    "all": ([shape(4, accelerator=A100), shape(1, accelerator=A100, free={GPU: 0})], None),
    "more than there may be": ([shape(9, accelerator=A100)], None),
}


@pytest.mark.parametrize(("there", "left"), CAME.values(), ids=CAME)
def test_still_to_come(there: list[Shape], left: int | None) -> None:
    """Machines that are there already count against the most that there may be, by what they are."""
    found = still_to_come(LARGE, there)
    assert (None if found is None else found.count) == left
