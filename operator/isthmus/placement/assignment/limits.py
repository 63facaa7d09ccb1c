"""What a batch may cost: work that is counted, and time as the emergency limit."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

Result = TypeVar("Result")


def _still() -> float:
    return 0.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a batch; the defaults know no time, so that nothing but the input decides.

    `now` returns seconds of any steady clock, and what is found by `deadline` on it is used. `repairs` is how many
    changes of a node `repair` may try for each job of the batch, `scans` on how many nodes it may look for what could
    give way, `iterations` how many steps the simplex method may
    take for each row and column of the program. `seed` goes to the solver, which breaks ties by it.
    """

    now: Callable[[], float] = field(default=_still)
    deadline: float = float("inf")
    repairs: float = 0.1
    scans: float = 0.4
    iterations: float = 20.0
    seed: int = 0

    @property
    def left(self) -> float:
        """Seconds to the deadline, 0 once it is over."""
        return max(0.0, self.deadline - self.now())

    def aside(self, work: Callable[[], Result]) -> "tuple[Result, Limits]":
        """What the work gives, and the same limits with as much more time as it took: it is not the program's."""
        began = self.now()
        found = work()
        took = self.now() - began
        return found, replace(self, deadline=self.deadline + took) if took > 0 else self
