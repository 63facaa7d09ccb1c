"""A figure that changes with the hour of the day, each day alike."""

from collections.abc import Sequence
from itertools import accumulate

HOUR = 3600
_HOURS = 24


class Hourly:
    """24 figures, one for each hour; instants are in seconds from a midnight on."""

    def __init__(self, figures: Sequence[float]) -> None:
        """Raises ValueError for other than 24 figures."""
        if len(figures) != _HOURS:
            raise ValueError(f"a day has 24 hours, not {len(figures)}")
        self._figures = tuple(figures)
        self._sums = (0.0, *accumulate(figures))

    def at(self, instant: float) -> float:
        """The figure in force."""
        return self._figures[int(instant // HOUR) % _HOURS]

    def over(self, start: float, end: float) -> float:
        """The figure times hours, from `start` until `end`."""
        return self._until(end) - self._until(start)

    def _until(self, instant: float) -> float:
        """The same, from 0 on."""
        days, rest = divmod(instant / HOUR, _HOURS)
        hour = min(int(rest), _HOURS - 1)
        return days * self._sums[-1] + self._sums[hour] + (rest - hour) * self._figures[hour]
