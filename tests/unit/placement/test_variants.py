from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.placement.fleets import A100, GPU, NOW, UNHURRIED, demand, node, price, shape, snapshot

from isthmus.api.computejob import ComputeJob
from isthmus.api.quantities import GIBIBYTE
from isthmus.capacity.profile import Accelerator
from isthmus.placement import Demand, Form, Split, Unplaced, demand_of, examine, place

NPU = "huawei.com/Ascend910"
ASCEND = Accelerator("Huawei", NPU, "Ascend910B", 64 * GIBIBYTE)
PLAIN = {"cpu": 1000, "memory": GIBIBYTE, "pods": 1}
NVIDIA_FORM = Form("nvidia", {**PLAIN, GPU: 4}, models=("A100",))
ASCEND_FORM = Form("ascend", {**PLAIN, NPU: 8})
CPU_FORM = Form("cpu", {**PLAIN, "cpu": 16_000})


def job(*forms: Form, key: str = "job", width: int = 1, **facts: Any) -> Demand:
    """A job in these forms."""
    return demand(key, width, forms=forms, **facts)


def nvidia(name: str = "nvidia-side", free: int = 8, **facts: Any) -> Any:
    """A node of A100s, of which so many are free."""
    return node(name, shape(accelerator=A100, free={GPU: free}), **facts)


def ascend(name: str = "ascend-side", free: int = 8, **facts: Any) -> Any:
    """A node of Ascends, of which so many are free."""
    return node(name, shape(accelerator=ASCEND, free={NPU: free}), **facts)


def placed(*demands: Demand, on: tuple[Any, ...]) -> list[tuple[str, str | None, int]]:
    """Where each went, in which variant, with how many pods."""
    return [(a.node, a.variant, a.width) for a in place(snapshot(*on), demands).assignments]


def test_lands_on_whichever_is_free() -> None:
    """A job with two forms goes where one of them fits, in that one."""
    both = job(NVIDIA_FORM, ASCEND_FORM)
    assert placed(both, on=(nvidia(free=3), ascend())) == [("ascend-side", "ascend", 1)]
    assert placed(both, on=(nvidia(), ascend(free=7))) == [("nvidia-side", "nvidia", 1)]


def test_the_assignment_is_of_the_form() -> None:
    """Room, machines and price are those of the form that was chosen: what is assumed later is what it asks for."""
    prices = price(gpus={"Ascend910B": "0.0001", "*": "0.0003"})
    (assignment,) = place(snapshot(ascend(price=prices)), [job(NVIDIA_FORM, ASCEND_FORM)]).assignments
    assert assignment.demand == replace(
        job(NVIDIA_FORM, ASCEND_FORM), request=ASCEND_FORM.request, variant="ascend", forms=()
    )
    second = prices.core_second + prices.gibibyte_second + 8 * Decimal("0.0001")
    assert assignment.estimate_per_hour == 3600 * second


def test_the_better_score_wins() -> None:
    """Where several forms fit on one node, the one with the better score is chosen, whatever their order."""
    mixed = node(
        "mixed",
        shape(accelerator=A100),
        shape(accelerator=ASCEND),
        price=price(gpus={"Ascend910B": "0.01", "*": "0.0003"}),
    )
    for forms in ((NVIDIA_FORM, ASCEND_FORM), (ASCEND_FORM, NVIDIA_FORM)):
        outcome = place(snapshot(mixed), [job(*forms, objective="Cheapest")])
        assert [(a.node, a.variant) for a in outcome.assignments] == [("mixed", "nvidia")]
        assert [(v.node, v.variant) for v in outcome.assignments[0].explanation.nodes] == [("mixed", "nvidia")]


def test_equal_jobs_fill_one_form_after_the_other() -> None:
    """What one job takes in one form is gone for the next in any form."""
    jobs = [job(NVIDIA_FORM, ASCEND_FORM, key=f"job-{n}") for n in range(4)]
    outcome = place(snapshot(nvidia(), ascend()), jobs)
    assert sorted((a.node, a.variant) for a in outcome.assignments) == [
        ("ascend-side", "ascend"),
        ("nvidia-side", "nvidia"),
        ("nvidia-side", "nvidia"),
    ]
    (left,) = outcome.unplaced
    assert (left.reason, left.never) == ("InsufficientCapacity", False)


def unplaced(*forms: Form, on: Any) -> Unplaced:
    """Why no node takes a job of these forms."""
    (found,) = place(snapshot(on), [job(*forms)]).unplaced
    return found


def test_the_reason_names_the_nearest_variant() -> None:
    """Of a node that takes no form, the reason is that of the one which comes nearest, and names it."""
    found = unplaced(NVIDIA_FORM, ASCEND_FORM, on=nvidia(free=3))
    (verdict,) = found.explanation.nodes
    assert (verdict.reason, found.never) == ("InsufficientCapacity", False)
    assert verdict.message == "variant nvidia: needs 4 x A100 on one machine; the largest free block is 3"


