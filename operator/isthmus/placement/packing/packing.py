"""Pods on machines: the table of scores, kept up to date a column at a time."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .classes import Floats
from .columns import ANY, NONE, Columns
from .machines import WHOLE, Machine, State


class Placement(NamedTuple):
    """A pod of a class on a machine, and the GPUs it holds there; both by number."""

    pod: int
    machine: int
    gpus: tuple[int, ...]


class Packing:
    """The machines of one cluster and what is free on them.

    A placement changes what is free on one machine, so it costs one column of the table, and a choice is the maximum of
    one row. Where a rule leaves it to chance, `random` chooses; else the first of equal machines is taken.
    """

    def __init__(self, machines: Sequence[Machine], columns: Columns, random: np.random.Generator) -> None:
        self._columns = columns
        self._classes = columns.rule.classes
        self._random = random
        self._models = [machine.model for machine in machines]
        self._cpu = [machine.cpu_milli for machine in machines]
        self._memory = [machine.memory_mib for machine in machines]
        self._gpus = [[WHOLE] * machine.gpus for machine in machines]
        self._scores: Floats = np.full((len(self._classes), len(machines)), NONE)
        self._gpu: npt.NDArray[np.int16] = np.full(self._scores.shape, ANY, dtype=np.int16)
        for number in range(len(machines)):
            self._judge(number)

    def __len__(self) -> int:
        return len(self._models)

    def state(self, machine: int) -> State:
        """What is free on the machine."""
        return State(
            self._models[machine], self._cpu[machine], self._memory[machine], tuple(sorted(self._gpus[machine]))
        )

    def free(self, machine: int) -> tuple[int, ...]:
        """What is free of each of the machine's GPUs, in their own order."""
        return tuple(self._gpus[machine])

    def choose(self, pod: int) -> Placement | None:
        """Where a pod of the class would go: on the machine that the rule likes best; None where none has room."""
        row = self._scores[pod]
        machine = int(row.argmax()) if len(row) else ANY
        if machine == ANY or row[machine] == NONE:
            return None
        if self._columns.rule.chance:
            equals = np.flatnonzero(row == row[machine])
            machine = int(equals[self._random.integers(len(equals))])
        return Placement(pod, machine, self._held(pod, machine))

    def take(self, placement: Placement) -> None:
        """Put the pod there."""
        self._add(placement, -1)

    def place(self, pod: int) -> Placement | None:
        """Choose for a pod of the class, and put it there."""
        placement = self.choose(pod)
        if placement is not None:
            self.take(placement)
        return placement

    def release(self, placement: Placement) -> None:
        """Give back what a placement holds."""
        self._add(placement, 1)

    def _held(self, pod: int, machine: int) -> tuple[int, ...]:
        """The GPUs for the pod, by number."""
        free = self._gpus[machine]
        if not self._classes.shared[pod]:
            return tuple([number for number, share in enumerate(free) if share == WHOLE][: self._classes.gpus[pod]])
        wanted = int(self._gpu[pod, machine])
        if wanted != ANY:
            return (free.index(wanted),)
        room = [number for number, share in enumerate(free) if share >= self._classes.milli[pod]]
        return (room[self._random.integers(len(room))],)

    def _add(self, placement: Placement, sign: int) -> None:
        pod, machine, gpus = placement
        self._cpu[machine] += sign * int(self._classes.cpu[pod])
        self._memory[machine] += sign * int(self._classes.memory[pod])
        for number in gpus:
            self._gpus[machine][number] += sign * int(self._classes.milli[pod])
        self._judge(machine)

    def _judge(self, machine: int) -> None:
        self._scores[:, machine], self._gpu[:, machine] = self._columns.of(self.state(machine))
