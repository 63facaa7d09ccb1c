"""Whether this process was kept from running for a while: what it reads next is old news, with newer behind it."""

import asyncio
from collections.abc import Callable

TICK_SECONDS = 1.0
# Beyond what the lag of live pods allows for, together with a tick.
STALL_SECONDS = 3.0
# Long enough to read all that came meanwhile.
CATCH_UP_SECONDS = 10.0


class Stalls:
    """`clock` never jumps and runs through suspends, in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ran_at = clock()
        self._since: float | None = None
        self._until = self._ran_at
        self._count = 0

    async def run(self) -> None:
        """Notice stalls until cancelled."""
        while True:
            self._notice()
            await asyncio.sleep(TICK_SECONDS)

    def blind_seconds(self) -> float:
        """For how long it may not know the newest: since it last ran before a stall; 0 where it has kept up."""
        self._notice()
        return 0.0 if self._since is None else self._clock() - self._since

    def count(self) -> int:
        """How many there were."""
        self._notice()
        return self._count

    def _notice(self) -> None:
        now = self._clock()
        if now - self._ran_at > TICK_SECONDS + STALL_SECONDS:
            self._since = self._ran_at if self._since is None else self._since
            self._until = now + CATCH_UP_SECONDS
            self._count += 1
        elif now >= self._until:
            self._since = None
        self._ran_at = now
