"""A job of many indexes over several members, and what must hold of it when shards of it were lost and run again."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations, pairwise
from typing import Any, Self, TypeVar

from tests.cluster.federation.podrecorder import PodRecorder, Run

from federation import Federation
from isthmus.api.indexes import IndexSet
from testbed import DeadlineError, wait_for

JOB_CONTROLLER = "system:serviceaccount:kube-system:job-controller"
# Told as done and still running, of a shard that is in the middle of its work.
SOME = 20
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shard:
    """A Dispatch of the job as the hub shows it; times by meter."""

    name: str
    node: str
    attempt: int
    covered: IndexSet
    completed: IndexSet
    late: IndexSet
    state: str
    message: str
    active: int
    armed: bool
    final: bool
    fence_seconds: int
    told: dict[str, int]
    told_late: dict[str, int]

    @classmethod
    def of(cls, dispatch: dict[str, Any]) -> Self:
        """Read the Dispatch."""
        spec, status = dispatch["spec"], dispatch.get("status", {})
        reading, fence = status.get("reading", {}), spec["fence"]
        return cls(
            name=dispatch["metadata"]["name"],
            node=dispatch["metadata"]["namespace"].removeprefix("isthmus-node-"),
            attempt=spec["attempt"],
            covered=IndexSet.parse(spec["indexes"]),
            completed=IndexSet.parse(status.get("completedIndexes")),
            late=IndexSet.parse(status.get("lateIndexes")),
            state=status.get("state", ""),
            message=status.get("message", ""),
            active=status.get("active", 0),
            armed=status.get("armed", False),
            final=reading.get("final", False),
            fence_seconds=fence["afterSeconds"] + fence["stopAllowanceSeconds"],
            told={each["meter"]: each["quantity"] for each in reading.get("total", ())},
            told_late={each["meter"]: each["quantity"] for each in reading.get("late", ())},
        )

    @property
    def counted(self) -> IndexSet:
        """What it was known to have done when it was judged: none of that is run again."""
        return self.completed - self.late

    @property
    def underway(self) -> bool:
        """Whether some of it is told as done, some runs, and the member would stop it by itself."""
        return self.armed and len(self.completed) >= SOME and self.active >= SOME


class Sweep:
    """The job `name`, alone in the namespace of that name, of `completions` indexes; `recorder` has its pods."""

    def __init__(self, fed: Federation, recorder: PodRecorder, name: str, completions: int) -> None:
        self._fed = fed
        self._recorder = recorder
        self.name = name
        self.completions = completions

    def shards(self) -> list[Shard]:
        """All so far, in the order in which they were made; none is forgotten before the job is deleted."""
        found = [each for each in self._fed.items("dispatches") if each["spec"]["job"]["name"] == self.name]
        return sorted(map(Shard.of, found), key=lambda shard: (shard.attempt, shard.name))

    def lost(self) -> list[Shard]:
        """The shards that were lost."""
        return [shard for shard in self.shards() if shard.state == "Lost"]

    def runs(self, shards: Iterable[Shard]) -> list[Run]:
        """The pods of these shards."""
        wanted = {shard.name for shard in shards}
        return [run for run in self._recorder.runs() if run.time.dispatch in wanted]

    def wait_underway(self, nodes: Iterable[str], seconds: float) -> dict[str, Shard]:
        """Wait until the job's shards on these nodes are in the middle of their work; they are returned by node."""
        wanted = set(nodes)

        def found() -> dict[str, Shard] | None:
            shards = {shard.node: shard for shard in self.shards() if shard.underway}
            return shards if wanted <= shards.keys() else None

        return self._waited(found, seconds, f"shards of {self.name} on {sorted(wanted)} to be in the middle")

    def wait_accounted(self, seconds: float) -> list[Shard]:
        """Wait until all is told of all shards, those that were given up too; they are returned."""

        def found() -> list[Shard] | None:
            shards = self.shards()
            return shards if all(shard.final for shard in shards) else None

        return self._waited(found, seconds, f"stock to be taken of {self.name}")

    def check_status(self) -> None:
        """The job's own status counts each index as done, and none as failed."""
        status = self._fed.job(self.name, self.name)["status"]
        whole = f"0-{self.completions - 1}"
        assert (status["done"], status["completedIndexes"]) == (f"{self.completions}/{self.completions}", whole)
        assert (status["succeeded"], status.get("failed", 0)) == (self.completions, 0)

    def check_rerun(self, shards: list[Shard]) -> None:
        """Of each lost shard exactly what it was not known to have done was sent anew; nothing else was sent twice."""
        for earlier, later in combinations(shards, 2):
            twice = earlier.covered & later.covered
            assert not twice or (earlier.state == "Lost" and earlier.attempt < later.attempt), (earlier, later)
            assert not twice & earlier.counted, (earlier, later)
        for lost in (shard for shard in shards if shard.state == "Lost"):
            again = IndexSet()
            for each in _after(lost, shards):
                again |= each.covered & lost.covered
            assert again == lost.covered - lost.counted, (lost, again)

    def check_stopped_first(self, lost: Shard, shards: list[Shard]) -> tuple[datetime, datetime, datetime]:
        """The member's own Job controller stopped the shard's pods before a Job with any of its indexes was created.

        By the members' audit logs; the first and last stop, and the first Job elsewhere.
        """
        stopped = {
            entry.name: entry.time
            for entry in self._fed.clusters[lost.node].audit_entries()
            if (entry.user, entry.verb, entry.resource) == (JOB_CONTROLLER, "delete", "pods")
            and entry.code < 300
            and entry.name.startswith(f"{lost.name}-")
        }
        again = [each for each in _after(lost, shards) if each.covered & lost.covered]
        created = [
            entry.time
            for each in again
            for entry in self._fed.clusters[each.node].audit_entries()
            if (entry.verb, entry.resource, entry.name) == ("create", "jobs", each.name) and entry.code < 300
        ]
        unfinished = [run for run in self.runs([lost]) if run.time.phase != "Succeeded"]
        assert unfinished, "it was in the middle of its work"
        assert len(stopped) >= len(unfinished)
        assert len(created) >= len(again)
        assert max(stopped.values()) < min(created)
        return min(stopped.values()), max(stopped.values()), min(created)

    def check_indexes(self, shards: list[Shard]) -> None:
        """Each index has one success that counts, any other is recorded as late, and none ever ran twice at a time."""
        known = {shard.name for shard in shards}
        strays = {run.time.dispatch for run in self._recorder.runs()} - known
        assert not any(name.startswith(f"{self.name}-") for name in strays), strays
        by_index: dict[int, list[Run]] = defaultdict(list)
        for run in self.runs(shards):
            if run.time.started is not None:
                by_index[run.index].append(run)
        assert by_index.keys() == set(range(self.completions))
        for index, runs in by_index.items():
            self._check_index(index, sorted(runs, key=lambda run: str(run.time.started)), shards)

    def _check_index(self, index: int, runs: list[Run], shards: list[Shard]) -> None:
        for before, after in pairwise(runs):
            assert before.time.ended is not None, (index, runs)
            assert after.time.started is not None
            assert before.time.ended <= after.time.started, (index, runs)
        counted = [shard.name for shard in shards if index in shard.counted]
        late = [shard.name for shard in shards if index in shard.late]
        assert len(counted) == 1 or (not counted and len(late) == 1), (index, counted, late)
        succeeded = [run.time.dispatch for run in runs if run.time.phase == "Succeeded"]
        assert sorted(succeeded) == sorted(counted + late), (index, runs)

    def _waited(self, found: Callable[[], T | None], seconds: float, what: str) -> T:
        try:
            answer = wait_for(found, seconds, what, interval_seconds=0.5)
        except DeadlineError as error:
            raise AssertionError(f"{error}\nhub:\n{self._fed.process.tail()}") from None
        assert answer is not None
        return answer


def _after(lost: Shard, shards: Iterable[Shard]) -> list[Shard]:
    return [shard for shard in shards if shard.attempt > lost.attempt]
