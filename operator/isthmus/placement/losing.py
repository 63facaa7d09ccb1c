"""What a machine of a node loses by taking pods: the simulator's rule, on the vectors that a profile tells.

A profile tells of free accelerators by how many, so each is free or in use as a whole (see `packing.WholeLosses`).
"""

from collections.abc import Iterable, Mapping, Sequence

from isthmus.api.quantities import CPU, MEBIBYTE, MEMORY

from .asked import Asking
from .demand import Demand
from .machines import Kind, Obstacle, obstacle, selector_of, used_accelerators
from .packing import Losses, PodClass, WholeLosses, Workload
from .packing.machines import WHOLE
from .room import Need, Part, Room

_LEAST = 1e-3  # thousandths of an accelerator: as in `packing.Fragmentation`
_NOBODY = ("",)  # machines that no kind goes by
_LARGEST = 8  # accelerators of the largest pod that is thought likely while nothing is known


class MachineLosses:
    """The kinds of machine of one room, by what was asked for of late.

    To that is added one pod each of 1, 2, 4 and 8 accelerators, as far as machines have so many, with half the cores
    and memory that machines have for them: it is all there is to go by at first, and soon counts for little.
    """

    def __init__(self, room: Room, asked: Sequence[Asking] = ()) -> None:
        self._kinds = room.kinds
        self._axes = room.axes
        self._asked = asked
        self._cpu, self._memory = room.axes.get(CPU), room.axes.get(MEMORY)
        self._losses: dict[str, Losses] = {}
        self._tables: dict[int, tuple[tuple[int, WholeLosses], ...]] = {}
        self._most_cpu = max((_at(kind.allocatable, self._cpu) for kind in room.kinds), default=0) or 1
        held = [sum(kind.allocatable[room.axes[name]] for name in _names(kind)) for kind in room.kinds]
        self._most_held = max(held, default=0) or 1

    def measures(self, room: Room) -> bool:
        """Whether the room is one of the same kinds of machine."""
        return room.axes == self._axes and room.kinds == self._kinds

    def cost(self, part: Part, need: Need, pods: int) -> float:
        """What is lost by so many pods on a machine of the part, which has room for them; in thousandths, for each pod.

        Of machines that lose the same, the one on which least is left over costs least.
        """
        number, free = part
        after = list(free)
        for axis, amount in need:
            after[axis] -= amount * pods
        tables = self._of(number)
        left = _at(after, self._cpu) / self._most_cpu
        left += sum([after[axis] for axis, _ in tables]) / self._most_held
        lost = self._lost(tables, after) - self._lost(tables, free)
        return lost / pods + _LEAST * left / 2

    def _lost(self, tables: Iterable[tuple[int, WholeLosses]], free: Sequence[int]) -> float:
        cpu, memory = _at(free, self._cpu), _at(free, self._memory) / MEBIBYTE
        return sum([table.lost(cpu, memory, free[axis]) for axis, table in tables])

    def _of(self, number: int) -> tuple[tuple[int, WholeLosses], ...]:
        """By axis of an accelerator of the kind, the losses of machines of that kind."""
        found = self._tables.get(number)
        if found is None:
            names = _names(self._kinds[number])
            found = tuple((self._axes[name], WholeLosses(self._by_name(name), str(number))) for name in names)
            self._tables[number] = found
        return found

    def _by_name(self, name: str) -> Losses:
        """The measure for accelerators of one resource name; kinds of machine are its models, by number."""
        found = self._losses.get(name)
        if found is None:
            pods: dict[PodClass, int] = dict.fromkeys(self._likely(name), 1)
            for asking in self._asked:
                pod = self._pod(asking, name)
                pods[pod] = pods.get(pod, 0) + asking.pods
            found = self._losses[name] = Losses(Workload(pods))
        return found

    def _pod(self, asking: Asking, name: str) -> PodClass:
        demand = asking.demand
        request = demand.request
        cpu, memory, wanted = request.get(CPU, 0), request.get(MEMORY, 0) // MEBIBYTE, request.get(name, 0)
        if not wanted:
            return PodClass(cpu, memory)
        selector = selector_of(demand, self._kinds)
        able = [
            str(number)
            for number, kind in enumerate(self._kinds)
            if name in _names(kind) and _admits(kind, demand, selector)
        ]
        return PodClass(cpu, memory, wanted, WHOLE, tuple(able) or _NOBODY)

    def _likely(self, name: str) -> Iterable[PodClass]:
        """What is thought likely to come while nothing is known."""
        axis = self._axes[name]
        there = [kind for kind in self._kinds if name in _names(kind)]
        whole = sum(kind.count * kind.allocatable[axis] for kind in there) or 1
        cpu = sum(kind.count * _at(kind.allocatable, self._cpu) for kind in there) // 2
        memory = sum(kind.count * _at(kind.allocatable, self._memory) for kind in there) // (2 * MEBIBYTE)
        most = min(_LARGEST, max((kind.allocatable[axis] for kind in there), default=0))
        wanted = 1
        while wanted <= most:
            yield PodClass(cpu * wanted // whole, memory * wanted // whole, wanted, WHOLE)
            wanted *= 2


def _admits(kind: Kind, demand: Demand, selector: Mapping[str, str]) -> bool:
    return obstacle(demand, kind, used_accelerators(demand, kind), selector) is Obstacle.NONE


def _names(kind: Kind) -> Mapping[str, None]:
    """The resource names of the machines' accelerators, each once."""
    return dict.fromkeys(accelerator.resource_name for accelerator in kind.accelerators)


def _at(amounts: Sequence[int], axis: int | None) -> int:
    return 0 if axis is None else amounts[axis]
