from hypothesis import given
from hypothesis import strategies as st
from tests.unit.packing.instances import RULES, columns_of, machines, pods, random

from isthmus.placement.packing import Machine, Members, Placement, PodClass, PodClasses
from isthmus.placement.packing.replay import Job, Start, replay

fleets = st.lists(machines, min_size=2, max_size=5)
kinds = st.lists(pods, min_size=1, max_size=5, unique=True)
times = st.lists(
    st.tuples(st.integers(0, 99), st.integers(0, 50), st.integers(1, 30)), min_size=1, max_size=30
)  # class, gap, seconds


def anywhere(members: Members, pod: int, _now: float) -> tuple[int, Placement] | None:
    """The packing's own choice."""
    return members.place(pod)


def jobs_of(drawn: list[tuple[int, int, int]], classes: int) -> list[Job]:
    """Jobs one after another, each so long after the one before."""
    now, jobs = 0, []
    for pod, gap, seconds in drawn:
        now += gap
        jobs.append(Job(pod % classes, now, seconds))
    return jobs


def run(jobs: list[Job], classes: list[PodClass], fleet: list[Machine], name: str = "fragmentation") -> list[Start]:
    """The replay on two members."""
    columns = columns_of(name, classes, fleet)
    return replay(jobs, Members([fleet[::2], fleet[1::2]], columns, random()), columns.rule.classes, anywhere)


@given(fleet=fleets, classes=kinds, drawn=times, name=st.sampled_from(RULES))
def test_every_job_that_fits_a_machine_starts(
    fleet: list[Machine], classes: list[PodClass], drawn: list[tuple[int, int, int]], name: str
) -> None:
    """None before it is handed in, each once; of a class in their order; the rest are those that fit no machine."""
    jobs = jobs_of(drawn, len(classes))
    starts = run(jobs, classes, fleet, name)
    fits = [PodClasses(classes).fits(machine.empty) for machine in fleet]
    possible = [job for job in jobs if any(each[job.pod] for each in fits)]
    key = lambda job: (job.created, job.pod, job.seconds)  # noqa: E731 - jobs have no order of their own
    assert sorted((start.job for start in starts), key=key) == sorted(possible, key=key)
    assert all(start.at >= start.job.created for start in starts)
    for pod in range(len(classes)):
        begun = [start.job.created for start in starts if start.job.pod == pod]
        assert begun == sorted(begun)


@given(fleet=fleets, classes=kinds, drawn=times)
def test_no_instant_has_more_in_use_than_there_is(
    fleet: list[Machine], classes: list[PodClass], drawn: list[tuple[int, int, int]]
) -> None:
    """At every start, what runs on a member is no more than its machines have."""
    starts = run(jobs_of(drawn, len(classes)), classes, fleet)
    for at in {start.at for start in starts}:
        for member, dealt in enumerate((fleet[::2], fleet[1::2])):
            running = [classes[s.job.pod] for s in starts if s.member == member and s.at <= at < s.end]
            assert sum(pod.gpu_total for pod in running) <= sum(1000 * machine.gpus for machine in dealt)
            assert sum(pod.cpu_milli for pod in running) <= sum(machine.cpu_milli for machine in dealt)


def test_who_waits() -> None:
    """A job waits until what holds its room is over, and blocks no smaller one; what leaves makes room at once."""
    small, large = PodClass(0, 0, 1, 1000), PodClass(0, 0, 2, 1000)
    fleet = [Machine(0, 0, 2, "T4"), Machine(0, 0, 0)]
    jobs = [Job(0, 0, 10), Job(1, 1, 5), Job(0, 2, 8), Job(1, 3, 1), Job(0, 10, 2)]
    starts = run(jobs, [small, large], fleet)
    assert [(start.job.created, start.at) for start in starts] == [(0, 0), (2, 2), (1, 10), (3, 15), (10, 16)]
    assert [start.waited for start in starts] == [0, 0, 9, 12, 6]
    assert {start.model for start in starts} == {"T4"}


def test_what_was_handed_in_first_is_asked_first() -> None:
    """Of two classes that fit what got free, the older job gets it."""
    one, other = PodClass(0, 0, 1, 1000), PodClass(0, 1, 1, 1000)
    fleet = [Machine(0, 10, 1, "T4"), Machine(0, 0, 0)]
    starts = run([Job(0, 0, 10), Job(1, 1, 1), Job(0, 2, 1)], [one, other], fleet)
    assert [start.job.created for start in starts] == [0, 1, 2]
