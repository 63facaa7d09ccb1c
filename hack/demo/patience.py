"""Waiting for what should come, while nothing else goes wrong."""

import time
from collections.abc import Callable

INTERVAL_SECONDS = 0.25


def settles(condition: Callable[[], bool], seconds: float, check: Callable[[], None]) -> bool:
    """Whether the condition came to hold in time; `check` raises what makes waiting pointless."""
    deadline = time.monotonic() + seconds
    while not condition():
        check()
        if time.monotonic() > deadline:
            return False
        time.sleep(INTERVAL_SECONDS)
    return True
