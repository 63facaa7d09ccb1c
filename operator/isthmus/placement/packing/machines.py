"""Machines, and what is free on one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

WHOLE = 1000  # thousandths of a GPU


@dataclass(frozen=True, slots=True)
class Machine:
    """An empty machine: millicores, MiB, and GPUs of one model ("" where it has none).

    Raises ValueError for figures that no machine has.
    """

    cpu_milli: int
    memory_mib: int
    gpus: int = 0
    model: str = ""

    def __post_init__(self) -> None:
        if min(self.cpu_milli, self.memory_mib, self.gpus) < 0:
            raise ValueError("a machine can't have less than nothing")

    @property
    def empty(self) -> "State":
        """Its state with nothing on it."""
        return State(self.model, self.cpu_milli, self.memory_mib, (WHOLE,) * self.gpus)


class State(NamedTuple):
    """What is free on a machine: millicores, MiB, and of each GPU its thousandths, the least first.

    It names no machine: machines in one state are alike to every rule.
    """

    model: str
    cpu: int
    memory: int
    gpus: tuple[int, ...]


def deal(machines: Sequence[Machine], members: int) -> list[list[Machine]]:
    """The machines dealt round to so many members."""
    return [list(machines[first::members]) for first in range(members)]
