from hypothesis import given
from hypothesis import strategies as st
from tests.unit.placement.fleets import NOW, UNHURRIED, demand, node, shape
from tests.unit.placement.test_preemption import cycle, running, stopped

from isthmus.api.quantities import GIBIBYTE, Resources
from isthmus.placement.candidate import Candidate, Fleet
from isthmus.placement.certain import Certain
from isthmus.placement.site import Site, room_of_node
from isthmus.placement.stoppable import Stoppable


def pod(cores: int, gibibytes: int) -> dict[str, int]:
    """The request of a pod."""
    return {"cpu": cores * 1000, "memory": gibibytes * GIBIBYTE, "pods": 1}


KINDS = (pod(1, 30), pod(2, 10), pod(3, 20))
pods_by_kind = st.lists(st.integers(0, 2), min_size=len(KINDS), max_size=len(KINDS))
machines = st.lists(st.tuples(pods_by_kind, st.integers(0, 4), st.integers(0, 8)), min_size=1, max_size=3)


def held(pods: list[int]) -> Resources:
    """What so many pods of each kind hold."""
    return {name: sum(count * kind[name] for count, kind in zip(pods, KINDS, strict=True)) for name in KINDS[0]}


@UNHURRIED
@given(there=machines, wanted=st.builds(pod, st.integers(1, 9), st.integers(1, 60)), data=st.data())
def test_a_sum_never_says_too_much(
    there: list[tuple[list[int], int, int]], wanted: dict[str, int], data: st.DataObject
) -> None:
    """Whichever machines the pods were on, there is room for at least as many as was told, and more where more stop."""
    free = []
    for pods, cores, gibibytes in there:  # that others hold
        taken = {name: amount + pod(cores, gibibytes)[name] for name, amount in held(pods).items()}
        free.append({"cpu": 16_000 - taken["cpu"], "memory": 128 * GIBIBYTE - taken["memory"], "pods": 110})
    view = node("west", *(shape(cores=16, free=each) for each in free))
    candidate = Candidate(demand("urgent", request=wanted), Site(view, room_of_node(view), 1), Fleet(()))
    stoppable = Stoppable((running(f"s{kind}", request=request) for kind, request in enumerate(KINDS)), NOW)
    kinds = {victim.shard.dispatch: victim.kind for victim in stoppable.below(1, candidate)}
    gone = [[data.draw(st.integers(0, count)) for count in pods] for pods, _, _ in there]
    counts = {kinds[f"s{kind}"]: sum(pods[kind] for pods in gone) for kind in range(len(KINDS))}
    after = [{name: left[name] + held(pods)[name] for name in left} for left, pods in zip(free, gone, strict=True)]
    fits = sum(min(each[name] // wanted[name] for name in wanted) for each in after)
    certain = Certain(candidate, stoppable)
    assert certain.least(counts) <= fits
    assert certain.least({kind: pods // 2 for kind, pods in counts.items()}) <= certain.least(counts)


def test_many_kinds_of_pods() -> None:
    """Where there are too many to try each on the machines, what is as large as the job's pods is stopped for it."""
    shapes = [shape(cores=8, free={"cpu": left}) for left in range(40)]
    small = [running(f"small-{n}", width=4, request={"cpu": 100 + n}) for n in range(40)]
    large = [running(f"large-{minutes}", minutes=minutes, request={"cpu": 2000}) for minutes in (70, 60, 80)]
    outcome = cycle([node("west", *shapes)], [*small, *large], demand("urgent", 2, priority=1, request={"cpu": 2000}))
    assert stopped(outcome) == {"urgent": ("large-60", "large-70")}


def test_pods_that_may_be_elsewhere() -> None:
    """A pod that may have been on a machine where the job can't go makes no room for certain."""
    arm = shape(2, cores=2, free={"cpu": 0}, arch="arm64")
    shapes = [shape(cores=8, free={"cpu": left}) for left in range(40)]
    shards = [running(f"low-{n}", minutes=n, request={"cpu": 2000}) for n in range(5)]
    shards += [running(f"small-{n}", request={"cpu": 100 + n}) for n in range(40)]
    picky = demand("urgent", priority=1, request={"cpu": 2000}, machine_selector={"kubernetes.io/arch": "amd64"})
    assert len(stopped(cycle([node("west", arm, *shapes)], shards, picky))["urgent"]) == 3
