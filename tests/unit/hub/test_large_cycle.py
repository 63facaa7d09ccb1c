import asyncio
import threading
from typing import Any

import pytest
from tests.unit.hub.test_scheduler import demand, scheduling

from isthmus.hub import scheduler
from isthmus.placement import Outcome, place


async def test_a_large_cycle_leaves_the_loop_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """All else goes on beside a large cycle, and what it decided holds only of jobs and nodes that are as they were."""
    begun, go_on = threading.Event(), threading.Event()

    def slowly(*arguments: Any, **options: Any) -> Outcome:
        begun.set()
        assert go_on.wait(60)
        return place(*arguments, **options)

    monkeypatch.setattr(scheduler, "place", slowly)
    monkeypatch.setattr(scheduler, "THREAD_PAIRS", 6)
    async with scheduling() as cycles:
        cycles.room("n1", 2)
        cycles.room("n2", 1)
        for uid in ("u1", "u2", "u3"):
            cycles.scheduler.offer(demand(uid))
        while not begun.is_set():  # noqa: ASYNC110 - set by a thread
            await asyncio.sleep(0.01)
        cycles.scheduler.withdraw("u1")
        known = cycles.fleet.get("n2")
        assert known is not None
        known.facts.problem = ("Timeout", "no answer")
        monkeypatch.setattr(scheduler, "place", place)
        go_on.set()
        while len(cycles.assigned) < 2:  # noqa: ASYNC110 - set by a thread
            await asyncio.sleep(0.01)
        await asyncio.sleep(1)
        assert {(uid, node) for uid, node, _ in cycles.assigned} == {("u2", "n1"), ("u3", "n1")}
