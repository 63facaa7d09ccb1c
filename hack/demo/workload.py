"""Jobs drawn from the trace's pods: what is handed in, by whom and when."""

import dataclasses
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from demo.failure import DemoError
from demo.fitting import pods_that_fit
from demo.trace import TraceMachine, TracePod

TRACE_SECONDS_PER_SECOND = 120  # two minutes of the trace are a second here
SHORTEST_SECONDS = 1
LONGEST_SECONDS = 10
MOST_COMPLETIONS = 8
INDEXED_SHARE = 0.3
PARALLEL_SHARE = 0.15
NEARBY_SHARE = 0.12
NEARBY_TIERS = ("Industry", "Edge")  # for jobs whose data stays where it is made

Mode = Literal["Indexed", "NonIndexed"]


@dataclasses.dataclass(frozen=True, slots=True)
class Team:
    """A tenant: its namespace, the account that pays, and what its jobs prefer."""

    namespace: str
    account: str
    user: str
    objective: Literal["Balanced", "Cheapest"]
    share: int


TEAMS = (
    Team("team-vision", "vision", "vision-engineer", "Balanced", 3),
    Team("team-language", "language", "language-engineer", "Cheapest", 2),
)


@dataclasses.dataclass(frozen=True, slots=True)
class DemoJob:
    """A job to hand in `arrival_seconds` after the first; each of its pods runs for `seconds`."""

    pod: TracePod
    team: Team
    mode: Mode
    completions: int
    parallelism: int
    seconds: int
    arrival_seconds: float
    tiers: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The trace's name of the pod: each is drawn once."""
        return self.pod.name


def scaled_seconds(trace_seconds: int) -> int:
    """How long a pod runs here."""
    return min(LONGEST_SECONDS, max(SHORTEST_SECONDS, round(trace_seconds / TRACE_SECONDS_PER_SECOND)))


def draw_jobs(
    pods: Sequence[TracePod],
    machines: Mapping[str, Sequence[TraceMachine]],
    *,
    count: int,
    window_seconds: float,
    seed: int,
) -> tuple[DemoJob, ...]:
    """`count` jobs in the order of their arrival over the window, the same ones for the same seed.

    `machines` are the members' by tier. Pods that share a GPU are left out, for a member lends whole ones; so is
    what would fit no member. Raises DemoError where the trace has too few pods that are left.
    """
    draw = random.Random(seed)  # noqa: S311 - a draw that anyone can repeat, not a secret
    whole = [pod for pod in pods if not pod.shares_gpu]
    drawn = _jobs(draw.sample(whole, len(whole)), machines, draw)
    jobs = [job for job, _ in zip(drawn, range(count), strict=False)]
    if len(jobs) < count:
        raise DemoError(
            f"Only {len(jobs)} pods of the trace ask for whole GPUs or none and fit a member; {count} are needed.",
            "Point ISTHMUS_TRACES to the whole trace, or move it away: then the sample in the repository is taken.",
        )
    arrivals = sorted(draw.uniform(0, window_seconds) for _ in jobs)
    return tuple(
        dataclasses.replace(job, arrival_seconds=arrival - arrivals[0])
        for job, arrival in zip(jobs, arrivals, strict=True)
    )


def _jobs(
    pods: Sequence[TracePod], machines: Mapping[str, Sequence[TraceMachine]], draw: random.Random
) -> Iterator[DemoJob]:
    for pod in pods:
        mode, completions, parallelism = _form(draw)
        tiers = NEARBY_TIERS if draw.random() < NEARBY_SHARE else ()
        team = draw.choices(TEAMS, [team.share for team in TEAMS])[0]
        job = DemoJob(pod, team, mode, completions, parallelism, scaled_seconds(pod.seconds), 0.0, tiers)
        if _fits(job, machines):
            yield job


def _form(draw: random.Random) -> tuple[Mode, int, int]:
    """Completion mode, completions and parallelism; no pod has to wait for more than one before it."""
    kind = draw.random()
    completions = draw.randint(2, MOST_COMPLETIONS)
    parallelism = draw.randint((completions + 1) // 2, completions)
    if kind < INDEXED_SHARE:
        return "Indexed", completions, parallelism
    if kind < INDEXED_SHARE + PARALLEL_SHARE:
        return "NonIndexed", completions, parallelism
    return "NonIndexed", 1, 1


def _fits(job: DemoJob, machines: Mapping[str, Sequence[TraceMachine]]) -> bool:
    """Whether a tier that the job allows can hold all of its concurrent pods."""
    return any(
        pods_that_fit(job.pod, of_tier) >= job.parallelism
        for tier, of_tier in machines.items()
        if not job.tiers or tier in job.tiers
    )
