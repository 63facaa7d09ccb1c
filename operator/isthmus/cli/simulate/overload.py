"""Runs the experiment of `isthmus.placement.packing.experiment` on a trace's files, seed by seed."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from isthmus.errors import TraceError
from isthmus.placement.packing import Columns, Machine, Members, PodClass, PodClasses, allocation, arrivals, deal
from isthmus.placement.packing.machines import WHOLE

from .policy import Policy, columns_of
from .tracefile import read_machines, read_pods


@dataclass(frozen=True, slots=True)
class Overload:
    """A trace ready to be run at a load, by one policy."""

    machines: tuple[Machine, ...]
    pods: tuple[PodClass, ...]
    policy: Policy
    load: float
    members: int

    @property
    def gpus(self) -> int:
        """All GPUs of the cluster."""
        return sum(machine.gpus for machine in self.machines)

    def run(self, seeds: Sequence[int]) -> Iterator[float]:
        """The allocation under each seed, in percent. Raises TraceError where no pod asks for a GPU."""
        classes = PodClasses(sorted(set(self.pods)))
        numbers = {pod: number for number, pod in enumerate(classes.classes)}
        pods = np.array([numbers[pod] for pod in self.pods], dtype=np.int64)
        columns = columns_of(self.policy, classes, self.machines, self.pods)
        for seed in seeds:
            yield self._once(seed, pods, columns)

    def _once(self, seed: int, pods: "np.typing.NDArray[np.int64]", columns: Columns) -> float:
        random = np.random.default_rng(seed)
        asked, whole = columns.rule.classes.total, self.gpus * WHOLE
        try:
            arriving = arrivals(pods, asked, limit=self.load * whole, random=random)
        except ValueError as error:
            raise TraceError(str(error), "name a list of pods of which some do") from None
        # Where a rule likes machines the same it takes the first, so their order is drawn as well.
        order = [self.machines[number] for number in random.permutation(len(self.machines))]
        return allocation(Members(deal(order, self.members), columns, random), arriving, asked, whole=whole)


def read_overload(nodes: Path, pods: Path, policy: Policy, load: float, members: int) -> Overload:
    """The experiment on the files. Raises TraceError for what is wrong with them."""
    machines = read_machines(nodes)
    if members > len(machines):
        raise TraceError(f"{members} members for {len(machines)} machines", "give each member a machine at least")
    return Overload(tuple(machines), tuple(read_pods(pods)), policy, load, members)


def report(overload: Overload, seeds: Sequence[int], allocations: Sequence[float], seconds: float) -> dict[str, object]:
    """What `-o json` prints."""
    return {
        "policy": overload.policy.value,
        "load": overload.load,
        "members": overload.members,
        "machines": len(overload.machines),
        "gpus": overload.gpus,
        "pods": len(overload.pods),
        "seeds": list(seeds),
        "allocation": [round(each, 4) for each in allocations],
        "median": round(statistics.median(allocations), 4),
        "seconds": round(seconds, 2),
    }
