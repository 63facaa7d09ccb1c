"""A server's clock, as far as its answers tell it: never ahead of it, whatever our own clock says."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime


def boottime() -> float:
    """Seconds of a clock that never jumps and runs on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class ServerClock:
    """The newest `Date` of an answer, with the instant of its arrival by a clock that never jumps."""

    def __init__(self, monotonic: Callable[[], float] = boottime) -> None:
        self._monotonic = monotonic
        self._newest: tuple[str, float] | None = None

    def answered(self, date: str | None) -> None:
        """An answer with that `Date` header has just arrived. It is read only when somebody asks for the time."""
        if date:
            self._newest = (date, self._monotonic())

    def now(self) -> datetime | None:
        """A lower bound of the server's time of day, in UTC; None before its first answer, or where that has no date.

        The answer was on its way for a while, and its date is in whole seconds: the server's clock is ahead of this by
        that much. Only the newest answer counts, so that a clock that was set back is followed.
        """
        if self._newest is None:
            return None
        date, arrived = self._newest
        try:
            then = parsedate_to_datetime(date)
        except ValueError:
            return None
        if then.tzinfo is None:
            then = then.replace(tzinfo=UTC)
        return then.astimezone(UTC) + timedelta(seconds=self._monotonic() - arrived)
