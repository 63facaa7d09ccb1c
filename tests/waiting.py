"""Waiting in coroutine tests: for a condition, with a deadline."""

import asyncio
from collections.abc import Callable


async def eventually(condition: Callable[[], object], what: str = "the condition", seconds: float = 20.0) -> None:
    """Return once the condition holds; AssertionError naming `what` where it does not in time."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not condition():
        if loop.time() > deadline:
            raise AssertionError(f"{what} did not come within {seconds:g} s")
        await asyncio.sleep(0.01)