def test_a_node_that_never_does_in_any_form() -> None:
    """A node where no form could ever run rules the job out for good; what all forms share is said of the job."""
    found = unplaced(NVIDIA_FORM, ASCEND_FORM, on=node("plain", shape()))
    assert (found.never, found.reason) == (True, "ResourceNotOffered")
    assert str(found.explanation.nodes[0].message).startswith("variant ascend: needs 8 x huawei.com/Ascend910")
    cordoned = unplaced(NVIDIA_FORM, CPU_FORM, on=nvidia(scheduling_state="Cordoned"))
    assert cordoned.explanation.nodes[0].message == "the node is cordoned and takes no new work"


def test_a_form_that_may_run_later_keeps_the_job_waiting() -> None:
    """One form that is ruled out for good does not rule out the job where another only lacks a price in force."""
    found = unplaced(ASCEND_FORM, NVIDIA_FORM, on=nvidia(price=price(current=False)))
    assert (found.never, found.reason) == (False, "Expired")
    assert found.explanation.nodes[0].message == "variant nvidia: tariff v1 was valid until yesterday"


def test_a_split_job_runs_in_several_forms() -> None:
    """The pieces of a split job may each run in another form, and each node gets the one that most has room in."""
    wide = job(NVIDIA_FORM, ASCEND_FORM, width=4, split=Split(4, 1))
    nodes = (nvidia(), node("ascend-side", shape(2, accelerator=ASCEND)))
    assert sorted(placed(wide, on=nodes)) == [("ascend-side", "ascend", 2), ("nvidia-side", "nvidia", 2)]
    mixed = node("mixed", shape(accelerator=A100), shape(3, accelerator=ASCEND))
    assert placed(replace(wide, width=3), on=(mixed,)) == [("mixed", "ascend", 3)]


def test_examined_in_its_best_form() -> None:
    """The whole explanation has each node once, with the form that would do best there."""
    found = examine(snapshot(nvidia(), ascend(), nvidia("full", free=0)), job(NVIDIA_FORM, ASCEND_FORM))
    assert sorted((f.node, f.variant, f.rejection is None) for f in found.findings) == [
        ("ascend-side", "ascend", True),
        ("full", None, False),
        ("nvidia-side", "nvidia", True),
    ]


def test_read_off_a_job() -> None:
    """What each variant asks for is its form of the template's request, with its own accelerators."""
    limits = {"cpu": "2", GPU: 4}
    container = {"name": "main", "image": "a", "resources": {"limits": limits}}
    variants = [
        {"name": "nvidia", "accelerator": {"models": ["A100"], "minimumMemory": "40Gi"}},
        {"name": "ascend", "resources": {NPU: 8}},
        {"name": "cpu", "resources": {"cpu": "16"}},
    ]
    metadata = {"uid": "u", "name": "n", "namespace": "team", "creationTimestamp": NOW.isoformat()}
    spec = {"template": {"template": {"spec": {"containers": [container]}}}, "variants": variants}
    found = demand_of(ComputeJob.model_validate({"metadata": metadata, "spec": spec}), "team")
    assert found.forms == (
        Form("nvidia", {"cpu": 2000, GPU: 4, "pods": 1}, ("A100",), 40 * GIBIBYTE),
        Form("ascend", {"cpu": 2000, NPU: 8, "pods": 1}),
        Form("cpu", {"cpu": 16_000, "pods": 1}),
    )


@UNHURRIED
@given(st.integers(0, 8), st.integers(0, 16), st.integers(0, 32), st.integers(0, 12))
def test_never_more_than_is_free(gpus: int, npus: int, cores: int, count: int) -> None:
    """However many jobs of three forms come, what they take in each stays within what is free of it."""
    free = {GPU: gpus, "cpu": cores * 1000}
    there = (
        node("one", shape(accelerator=A100, free=free)),
        node("two", shape(2, accelerator=ASCEND, free={NPU: npus // 2, "cpu": 4000})),
    )
    jobs = [job(NVIDIA_FORM, ASCEND_FORM, CPU_FORM, key=f"job-{n:02}") for n in range(count)]
    outcome = place(snapshot(*there), jobs)
    taken = {
        (site, name): sum(a.demand.request.get(name, 0) for a in outcome.assignments if a.node == site)
        for site in ("one", "two")
        for name in (GPU, NPU, "cpu")
    }
    assert taken["one", GPU] <= gpus
    assert taken["one", "cpu"] <= cores * 1000
    assert taken["two", NPU] <= 2 * (npus // 2)
    assert taken["two", "cpu"] <= 8000
    assert len(outcome.assignments) + len(outcome.unplaced) == count
