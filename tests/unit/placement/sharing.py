"""A machine room of equal slots that accounts with work without end share, in simulated time."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from datetime import timedelta
from itertools import count

from tests.unit.placement.fleets import A100, GPU, NOW, demand, node, profile, shape

from isthmus.capacity.profile import Profile
from isthmus.placement import AccountLimits, AccountsView, AccountView, Demand, Holding, Snapshot, Usage, rounds_of
from isthmus.placement.holding import counted_in

Work = Callable[[int], tuple[int, float]]
"""GPUs, and seconds that they run, of an account's job of that number."""


class Room:
    """`gpus` slots. Each account has `backlog` jobs waiting all the time from when it joins until it leaves."""

    def __init__(self, gpus: int, weights: Mapping[str, int], half_life: float, backlog: int = 8) -> None:
        self.gpus, self.half_life, self.backlog = gpus, half_life, backlog
        self.weights = weights
        self.at = 0.0
        self.time: dict[str, float] = defaultdict(float)
        """GPU-seconds that have run, by account."""
        self.started: dict[str, tuple[float, float]] = {}
        """When each job was offered and begun."""
        self._free = gpus
        self._work: dict[str, Work] = {}
        self._waiting: dict[str, dict[str, tuple[Demand, float, float]]] = defaultdict(dict)
        self._running: list[tuple[float, str, int]] = []
        self._held: Counter[str] = Counter()
        self._usage = {name: Usage() for name in weights}
        self._numbers = count()
        self._lifetime: float | None = None

    def join(self, name: str, work: Work) -> None:
        """The account has work from now on."""
        self._work[name] = work

    def leave(self, name: str) -> None:
        """It has no more; what runs goes on."""
        self._work.pop(name)
        self._waiting.pop(name, None)

    def run(self, seconds: float) -> None:
        """Let so much time go by."""
        end = self.at + seconds
        self._cycle()
        while self._running and self._running[0][0] <= end:
            done, name, gpus = heapq.heappop(self._running)
            self._pass(done)
            self._free += gpus
            self._hold(name, -gpus)
            while self._running and self._running[0][0] <= done:
                _, name, gpus = heapq.heappop(self._running)
                self._free += gpus
                self._hold(name, -gpus)
            self._cycle()
        self._pass(end)

    def _pass(self, at: float) -> None:
        for name, gpus in self._held.items():
            self.time[name] += gpus * (at - self.at)
        self.at = at

    def _hold(self, name: str, gpus: int) -> None:
        self._held[name] += gpus
        self._usage[name] = self._usage[name].holding({GPU: self._held[name]}, self.at, self.half_life)

    def snapshot(self) -> Snapshot:
        """The room as placement would see it."""
        whole = profile(shape(accelerator=A100, gpus=self.gpus))
        there = Profile(NOW, 1, {GPU: self.gpus}, {}, whole.accelerators, whole.shapes)
        known = {
            name: AccountView(AccountLimits(weight), Holding({GPU: self._held[name]}), self._usage[name])
            for name, weight in self.weights.items()
        }
        accounts = AccountsView(known, at=self.at, half_life=self.half_life, lifetime=self._lifetime)
        return Snapshot((node("n", profile=there),), NOW, accounts)

    def _cycle(self) -> None:
        for name, work in self._work.items():
            while len(self._waiting[name]) < self.backlog:
                number = next(self._numbers)
                gpus, lasting = work(number)
                created = NOW + timedelta(seconds=self.at, microseconds=number)
                job = demand(f"{name}-{number}", gpus=gpus, account=name, created=created)
                self._waiting[name][job.key] = (job, lasting, self.at)
        jobs = [job for queue in self._waiting.values() for job, _, _ in queue.values()]
        free = self._free
        for turn in rounds_of(self.snapshot(), jobs, lambda job: counted_in(job.request)[GPU] <= free):
            for job in turn.demands:
                gpus = job.request[GPU]
                if gpus <= self._free:
                    _, lasting, offered = self._waiting[job.account].pop(job.key)
                    self.started[job.key] = offered, self.at
                    self._free -= gpus
                    self._hold(job.account, gpus)
                    self._lifetime = lasting if self._lifetime is None else 0.95 * self._lifetime + 0.05 * lasting
                    heapq.heappush(self._running, (self.at + lasting, job.account, gpus))
