from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from tests.unit.placement.fleets import (
    A100,
    GPU,
    NOW,
    T4,
    TAINT,
    UNHURRIED,
    demand,
    demands,
    fleets,
    node,
    price,
    shape,
    snapshot,
)

from isthmus.api.computenode import Taint
from isthmus.placement import Demand, Form, NodeView, Remedy, Reservation, Snapshot, Terms, examine, place, remedies


def told(nodes: list[NodeView], wanted: Demand, **facts: Any) -> list[tuple[str, str, tuple[str, ...]]]:
    """The remedies in short."""
    return [(r.change, r.message, r.nodes) for r in remedies(snapshot(*nodes), wanted, **facts)]


HALF = node("half", shape(2, accelerator=A100, free={GPU: 4}))
SMALL = node("small", shape(1, accelerator=T4))
EIGHT = demand(gpus=8, models=("A100",))


def test_a_block_is_too_small() -> None:
    """A job that wants more on one machine than is free is told what would do, in the words of its reason."""
    (finding,) = examine(snapshot(HALF), EIGHT).findings
    assert finding.rejection is not None
    assert finding.rejection.message == "needs 8 x A100 on one machine; the largest free block is 4"
    assert (finding.fit.largest_block, finding.fit.pods_now, finding.fit.pods_empty) == (4, 0, 2)
    assert told([HALF], EIGHT) == [
        ("WaitForRoom", f"runs when 4 x {GPU} more get free on one machine of half", ("half",)),
        ("SmallerRequest", f"runs at once with 4 x {GPU} per pod, instead of 8", ("half",)),
    ]


@pytest.mark.parametrize(
    ("nodes", "wanted", "expected"),
    [
        pytest.param([node("a", shape())], demand(), [], id="nothing where it would be placed as it is"),
        pytest.param([], demand(), [], id="nothing where there are no nodes"),
        pytest.param(
            [node("a", shape(), region="north")],
            demand(regions=("south",)),
            [("AnyRegion", "1 node would do if any region were allowed (placement.regions)", ("a",))],
            id="region",
        ),
        pytest.param(
            [node("a", shape(), region="north", tier="Edge")],
            demand(regions=("south",), tiers=("Core",)),
            [],
            id="no single change would do",
        ),
        pytest.param(
            [node("a", shape()), node("b", shape(), tier="Edge")],
            demand(tiers=("Region",)),
            [("AnyTier", "2 nodes would do if any tier were allowed (placement.tiers)", ("b", "a"))],
            id="tier",
        ),
        pytest.param(
            [node("a", shape(), labels={"disk": "ssd"})],
            demand(node_selector={"disk": "ssd", "site": "x"}),
            [("DropNodeLabel", "1 node would do without site in placement.nodeSelector", ("a",))],
            id="the one label that is in the way",
        ),
        pytest.param(
            [node("a", shape(), taints=(Taint(key="night"),))],
            demand(),
            [("TolerateTaint", "1 node would do if the taint night were tolerated (placement.tolerations)", ("a",))],
            id="taint",
        ),
        pytest.param(
            [node("a", shape(taints=(TAINT,)))],
            demand(),
            [("TolerateMachineTaint", "1 node would do if the pods tolerated the machines' taint dedicated", ("a",))],
            id="taint of machines",
        ),
        pytest.param(
            [SMALL],
            demand(gpus=1, models=("A100",)),
            [("AnyModel", "1 node would do if any model were allowed (placement.accelerator.models)", ("small",))],
            id="model",
        ),
        pytest.param(
            [node("a", shape(), price=price(current=False))],
            demand(),
            [("PriceCurrent", "a would do once its prices are in force", ("a",))],
            id="price",
        ),
        pytest.param(
            [node("a", shape(), scheduling_state="Cordoned"), node("b", shape(), ready=False)],
            demand(),
            [
                ("Uncordon", "a would do once it takes new work again (spec.schedulingState)", ("a",)),
                ("NodeReady", "b would do once it is ready again", ("b",)),
            ],
            id="states that pass",
        ),
        pytest.param(
            [node("a", shape(), terms=Terms(closed="not now"))],
            demand(),
            [("OfferOpens", "a would do once a window of its offer is open", ("a",))],
            id="an offer that is closed",
        ),
        pytest.param(
            [node("a", shape(), terms=Terms(share={"cpu": 8000}, left={"cpu": 2000}))],
            demand(width=3),
            [
                ("SmallerRequest", "runs at once with 600m cpu per pod, instead of 1", ("a",)),
                ("FewerPods", "runs with 2 pods at once (parallelism 2) instead of 3", ("a",)),
                ("ShareFree", "a would do once other work has given back what it lends", ("a",)),
            ],
            id="a share that others hold",
        ),
        pytest.param(
            [HALF],
            demand(forms=(Form("wide", {"cpu": 1000, "pods": 1, GPU: 8}), Form("huge", {"cpu": 64_000, "pods": 1}))),
            [
                ("WaitForRoom", f"runs when 4 x {GPU} more get free on one machine of half", ("half",)),
                ("SmallerRequest", f"runs at once with 4 x {GPU} per pod in variant wide, instead of 8", ("half",)),
                ("SmallerRequest", "runs at once with 32 cpu per pod in variant huge, instead of 64", ("half",)),
            ],
            id="forms",
        ),
        pytest.param(
            [node("a", shape(3, cores=2))],
            demand(width=10),
            [
                ("SmallerRequest", "runs at once with 500m cpu per pod, instead of 1", ("a",)),
                ("FewerPods", "runs with 6 pods at once (parallelism 6) instead of 10", ("a",)),
            ],
            id="never more pods than machines hold",
        ),
        pytest.param(
            [node("a", shape(3, cores=2, free={"cpu": 1000}))],
            demand(width=4),
            [
                ("WaitForRoom", "runs when 1 cpu more get free on one machine of a", ("a",)),
                ("SmallerRequest", "runs at once with 500m cpu per pod, instead of 1", ("a",)),
                ("FewerPods", "runs with 3 pods at once (parallelism 3) instead of 4", ("a",)),
            ],
            id="pods of a gang",
        ),
    ],
)
def test_remedies(nodes: list[NodeView], wanted: Demand, expected: list[tuple[str, str, tuple[str, ...]]]) -> None:
    """Each single change that would do is told, and no other."""
    assert told(nodes, wanted) == expected


