"""How fast and how many at once: a member is asked at a steady pace, whatever the hub wants of it."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from .rate import Rate

# Over so long it is averaged how many requests there are.
RATE_SECONDS = 5.0


class Limiter:
    """At most `qps` requests a second (0: any number) with bursts of one second's worth, `concurrency` in flight."""

    def __init__(self, qps: float, concurrency: int) -> None:
        if qps < 0 or concurrency < 1:
            raise ValueError(f"qps must not be negative and concurrency at least 1, not {qps} and {concurrency}")
        self._interval = 1 / qps if qps else 0.0
        self._burst = max(1.0, qps) * self._interval
        self._next = -math.inf
        self._slots = asyncio.Semaphore(concurrency)
        self.in_flight = 0
        """Requests that wait for their turn or for their answer."""
        self._rate = Rate(RATE_SECONDS)

    @property
    def per_second(self) -> float:
        """Requests a second, of late."""
        return self._rate.per_second(asyncio.get_running_loop().time())

    async def pace(self) -> None:
        """Wait for this request's turn; turns are given in the order of the calls."""
        if not self._interval:
            return
        now = asyncio.get_running_loop().time()
        self._next = max(self._next, now - self._burst) + self._interval
        if self._next > now:
            await asyncio.sleep(self._next - now)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """One of the requests in flight, paced."""
        self.in_flight += 1
        self._rate.count(asyncio.get_running_loop().time())
        try:
            async with self._slots:
                await self.pace()
                yield
        finally:
            self.in_flight -= 1
