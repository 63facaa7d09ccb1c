"""What a hub knows of a member: how many machines are in which state, and none by its name."""

from collections import Counter
from collections.abc import Iterable

import numpy as np

from .classes import Floats, Integers
from .columns import NONE, Columns
from .machines import WHOLE, State

SHAPES = 256  # what a profile holds at most

# Grids to round what is free down to, finer first: millicores, MiB, thousandths of a GPU. A whole GPU stays whole.
_GRIDS = ((1, 1, 1), (250, 256, 10), (500, 512, 20), (1000, 1024, 50), (2000, 2048, 100), (4000, 4096, 200))
_LAST = (8_000, 8_192, WHOLE)  # doubled from level to level
_COARSEST = len(_GRIDS) + 24  # nothing is left to tell apart but models and whole GPUs

_NOTHING = State("", 0, 0, ())


def rounded(state: State, level: int) -> State:
    """The state on the grid of the level, never with more than it has; from level 0, which changes nothing."""
    if level < len(_GRIDS):
        cpu, memory, gpu = _GRIDS[level]
    else:
        doublings = level - len(_GRIDS)
        cpu, memory, gpu = _LAST[0] << doublings, _LAST[1] << doublings, _LAST[2]
    gpus = tuple(share // gpu * gpu for share in state.gpus)
    return State(state.model, state.cpu // cpu * cpu, state.memory // memory * memory, gpus)


class Shapes:
    """A member's machines as at most `limit` states, merged so that none promises more than its machines hold.

    Where they are in more states than that, all are rounded down, as coarsely as the limit asks for.
    """

    def __init__(self, states: Iterable[State], columns: Columns, limit: int = SHAPES) -> None:
        self._exact = Counter(states)
        self._columns = columns
        self._limit = limit
        self._level = 0
        self._fill()

    def __len__(self) -> int:
        """How many states are told apart."""
        return len(self._slots)

    def best(self, pod: int) -> float:
        """The highest score among the member's machines for a pod of the class; `NONE` where none has room."""
        return float(self._scores[pod].max())

    def leading(self, pod: int) -> State:
        """The state of the machines with the highest score for a pod of the class, of no meaning where none has room.

        As it is after rounding.
        """
        return self._states[int(self._scores[pod].argmax())]

    def machines(self, pod: int) -> int:
        """How many machines have room for a pod of the class."""
        return int(self._counts[self._scores[pod] != NONE].sum())

    def move(self, before: State, after: State) -> None:
        """Take in that a machine's state has changed."""
        self._exact[before] -= 1
        if not self._exact[before]:
            del self._exact[before]
        self._exact[after] += 1
        before, after = rounded(before, self._level), rounded(after, self._level)
        if before != after:
            self._remove(before)
            self._add(after, 1)

    def _fill(self) -> None:
        while True:
            merged: Counter[State] = Counter()
            for state, machines in self._exact.items():
                merged[rounded(state, self._level)] += machines
            if len(merged) <= self._limit or self._level == _COARSEST:
                break
            self._level += 1
        width = max(1, len(merged), min(self._limit, self._exact.total()))  # no more states than machines
        self._slots: dict[State, int] = {}
        self._states = [_NOTHING] * width
        self._free = list(range(width))
        self._counts: Integers = np.zeros(width, dtype=np.int64)
        self._scores: Floats = np.full((len(self._columns.rule.classes), width), NONE)
        for state, machines in merged.items():
            self._add(state, machines)

    def _add(self, state: State, machines: int) -> None:
        slot = self._slots.get(state)
        if slot is None:
            if not self._free:
                self._level = min(self._level + 1, _COARSEST)
                self._fill()
                return
            slot = self._slots[state] = self._free.pop()
            self._states[slot] = state
            self._scores[:, slot] = self._columns.of(state).scores
        self._counts[slot] += machines

    def _remove(self, state: State) -> None:
        slot = self._slots[state]
        self._counts[slot] -= 1
        if not self._counts[slot]:
            del self._slots[state]
            self._scores[:, slot] = NONE
            self._free.append(slot)
