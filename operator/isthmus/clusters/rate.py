"""How often something happens, of late. Pure: instants are arguments."""

import math


class Rate:
    """Events a second, averaged with weights that fall by 1/e every `memory_seconds`."""

    def __init__(self, memory_seconds: float) -> None:
        self._memory = memory_seconds
        self._weight = 0.0
        self._at = 0.0

    def count(self, now: float) -> None:
        """One event at `now`, in seconds of a clock that never goes back."""
        self._weight = self._faded(now) + 1
        self._at = now

    def per_second(self, now: float) -> float:
        """The rate at `now`."""
        return self._faded(now) / self._memory

    def _faded(self, now: float) -> float:
        return self._weight * math.exp((self._at - now) / self._memory) if self._weight else 0.0
