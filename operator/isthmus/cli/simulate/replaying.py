"""Replays a trace's arrivals and departures over members: waiting, cost, carbon and use under each policy."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from isthmus.errors import TraceError
from isthmus.placement.packing import Columns, Machine, Members, PodClasses
from isthmus.placement.packing.classes import Floats
from isthmus.placement.packing.machines import WHOLE
from isthmus.placement.packing.replay import Job, Start, replay

from .hourly import HOUR
from .objective import Chooser, Objective, Rates
from .policy import Policy, columns_of
from .scenario import Scenario
from .tracefile import TimedPod, read_machines, read_timed_pods

DAY = 86_400
_TONNE = 1_000_000  # grams
# How much of a rule's score is the whole of the hub's fragmentation part: a GPU lost, all of best fit's percent.
_SCALES = {Policy.FRAGMENTATION: float(WHOLE), Policy.BESTFIT: 100.0, Policy.RANDOM: 1.0}


@dataclass(frozen=True, slots=True)
class Stage:
    """What is replayed: machines by member, the jobs in the order of their arrival, and their classes.

    `impossible` counts the trace's pods that no machine here could hold, even an empty one; they are no jobs.
    """

    scenario: Scenario
    machines: tuple[tuple[Machine, ...], ...]
    classes: PodClasses
    jobs: tuple[Job, ...]
    impossible: int

    @property
    def gpus(self) -> int:
        """All GPUs of all members."""
        return sum(machine.gpus for member in self.machines for machine in member)

    @property
    def span(self) -> float:
        """Until the last arrival, in seconds."""
        return self.jobs[-1].created


def set_up(nodes: Path, pods: Path, scenario: Scenario, *, load: float, speed: float, first_day: float) -> Stage:
    """The trace's pods from `first_day` on, arriving `speed` times as fast, over as many machines as `load` asks for.

    Machines are taken evenly from the list until the GPU-time that the pods ask for, up to the last arrival, is `load`
    times theirs. Raises TraceError for what is wrong with the files, or where nothing is left to replay.
    """
    timed = [pod for pod in read_timed_pods(pods) if pod.created >= first_day * DAY]
    if not timed or timed[-1].created <= first_day * DAY:
        raise TraceError(f"{pods} has no pods after day {first_day:g}", "give an earlier --first-day")
    jobs = [((pod.created - first_day * DAY) / speed, pod) for pod in timed]
    machines = _thinned(read_machines(nodes), _gpus_asked(jobs) / load, len(scenario.members))
    classes = PodClasses(sorted({pod.pod for pod in timed}))
    possible = np.zeros(len(classes), dtype=np.bool_)
    for state in {machine.empty for machine in machines}:
        possible |= classes.fits(state)
    numbers = {pod: number for number, pod in enumerate(classes.classes) if possible[number]}
    kept = tuple(Job(numbers[pod.pod], created, pod.seconds) for created, pod in jobs if pod.pod in numbers)
    if not kept:
        raise TraceError(f"no machine of {nodes} could hold any of the pods", "give more machines by a lower --load")
    if kept[-1].created <= 0:
        raise TraceError(f"of the pods that a machine of {nodes} could hold, none comes after the first", "add some")
    dealt = _dealt(machines, [member.share for member in scenario.members])
    return Stage(scenario, dealt, classes, kept, len(jobs) - len(kept))


def _gpus_asked(jobs: Sequence[tuple[float, TimedPod]]) -> float:
    """How many GPUs the pods would hold until the last arrival, on average, if none had to wait."""
    span = jobs[-1][0]
    held = sum(pod.pod.gpu_total * (min(created + pod.seconds, span) - created) for created, pod in jobs)
    return held / span / WHOLE


def _thinned(machines: Sequence[Machine], gpus: float, least: int) -> list[Machine]:
    """Evenly taken machines, as few as have so many GPUs, but at least `least`; all where all have fewer."""
    if len(machines) < least:
        raise TraceError(f"{least} members for {len(machines)} machines", "give each member a machine at least")
    for number in range(least, len(machines)):
        taken = [machines[place * len(machines) // number] for place in range(number)]
        if sum(machine.gpus for machine in taken) >= gpus:
            return taken
    return list(machines)


def _dealt(machines: Sequence[Machine], shares: Sequence[int]) -> tuple[tuple[Machine, ...], ...]:
    """The machines dealt in proportion to the shares, each to the member that is furthest behind its own."""
    dealt: list[list[Machine]] = [[] for _ in shares]
    for machine in machines:
        behind = min(range(len(shares)), key=lambda member: (len(dealt[member]) / shares[member], member))
        dealt[behind].append(machine)
    return tuple(tuple(each) for each in dealt)


@dataclass(frozen=True)
class Replayed:
    """One replay: by which policy and objective, and when each job started where."""

    stage: Stage
    policy: Policy
    objective: Objective
    starts: tuple[Start, ...]

    @cached_property
    def waits(self) -> Floats:
        """How long each job waited, in seconds."""
        return np.array([start.waited for start in self.starts])

    @property
    def wait_by_gpu(self) -> float:
        """How long a GPU that is asked for waits, on average: a job of eight counts eight times."""
        asked = self.stage.classes.total[[start.job.pod for start in self.starts]]
        return float((self.waits * asked).sum() / (asked.sum() or 1))

    @cached_property
    def cost(self) -> float:
        """What all of the work costs, in the scenario's currency."""
        return self._sum("cost")

    @cached_property
    def tonnes(self) -> float:
        """What all of the work emits, in tonnes of CO2 equivalent."""
        return self._sum("carbon") / _TONNE

    def _sum(self, what: str) -> float:
        rates = [Rates(member, self.stage.scenario) for member in self.stage.scenario.members]
        classes = self.stage.classes.classes
        each = (getattr(rates[s.member], what)(classes[s.job.pod], s.model, s.at, s.end) for s in self.starts)
        return float(sum(each))

    def in_use(self, instants: Floats) -> Floats:
        """The share of all GPUs that is in use at each of the instants, in percent."""
        asked = self.stage.classes.total[[start.job.pod for start in self.starts]]
        begun = _until([start.at for start in self.starts], asked, instants)
        over = _until([start.end for start in self.starts], asked, instants)
        return 100 * (begun - over) / (self.stage.gpus * WHOLE)

    def waiting(self, instants: Floats) -> Floats:
        """How many jobs wait at each of the instants."""
        ones = np.ones(len(self.starts))
        created = _until([start.job.created for start in self.starts], ones, instants)
        return created - _until([start.at for start in self.starts], ones, instants)

    @property
    def utilisation(self) -> float:
        """The share of all GPU-time until the last arrival that was in use, in percent."""
        span = self.stage.span
        held = sum(
            int(self.stage.classes.total[start.job.pod]) * (min(start.end, span) - start.at)
            for start in self.starts
            if start.at < span
        )
        return 100 * held / (span * self.stage.gpus * WHOLE)

    def report(self) -> dict[str, object]:
        """The figures of this replay."""
        p50, p95, p99 = (round(float(each), 1) for each in np.quantile(self.waits, (0.5, 0.95, 0.99)))
        return {
            "policy": self.policy.value,
            "objective": self.objective.value,
            "waitSeconds": {
                "mean": round(float(self.waits.mean()), 1),
                "meanByGpu": round(self.wait_by_gpu, 1),
                "p50": p50,
                "p95": p95,
                "p99": p99,
            },
            "waited": int((self.waits > 0).sum()),
            "neverStarted": len(self.stage.jobs) - len(self.starts),
            "utilisation": round(self.utilisation, 2),
            "cost": round(self.cost, 2),
            "carbonTonnes": round(self.tonnes, 4),
            "lastEndHours": round(max(start.end for start in self.starts) / HOUR, 2),
        }