def test_split() -> None:
    """Indexes that could run apart are told in how many pieces they would."""
    nodes = [node("a", shape(1, cores=2)), node("b", shape(1, cores=2))]
    wanted = demand(width=4)
    assert ("SplitByIndex", "runs in 2 pieces with placement.split ByIndex", ("a", "b")) in told(
        nodes, wanted, splittable=True
    )
    assert "SplitByIndex" not in {change for change, _, _ in told(nodes, wanted)}


def test_room_that_is_held_is_no_remedy() -> None:
    """Room that is reserved for a job before it helps no change of the job, nor does what gets free there."""
    west = node("west", shape(cores=8, free={"cpu": 7000}), region="r1")
    east = node("east", shape(cores=8, free={"cpu": 1000}), region="r2")
    held = Snapshot((west, east), NOW, reservations=(Reservation(demand("big", 8, priority=1), "west", NOW),))
    wanted = demand(request={"cpu": 2000}, regions=("r2",))
    assert [(r.change, r.nodes) for r in remedies(held, wanted)] == [
        ("WaitForRoom", ("east",)),
        ("SmallerRequest", ("east",)),
    ]
    assert not remedies(replace(held, nodes=(west,)), replace(wanted, regions=()))
    wide = demand(width=2, request={"cpu": 1000})
    assert not [r for r in remedies(held, wide, splittable=True) if r.change == "SplitByIndex"]


def _changed(wanted: Demand, remedy: Remedy) -> Demand | None:
    """The job with the change made, where the job alone is to change and the message tells how."""
    said = remedy.message.split()
    if remedy.change == "FewerPods":
        return replace(wanted, width=int(said[2]))
    return {"AnyTier": replace(wanted, tiers=()), "AnyModel": replace(wanted, models=())}.get(remedy.change)


@UNHURRIED
@given(fleet=fleets(), wanted=demands())
def test_each_is_true(fleet: tuple[NodeView, ...], wanted: Demand) -> None:
    """What is told makes the job run on the nodes named; a job that is placed gets nothing told."""
    seen = Snapshot(fleet, NOW)
    found = remedies(seen, wanted)
    if place(seen, [wanted]).assignments:
        assert found == ()
    for remedy in found:
        changed = _changed(wanted, remedy)
        if changed is not None:
            (first, *_) = place(seen, [changed]).assignments
            assert first.node in remedy.nodes
    assert found == remedies(seen, wanted)
