"""Something that the hub can't do without, tried every so often, and since when it fails."""

import asyncio
from collections.abc import Awaitable, Callable

from isthmus.clusters import ClusterError
from isthmus.errors import IsthmusError

from .booking import Booking

# How soon it is noticed that the hub's API, or the ledger, is away.
API_SECONDS = 10.0
API_PATIENCE_SECONDS = 15.0
# Each look is a write to the disk.
LEDGER_SECONDS = 30.0
LEDGER_PATIENCE_SECONDS = 5.0
# The ledger is asked one thing at a time: a look waits behind whatever is read of it, such as a year's statement.
LEDGER_SILENCE_SECONDS = 300.0
# Between tries of what fails.
RETRY_SECONDS = 5.0


class Vital:
    """`attempt` is tried each `every_seconds`, and sooner while it fails.

    It is in trouble once it has failed for `patience_seconds`, or not answered for `silence_seconds`. `clock` is
    monotonic, in seconds.
    """

    def __init__(
        self,
        what: str,
        attempt: Callable[[], Awaitable[object]],
        *,
        every_seconds: float,
        patience_seconds: float,
        silence_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self._what = what
        self._attempt = attempt
        self._every = every_seconds
        self._patience = patience_seconds
        self._silence = silence_seconds
        self._clock = clock
        self._since: float | None = None
        self._words = ""

    def trouble(self) -> str | None:
        """What is wrong with it, in words for people; None where nothing is, or not for long."""
        patience = self._patience if self._words else self._silence
        if self._since is None or (lasted := self._clock() - self._since) < patience:
            return None
        return f"{self._what} for {lasted:.0f} s: {self._words or 'no answer'}"

    async def run(self) -> None:
        """Try until cancelled."""
        while True:
            began = self._clock()
            if self._since is None:
                self._since, self._words = began, ""
            try:
                await self._attempt()
            except (ClusterError, IsthmusError) as error:
                self._words = str(error)
            else:
                self._since = None
            await asyncio.sleep(self._every if self._since is None else min(self._every, RETRY_SECONDS))


def vitals_of(
    reach: Callable[[], Awaitable[None]], booking: Booking, clock: Callable[[], float]
) -> tuple[Vital, Vital]:
    """The hub's own API, which `reach` tries, and its ledger."""
    return (
        Vital(
            "the hub's API has not answered",
            reach,
            every_seconds=API_SECONDS,
            patience_seconds=API_PATIENCE_SECONDS,
            silence_seconds=API_PATIENCE_SECONDS,
            clock=clock,
        ),
        Vital(
            "the ledger could not be written",
            booking.check,
            every_seconds=LEDGER_SECONDS,
            patience_seconds=LEDGER_PATIENCE_SECONDS,
            silence_seconds=LEDGER_SILENCE_SECONDS,
            clock=clock,
        ),
    )
