"""A trace's arrivals and departures in their own time: who starts when, and who waits for room."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from math import inf

from .classes import PodClasses
from .members import Members
from .packing import Placement

Choice = Callable[[Members, int, float], tuple[int, Placement] | None]
"""Puts a pod of a class somewhere at an instant, and tells where; None where nothing has room."""


@dataclass(frozen=True, slots=True)
class Job:
    """A pod by class, the instant it is handed in, and for how long it runs; in seconds."""

    pod: int
    created: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Start:
    """When a job begins, on which member, and on GPUs of which model."""

    job: Job
    at: float
    member: int
    model: str

    @property
    def end(self) -> float:
        """When it is over."""
        return self.at + self.job.seconds

    @property
    def waited(self) -> float:
        """For how long it had no room, in seconds."""
        return self.at - self.job.created


def replay(jobs: Sequence[Job], members: Members, classes: PodClasses, choice: Choice) -> list[Start]:
    """When each job starts: at once where it has room, else as soon as it has.

    The one that has waited longest is asked first, and one without room blocks nobody. `jobs` are in the order in which
    they are handed in; what leaves at an instant makes room for what comes at it. Jobs that no empty machine could hold
    never start, and are not among those returned.
    """
    return _Replay(members, classes, choice).run(jobs)


class _Replay:
    def __init__(self, members: Members, classes: PodClasses, choice: Choice) -> None:
        self._members = members
        self._classes = classes
        self._choice = choice
        self._waiting: dict[int, deque[Job]] = {}
        self._leaving: list[tuple[float, int, int, Placement]] = []
        self._starts: list[Start] = []

    def run(self, jobs: Sequence[Job]) -> list[Start]:
        for job in jobs:
            self._end_until(job.created)
            if job.pod in self._waiting or not self._start(job, job.created):
                self._waiting.setdefault(job.pod, deque()).append(job)
        self._end_until(inf)
        return self._starts

    def _start(self, job: Job, now: float) -> bool:
        found = self._choice(self._members, job.pod, now)
        if found is None:
            return False
        member, placement = found
        start = Start(job, now, member, self._members.member(member).state(placement.machine).model)
        heappush(self._leaving, (start.end, len(self._starts), member, placement))
        self._starts.append(start)
        return True

    def _end_until(self, instant: float) -> None:
        """All that ends by then, in order, and what starts in its place."""
        while self._leaving and self._leaving[0][0] <= instant:
            now, _, member, placement = heappop(self._leaving)
            self._members.release(member, placement)
            self._start_waiting(now, member, placement)

    def _start_waiting(self, now: float, member: int, placement: Placement) -> None:
        # Only this machine has more room than before, so only classes that fit on it can have become placeable.
        while self._waiting:
            fits = self._classes.fits(self._members.member(member).state(placement.machine))
            ready = [(queue[0].created, pod) for pod, queue in self._waiting.items() if fits[pod]]
            if not any(self._start_first(pod, now) for _, pod in sorted(ready)):
                return

    def _start_first(self, pod: int, now: float) -> bool:
        queue = self._waiting[pod]
        if not self._start(queue[0], now):
            return False
        queue.popleft()
        if not queue:
            del self._waiting[pod]
        return True
