import dataclasses
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.failure import DemoError
from demo.fitting import pods_that_fit
from demo.plan import JOB_COUNT, WINDOW_SECONDS, Plan, make_plan
from demo.source import SAMPLE, Source
from demo.trace import TraceMachine, TracePod
from demo.workload import LONGEST_SECONDS, SHORTEST_SECONDS, TEAMS, scaled_seconds

MACHINES = (
    TraceMachine("a", 96_000, 393_216, 8, "G2"),
    TraceMachine("b", 32_000, 131_072, 4, "V100M16"),
    TraceMachine("c", 32_000, 262_144, 0, ""),
)


@pytest.mark.parametrize(
    ("pod", "count"),
    [
        (TracePod("cpu alone", 32_000, 65_536, 0, 0, (), 1), 5),
        (TracePod("any gpu", 8_000, 32_768, 1, 1000, (), 1), 12),
        (TracePod("cores bind", 16_000, 32_768, 1, 1000, (), 1), 8),
        (TracePod("memory binds", 1_000, 131_072, 1, 1000, (), 1), 4),
        (TracePod("one model", 8_000, 32_768, 1, 1000, ("V100M16",), 1), 4),
        (TracePod("several gpus", 8_000, 32_768, 3, 1000, (), 1), 3),
        (TracePod("too many gpus", 8_000, 32_768, 16, 1000, (), 1), 0),
        (TracePod("no such model", 8_000, 32_768, 1, 1000, ("A10",), 1), 0),
    ],
    ids=lambda value: value.name if isinstance(value, TracePod) else str(value),
)
def test_pods_fit_machine_by_machine(pod: TracePod, count: int) -> None:
    """A pod sits on one machine of a model it allows, and the scarcest resource there decides."""
    assert pods_that_fit(pod, MACHINES) == count


@given(st.integers(0, 10**9))
def test_lives_are_scaled_into_their_bounds(seconds: int) -> None:
    """However long a pod lived, here it runs for some seconds, and a longer one never for less."""
    assert SHORTEST_SECONDS <= scaled_seconds(seconds) <= LONGEST_SECONDS
    assert scaled_seconds(seconds) <= scaled_seconds(seconds + 1)


def test_the_same_plan_each_time(plan: Plan) -> None:
    """The draw has a fixed seed: a second plan is the same one."""
    assert make_plan(Source(SAMPLE, "the sample")) == plan


def test_the_draw_is_a_real_mix(plan: Plan) -> None:
    """At least 200 jobs: with and without GPUs, for certain models, Indexed ones, of both teams, none shares a GPU."""
    jobs = plan.jobs
    assert len(jobs) == JOB_COUNT >= 200
    assert len({job.name for job in jobs}) == len(jobs)
    assert not any(job.pod.shares_gpu for job in jobs)
    kinds = Counter[str]()
    for job in jobs:
        kinds["cpu"] += job.pod.gpus == 0
        kinds["gpu"] += job.pod.gpus == 1
        kinds["several gpus"] += job.pod.gpus > 1
        kinds["models"] += bool(job.pod.models)
        kinds["indexed"] += job.mode == "Indexed"
        kinds["nearby"] += bool(job.tiers)
        kinds[job.team.namespace] += 1
    least = {"cpu": 20, "gpu": 100, "several gpus": 2, "models": 30, "indexed": 40, "nearby": 10}
    least |= {team.namespace: 50 for team in TEAMS}
    assert {name: count for name, count in kinds.items() if count < least[name]} == {}


def test_every_job_fits_some_member(plan: Plan) -> None:
    """All concurrent pods of each job fit a member of an allowed tier that stands empty."""
    tiers = {member.tier: plan.machines[member.name] for member in plan.members}
    for job in plan.jobs:
        allowed = job.tiers or tuple(tiers)
        assert any(pods_that_fit(job.pod, tiers[tier]) >= job.parallelism for tier in allowed), job.name


def test_indexed_jobs_have_two_to_eight_completions(plan: Plan) -> None:
    """Completions and parallelism are such that a job needs at most two rounds of pods."""
    for job in plan.jobs:
        assert 1 <= job.parallelism <= job.completions <= 8
        assert job.completions <= 2 * job.parallelism
        assert job.mode == "NonIndexed" or job.completions >= 2


def test_arrivals_are_spread_over_the_window(plan: Plan) -> None:
    """Jobs come one after another from the first instant on, up to the window's end."""
    arrivals = [job.arrival_seconds for job in plan.jobs]
    assert arrivals[0] == 0
    assert arrivals == sorted(arrivals)
    assert WINDOW_SECONDS * 0.8 < arrivals[-1] <= WINDOW_SECONDS


def test_too_small_a_trace_is_said() -> None:
    """Where pods do not suffice, a DemoError says how many there are."""
    with pytest.raises(DemoError, match=r"Only \d+ pods .*; 1000 are needed"):
        make_plan(Source(SAMPLE, "the sample"), count=1000)


def test_the_plan_tells_what_was_left_out(plan: Plan) -> None:
    """The lines for people name each member, the jobs, and the pods that were left out for sharing a GPU."""
    told = "\n".join(dataclasses.replace(plan, sharing_pods=1234).lines())
    for member in plan.members:
        assert member.name in told
    assert f"{JOB_COUNT} jobs" in told
    assert "1,234 pods that share a GPU are left out" in told
