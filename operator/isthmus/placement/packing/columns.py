"""A rule's judgement of a machine in some state for every class of pods at once: a column of the table of scores."""

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from .classes import Floats, PodClasses
from .machines import State

ANY = -1  # any GPU that has room will do
_KEPT = 4096  # states; each costs ten bytes a class

NONE = -np.inf


class Column(NamedTuple):
    """By class of pods: the score of the machine, `NONE` where it has no room, and the free share of the GPU to use.

    `gpu` tells the GPU that a share is best cut from by what is free on it; ANY for pods of no or of whole GPUs.
    """

    scores: Floats
    gpu: npt.NDArray[np.int16]


class Rule(Protocol):
    """What chooses between machines: the highest score wins.

    Among equals it is the first machine, or any where `chance` is true.
    """

    chance: bool

    @property
    def classes(self) -> PodClasses:
        """The classes that it judges."""
        ...

    def column(self, state: State) -> Column:
        """The machine in this state, for every class."""
        ...


class Columns:
    """A rule's columns by state. Machines are often in the same state, so the latest columns are kept."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._kept: dict[State, Column] = {}

    def of(self, state: State) -> Column:
        """The column of the state."""
        column = self._kept.get(state)
        if column is None:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            column = self._kept[state] = self.rule.column(state)
        return column