def _until(times: Sequence[float], amounts: "np.typing.NDArray[np.int64] | Floats", instants: Floats) -> Floats:
    """The sum of the amounts whose time has come at each of the instants."""
    order = np.argsort(times, kind="stable")
    sums = np.concatenate(((0,), np.cumsum(np.asarray(amounts)[order])))
    found: Floats = sums[np.searchsorted(np.asarray(times)[order], instants, side="right")]
    return found


def replays(
    stage: Stage, policies: Sequence[Policy], objectives: Sequence[Objective], *, horizon: float, seed: int
) -> Iterator[Replayed]:
    """Every policy under the first objective, and the first policy under the others."""
    pairs = [(policy, objectives[0]) for policy in policies] + [(policies[0], each) for each in objectives[1:]]
    machines = [machine for member in stage.machines for machine in member]
    workload = [stage.classes.classes[job.pod] for job in stage.jobs]
    columns: dict[Policy, Columns] = {}
    for policy, objective in pairs:
        if policy not in columns:
            columns[policy] = columns_of(policy, stage.classes, machines, workload)
        members = Members(stage.machines, columns[policy], np.random.default_rng(seed), always=True)
        chooser = Chooser(objective, stage.scenario, stage.classes, scale=_SCALES[policy], horizon=horizon)
        yield Replayed(stage, policy, objective, tuple(replay(stage.jobs, members, stage.classes, chooser)))
