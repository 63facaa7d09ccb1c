"""From the history of an in-memory cluster to the lines of one watch."""

import asyncio
from collections.abc import AsyncGenerator, Callable

from isthmus.api.core import Manifest
from isthmus.clusters.errors import TimedOut
from isthmus.clusters.resources import Resource

from .store import Change, Signal, Watcher, event_of


def line_of(
    entry: Change | Signal, resource: Resource, namespace: str | None, matches: Callable[[Manifest], bool]
) -> Manifest | None:
    """The watch line of an entry, as it would stand on the wire; None where this watch doesn't see it."""
    if isinstance(entry, Signal):
        if entry.error is not None:
            raise entry.error
        return {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": str(entry.version)}}}
    if entry.resource != resource or (namespace is not None and entry.key[0] != namespace):
        return None
    before, after = entry.before, entry.after
    event = event_of(entry, before is not None and matches(before), after is not None and matches(after))
    return None if event is None else {"type": event[0], "object": event[1]}


async def entries(
    watcher: Watcher, timeout_seconds: float, idle_seconds: float | None, name: str
) -> AsyncGenerator[Change | Signal, None]:
    """What reaches the watch, until `timeout_seconds` are over; TimedOut after `idle_seconds` of silence."""
    loop = asyncio.get_running_loop()
    end = loop.time() + timeout_seconds
    while (left := end - loop.time()) > 0:
        limit = left if idle_seconds is None else min(left, idle_seconds)
        try:
            async with asyncio.timeout(limit):
                entry = await watcher.get()
        except TimeoutError:
            if limit < left:
                raise TimedOut(f"{name}: nothing came for {idle_seconds:g} s") from None
            return
        yield entry
