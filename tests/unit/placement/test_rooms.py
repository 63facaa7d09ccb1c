from dataclasses import replace

import pytest
from tests.unit.placement.fleets import A100, T4, demand, node, shape, snapshot

from isthmus.placement import Demand, Rooms, place
from isthmus.placement.jobclass import JobClass


def test_memory_is_bounded() -> None:
    """However many kinds of job come by, only so many evaluations are kept."""
    rooms = Rooms(candidates=20)
    fleet = snapshot(*(node(f"n{n}", shape()) for n in range(4)))
    for width in range(1, 30):
        place(fleet, [demand(width=width), demand("other", width=width, tiers=("Edge",))], rooms=rooms)
    assert len(rooms) == 20


def test_a_forgotten_class_is_judged_again() -> None:
    """More classes in one cycle than are kept give what fresh rooms give."""
    fleet = snapshot(node("a", shape(1, free={"cpu": 9000})), node("b", shape(1, free={"cpu": 5000})))
    jobs = [demand(f"{round_}-{width}", width) for round_ in range(3) for width in range(1, 6)]
    assert place(fleet, jobs, rooms=Rooms(candidates=4, in_cycle=4)) == place(fleet, jobs)


def test_an_error_leaves_nothing_taken() -> None:
    """A cycle that fails midway does not leave its work in the rooms."""
    rooms = Rooms()
    fleet = snapshot(node("n", shape(1, free={"cpu": 1000})))
    broken = replace(demand("z"), objective="Unheard")
    with pytest.raises(KeyError, match="Unheard"):
        place(fleet, [demand("a"), broken], rooms=rooms)
    assert len(place(fleet, [demand("b")], rooms=rooms).assignments) == 1


def test_a_new_model_is_heard_of_everywhere() -> None:
    """What is kept of one node does not go on saying that no node offers what another has got."""
    rooms = Rooms()
    job = demand(gpus=1, models=("A100",))
    old = node("old", shape(accelerator=T4))
    (before,) = place(snapshot(old), [job], rooms=rooms).unplaced
    (after,) = place(snapshot(node("new", shape(accelerator=A100)), old), [job], rooms=rooms).assignments
    assert [v.message for v in before.explanation.nodes] == ["wants A100; this node has Tesla-T4; no node offers it"]
    assert [v.message for v in after.explanation.nodes] == [None, "wants A100; this node has Tesla-T4"]


def test_a_cycle_judges_each_class_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many classes take turns in one cycle, none is judged anew in it; what is too much goes at its end."""
    judged: list[Demand] = []

    def judge(job: Demand) -> JobClass:
        judged.append(job)
        return JobClass(job)

    monkeypatch.setattr("isthmus.placement.rooms.JobClass", judge)
    rooms = Rooms(candidates=4)
    jobs = [demand(f"{turn}-{cores}", request={"cpu": cores * 1000}) for turn in range(3) for cores in range(1, 21)]
    place(snapshot(node("a", shape()), node("b", shape())), jobs, rooms=rooms)
    assert len(judged) == 20
    assert len(rooms) == 4
