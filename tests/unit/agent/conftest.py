"""A world with its controllers running, and processes in it that are all ended with the test."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.unit.agent.world import World

Worlds = Callable[..., Any]


@asynccontextmanager
async def _world(**settings: Any) -> AsyncIterator[World]:
    world = World(**settings)
    task = asyncio.create_task(world.control())
    try:
        yield world
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def worlds() -> Worlds:
    """What makes worlds, to be entered by `async with`."""
    return _world
