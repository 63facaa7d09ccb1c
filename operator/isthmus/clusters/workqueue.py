"""A keyed work queue: one handler a key at a time, repeats folded, failures retried with back-off."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Mapping
from typing import Generic, TypeVar

import structlog

from .errors import ClusterError

K = TypeVar("K", bound=Hashable)

logger = structlog.get_logger(__name__)

# Beyond any limit of use; without a bound a key that fails for hours would make a number too large for a float.
_MOST_DOUBLINGS = 32


def earliest(*waits: float | None) -> float | None:
    """Of several wishes to be called again the first, None where there is none."""
    return min((wait for wait in waits if wait is not None), default=None)


class WorkQueue(Generic[K]):
    """Runs `handler(key)` for each added key, at most `workers` at once and never twice at once for one key.

    A key added while its handler runs is run once more afterwards: the handler reads the newest state itself, so no
    change is missed and a burst of changes costs one run. A handler may return seconds after which it wants to be
    called again. One that raises is called again after a back-off that doubles up to `retry_limit_seconds`.
    Its failure is logged with the object that the key stands for, as `about` names it.
    """

    def __init__(
        self,
        handler: Callable[[K], Awaitable[float | None]],
        *,
        name: str,
        workers: int = 32,
        retry_seconds: float = 0.2,
        retry_limit_seconds: float = 30.0,
        about: Callable[[K], Mapping[str, str]] | None = None,
    ) -> None:
        self.name = name
        self.retries = 0
        """How often a handler has failed."""
        self._handler = handler
        self._about = about or (lambda key: {"key": str(key)})
        self._workers = workers
        self._retry_seconds = retry_seconds
        self._retry_limit_seconds = retry_limit_seconds
        self._timers: dict[K, asyncio.TimerHandle] = {}
        self._ready: deque[K] = deque()
        self._waiting: set[K] = set()
        self._running: dict[K, asyncio.Task[None]] = {}
        self._again: set[K] = set()
        self._failures: dict[K, int] = {}
        self._closed = False

    @property
    def depth(self) -> int:
        """How many keys wait for a worker."""
        return len(self._ready)

    def add(self, key: K, delay: float = 0.0) -> None:
        """Ask for a run of `key` after `delay` seconds; of several wishes the earliest holds."""
        if self._closed:
            return
        loop = asyncio.get_running_loop()
        if delay > 0:
            timer = self._timers.get(key)
            if timer is not None:
                if timer.when() <= loop.time() + delay:
                    return
                timer.cancel()
            self._timers[key] = loop.call_later(delay, self._due, key)
            return
        self._due(key)

    def _due(self, key: K) -> None:
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
        if key in self._running:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            self._ready.append(key)
            self._start()

    def _start(self) -> None:
        while self._ready and len(self._running) < self._workers and not self._closed:
            key = self._ready.popleft()
            self._waiting.discard(key)
            self._running[key] = asyncio.create_task(self._run(key), name=f"{self.name}:{key}")

    async def _run(self, key: K) -> None:
        again: float | None = None
        self._again.discard(key)  # the run that begins now sees what was added until now
        try:
            again = await self._handler(key)
            self._failures.pop(key, None)
        except asyncio.CancelledError:
            raise
        except ClusterError as error:
            again = self._back_off(key)
            logger.info("will try again", queue=self.name, **self._about(key), reason=error.reason, error=str(error))
        except Exception:
            again = self._back_off(key)
            logger.exception("handler failed", queue=self.name, **self._about(key))
        finally:
            del self._running[key]
            if not self._closed:
                if key in self._again:
                    self._again.discard(key)
                    self.add(key, again if again is not None and key in self._failures else 0.0)
                elif again is not None:
                    self.add(key, max(again, 0.001))
                self._start()

    def _back_off(self, key: K) -> float:
        self.retries += 1
        failures = self._failures.get(key, 0) + 1
        self._failures[key] = failures
        doublings = min(failures - 1, _MOST_DOUBLINGS)
        return float(min(self._retry_seconds * 2**doublings, self._retry_limit_seconds))

    async def close(self) -> None:
        """Stop taking keys, cancel what runs and wait for it."""
        self._closed = True
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
