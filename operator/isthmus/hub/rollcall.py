"""Holds placement back after a start until the members are reached: of the first few, none may be the best. No I/O."""

from collections.abc import Callable

# While members are found one after another, the next one is worth waiting for so long.
PATIENCE_SECONDS = 3.0
# And all of them together for so long, from the first one on.
LONGEST_SECONDS = 30.0


class RollCall:
    """Of one process; `monotonic` in seconds. Once it is over, it stays so."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.over = False
        self._monotonic = monotonic
        self._missing: int | None = None
        self._began = 0.0
        self._heard = 0.0

    def seconds_left(self, missing: int, found: int) -> float:
        """For how long to wait still, where of all nodes so many are `missing` and so many `found`; 0 when it is over.

        A node is found once it is reached, or known to be out of reach. As long as none is found nothing is lost by
        waiting, and the call has not begun.
        """
        if self.over or (missing and not found):
            return 0.0
        now = self._monotonic()
        if self._missing is None:
            self._began = now
        if missing != self._missing:
            self._missing, self._heard = missing, now
        left = min(self._heard + PATIENCE_SECONDS, self._began + LONGEST_SECONDS) - now
        self.over = not missing or left <= 0
        return 0.0 if self.over else left
