"""Coroutine tests: each runs in an event loop of its own and is ended after a minute.

With the mark `simulated_time` the loop's clock jumps to the next timer whenever nothing is ready: pauses of minutes
take no time, and what happens when is exact. Such a test does no real input or output.
"""

import asyncio
import inspect
import os
import selectors
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

LONGEST_SECONDS = 60.0


class _JumpingSelector(selectors.DefaultSelector):
    """Never waits: what the loop would have waited for is added to `now` instead."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("every task waits, and no timer will ever wake one")
            self.now += max(timeout, 0.0)
        return ready


class SimulatedLoop(asyncio.SelectorEventLoop):
    """A loop whose time passes only when every task waits for it."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self._jumping.now

    def freeze(self, seconds: float) -> None:
        """Let time pass in which no task runs, as in a process that is stopped."""
        self._jumping.now += seconds


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known, and let no property fail because the machine is busy.

    Properties are tried on the same examples in each run, so that what passes in a checkout passes everywhere; with
    HYPOTHESIS_EXPLORE set, on others each time.
    """
    config.addinivalue_line("markers", "simulated_time: the event loop's time jumps from timer to timer")
    settings.register_profile(
        "unhurried",
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize="HYPOTHESIS_EXPLORE" not in os.environ,
    )
    settings.load_profile("unhurried")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a coroutine test; leave any other to pytest."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    simulated = pyfuncitem.get_closest_marker("simulated_time") is not None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}

    async def limited() -> Any:
        async with asyncio.timeout(24 * 3600 if simulated else LONGEST_SECONDS):
            await pyfuncitem.obj(**arguments)

    with asyncio.Runner(loop_factory=SimulatedLoop if simulated else None) as runner:
        runner.run(limited())
    return True
