from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.placement.fleets import GPU, UNHURRIED, demand

from isthmus.placement import Asked, Demand, Form
from isthmus.placement.asked import CHANGE, CLASSES, JOBS, PODS


def told(asked: Asked) -> dict[int, int]:
    """Pods by the GPUs that they ask for."""
    return {asking.demand.request.get(GPU, 0): asking.pods for asking in asked.told()}


@UNHURRIED
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 3), st.integers(1, 100)), max_size=80))
def test_a_job_counts_once(jobs: list[tuple[int, int, int]]) -> None:
    """What is told is the pods of each job as it first came, up to a bound a job, as of the version."""
    asked = Asked()
    first: dict[int, tuple[int, int]] = {}
    before: dict[int, int] = {}
    for key, gpus, width in jobs:
        version = asked.version
        asked.note(demand(str(key), width, gpus=gpus))
        first.setdefault(key, (gpus, width))
        if asked.version != version:
            before = Counter()
            for each, pods in first.values():
                before[each] += min(pods, PODS)
        assert told(asked) == before


def test_only_the_latest() -> None:
    """Jobs of long ago are forgotten, classes and all."""
    asked = Asked()
    for number in range(JOBS):
        asked.note(demand(f"old-{number}", gpus=4))
    assert told(asked).keys() == {4}
    for number in range(JOBS):
        asked.note(demand(f"new-{number}", gpus=1))
    assert told(asked).get(4, 0) <= CHANGE * JOBS
    for number in range(JOBS):
        asked.note(demand(f"other-{number}", gpus=2))
    assert 4 not in told(asked)


def test_told_anew_where_it_changes() -> None:
    """While jobs go on to ask for the same in about the same parts, what is told stays as it is."""
    asked = Asked()
    for number in range(4 * JOBS):
        asked.note(demand(str(number), gpus=1 + number % 5))
        if number == JOBS:
            version, before = asked.version, asked.told()
    assert asked.version == version
    assert asked.told() is before
    for number in range(JOBS // 2):
        asked.note(demand(f"other-{number}", gpus=8))
    assert asked.version > version


def test_only_the_commonest() -> None:
    """However many classes there are, a bounded number is told, and the commonest among them."""
    asked = Asked()
    for number in range(JOBS):
        asked.note(demand(str(number), gpus=number % 100 if number % 3 else 200))
    assert len(asked.told()) == CLASSES
    assert asked.told()[0].demand.request[GPU] == 200


def test_every_form_counts() -> None:
    """A job with variants asks for each of them; the labels and models that tell machines apart tell classes apart."""
    asked = Asked()
    forms = tuple(Form(str(gpus), {"cpu": 1000, "pods": 1, GPU: gpus}) for gpus in (1, 2))
    asked.note(demand("a", forms=forms))
    assert told(asked) == {1: 1, 2: 1}
    others: list[Demand] = [
        demand("b", gpus=1, models=("A100",)),
        demand("c", gpus=1, machine_selector={"rack": "a"}),
        demand("d", gpus=1),
    ]
    for each in others:
        asked.note(each)
    assert len(asked.told()) == 5
