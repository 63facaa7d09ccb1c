"""What jobs have asked for of late: from that follows which free accelerators are of use to those that come next."""

from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from .demand import Demand
from .forms import demands_of

JOBS = 1024
"""How many jobs are remembered, the latest."""
CLASSES = 32
"""How many classes of their pods are told, the commonest."""
PODS = 64  # of one job: a single wide one is not all that was asked for
LOOKED = 128  # jobs after which it is looked at anew, at the beginning sooner
# Of the pods: less of a change is not told, as each node's machines are measured anew for what is told.
CHANGE = 0.1

_Class = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Asking:
    """So many pods like the demand's; its width and whose job it is mean nothing."""

    demand: Demand
    pods: int


def _class_of(demand: Demand) -> _Class:
    """Equal for demands whose pods can use the same machines."""
    return (
        tuple(sorted(demand.request.items())),
        demand.models,
        demand.minimum_memory_bytes,
        demand.partition_profile,
        tuple(sorted(demand.machine_selector.items())),
        tuple((t.key, t.operator, t.value, t.effect) for t in demand.machine_tolerations),
    )


class Asked:
    """The pods of the last `JOBS` jobs, by class; a job counts once, however often it is noted, and in all its forms.

    A `version` names what is told until so much has changed that it is told anew; the order of the jobs decides, and no
    clock.
    """

    def __init__(self) -> None:
        self.version = 0
        self._jobs: OrderedDict[str, tuple[tuple[_Class, ...], int]] = OrderedDict()
        self._pods: Counter[_Class] = Counter()
        self._alike: dict[_Class, Demand] = {}
        self._noted = 0
        self._told: tuple[Asking, ...] = ()

    def note(self, demand: Demand) -> None:
        """Take in a job that has come."""
        if demand.key in self._jobs:
            return
        forms = {_class_of(form): form for form in demands_of(demand)}
        pods = max(1, min(demand.width, PODS))
        self._jobs[demand.key] = (tuple(forms), pods)
        for each, form in forms.items():
            self._alike.setdefault(each, form)
            self._pods[each] += pods
        if len(self._jobs) > JOBS:
            self._forget()
        self._noted += 1
        if self._noted % LOOKED == 0 or self._noted & (self._noted - 1) == 0:
            self._look()

    def told(self) -> tuple[Asking, ...]:
        """What was asked for, the commonest first, as of the version."""
        return self._told

    def _look(self) -> None:
        found = tuple(Asking(self._alike[each], pods) for each, pods in self._pods.most_common(CLASSES))
        if self._noted <= LOOKED or _change(self._told, found) > CHANGE:
            self.version += 1
            self._told = found

    def _forget(self) -> None:
        _, (classes, pods) = self._jobs.popitem(last=False)
        for each in classes:
            self._pods[each] -= pods
            if not self._pods[each]:
                del self._pods[each], self._alike[each]


def _change(before: Iterable[Asking], after: Iterable[Asking]) -> float:
    """How much of one distribution of pods has to move to make the other, of one."""
    moves: dict[_Class, float] = {}
    for sign, askings in ((-1, tuple(before)), (1, tuple(after))):
        whole = sum(asking.pods for asking in askings)
        for asking in askings:
            each = _class_of(asking.demand)
            moves[each] = moves.get(each, 0.0) + sign * asking.pods / whole
    return sum(abs(moved) for moved in moves.values()) / 2
