from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

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
from tests.unit.placement.packing import packable

from isthmus.api.quantities import GIBIBYTE
from isthmus.capacity.accelerators import model_matches
from isthmus.capacity.profile import Shape
from isthmus.placement import Assignment, Assumption, Demand, NodeView, Outcome, Rooms, place


def _pods(node_: NodeView, work: Sequence[tuple[Demand, int]]) -> bool:
    """Whether the work can be packed onto the node's machines, each pod on one that it may use there."""
    there = node_.profile.shapes if node_.profile else ()

    def may_use(job: Demand, each: Shape) -> bool:
        held = [a for a in each.accelerators if job.request.get(a.resource_name)]
        priced = node_.price is None or all(node_.price.of_model(a.meter_model) is not None for a in held)
        wanted = not job.models or all(any(model_matches(m, a.model) for m in job.models) for a in held)
        return priced and wanted and (not each.taints or bool(job.machine_tolerations))

    pods = [(job.request, lambda s, job=job: may_use(job, s)) for job, width in work for _ in range(width)]
    return packable(there, pods)


@UNHURRIED
@given(fleet=fleets(), jobs=queues())
def test_never_over_commits(fleet: tuple[NodeView, ...], jobs: tuple[Demand, ...]) -> None:
    """What a node is given goes on its machines together with all that was sent to it before."""
    outcome = place(snapshot(*fleet), jobs)
    for each in fleet:
        given_ = [(a.demand, a.width) for a in outcome.assignments if a.node == each.name]
        if any(width for _, width in given_):
            assert _pods(each, [*((a.demand, a.width) for a in each.assumed), *given_])


@UNHURRIED
@given(fleet=fleets(), jobs=queues())
def test_never_breaks_a_filter(fleet: tuple[NodeView, ...], jobs: tuple[Demand, ...]) -> None:
    """Every job stands once in the outcome, and where it is assigned the node meets all that it asks for."""
    outcome = place(snapshot(*fleet), jobs)
    by_name = {each.name: each for each in fleet}
    keys = [a.demand.key for a in outcome.assignments] + [u.demand.key for u in outcome.unplaced]
    assert sorted(keys) == sorted(job.key for job in jobs)
    for assignment in outcome.assignments:
        job, there = assignment.demand, by_name[assignment.node]
        assert there.ready
        assert there.price is not None
        assert not job.tiers or there.tier in job.tiers
        assert assignment.width == job.width
        assert assignment.estimate_per_hour is not None
        if job.models and job.width:
            ((_, values),) = assignment.affinity
            assert all(any(model_matches(m, value) for m in job.models) for value in values)


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
    """A job without a place has none: on no node that only lacks room could its pods be packed."""
    idle = tuple(replace(each, assumed=()) for each in fleet)
    for unplaced in place(snapshot(*idle), jobs[:1]).unplaced:
        lacking = {v.node for v in unplaced.explanation.nodes if v.reason == "InsufficientCapacity"}
        job = unplaced.demand
        assert not any(_pods(each, [(job, job.width)]) for each in idle if each.name in lacking)


@UNHURRIED
@given(data=st.data())
def test_what_is_kept_changes_nothing(data: st.DataObject) -> None:
    """Cycle after cycle, with nodes changing, coming and going, kept rooms give what fresh ones give."""
    rooms = Rooms()
    fleet = data.draw(fleets())
    jobs = data.draw(queues())
    for _ in range(data.draw(st.integers(2, 4))):
        outcome = place(snapshot(*fleet), jobs, rooms=rooms)
        assert outcome == place(snapshot(*fleet), jobs)
        change = data.draw(st.sampled_from(("dispatch", "fleet", "jobs", "cordon", "figures")))
        if change == "dispatch":
            fleet = tuple(_assumed(each, outcome) for each in fleet)
        elif change == "fleet":
            fleet = data.draw(fleets())
        elif change == "jobs":
            jobs = data.draw(queues())
        elif change == "cordon":
            fleet = tuple(replace(each, scheduling_state="Cordoned") for each in fleet)
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
        "0/1 nodes are available: 1 InsufficientCapacity (needs 2 pods of 8 x nvidia.com/gpu + 1 cpu + 1Gi memory; "
        "room for none now, short of nvidia.com/gpu)"
    )


def test_gang_waits_for_one_node() -> None:
    """A job is never divided over nodes, whatever they have together."""
    fleet = [node(name, shape(1, accelerator=A100)) for name in "abc"]
    outcome = place(snapshot(*fleet), [demand(width=2, gpus=8)])
    assert (outcome.assignments, outcome.unplaced[0].reason, outcome.unplaced[0].never) == ((), "NeverFits", True)


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
