"""What jobs have asked for of late: from that follows which free accelerators are of use to those that come next."""

from collections import Counter, OrderedDict
from dataclasses import dataclass

from .demand import Demand
from .forms import demands_of

JOBS = 1024
"""How many jobs are remembered, the latest."""
CLASSES = 32
"""How many classes of their pods are told, the commonest."""
PODS = 64  # of one job: a single wide one is not all that was asked for
RENEWED = 32  # jobs after which it is told anew; at the beginning sooner

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

    A `version` names what is told until the next; the order of the jobs decides, and no clock.
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
        if self._noted % RENEWED == 0 or self._noted in {1, 2, 4, 8, 16}:
            self.version += 1
            self._told = tuple(Asking(self._alike[each], pods) for each, pods in self._pods.most_common(CLASSES))

    def told(self) -> tuple[Asking, ...]:
        """What was asked for, the commonest first, as of the version."""
        return self._told

    def _forget(self) -> None:
        _, (classes, pods) = self._jobs.popitem(last=False)
        for each in classes:
            self._pods[each] -= pods
            if not self._pods[each]:
                del self._pods[each], self._alike[each]
