import asyncio
import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.hub.test_scheduler import demand, scheduling
from tests.unit.hub.world import now

from isthmus.hub import scheduler
from isthmus.placement import Demand, Outcome, Preemption, RunningShard, place


class Held:
    """Placement that begins, and does not go on before it may."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._begun, self.go_on = threading.Event(), threading.Event()
        monkeypatch.setattr(scheduler, "place", self._place)

    def _place(self, *arguments: Any, **options: Any) -> Outcome:
        self._begun.set()
        assert self.go_on.wait(60)
        return place(*arguments, **options)

    async def begun(self) -> None:
        """Wait until it has."""
        while not self._begun.is_set():  # noqa: ASYNC110 - set by a thread
            await asyncio.sleep(0.01)


async def test_a_large_cycle_leaves_the_loop_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """All else goes on beside a large cycle, and what it decided holds only of jobs and nodes that are as they were."""
    held = Held(monkeypatch)
    monkeypatch.setattr(scheduler, "THREAD_PAIRS", 6)
    async with scheduling() as cycles:
        cycles.room("n1", 2)
        cycles.room("n2", 1)
        for uid in ("u1", "u2", "u3"):
            cycles.scheduler.offer(demand(uid))
        await held.begun()
        cycles.scheduler.withdraw("u1")
        known = cycles.fleet.get("n2")
        assert known is not None
        known.facts.problem = ("Timeout", "no answer")
        monkeypatch.setattr(scheduler, "place", place)
        held.go_on.set()
        while len(cycles.assigned) < 2:  # noqa: ASYNC110 - set by a thread
            await asyncio.sleep(0.01)
        await asyncio.sleep(1)
        assert {(uid, node) for uid, node, _ in cycles.assigned} == {("u2", "n1"), ("u3", "n1")}


class Stopping:
    """One shard that may be stopped, and for whom that was decided."""

    def __init__(self) -> None:
        self.decisions: list[tuple[str, str]] = []

    def running(self, waiting: Sequence[Demand]) -> tuple[RunningShard, ...]:
        """On each node a shard of as many cores as its machine has."""
        low = replace(waiting[0], priority=-1)
        return tuple(RunningShard(f"low-{n}", f"n{n}", low, 1, preemptible=True, since=now()) for n in (1, 2))

    def decided(self, preemptions: Iterable[Preemption]) -> None:
        """Remember them."""
        self.decisions += [(each.demand.key, each.node) for each in preemptions]


async def test_nothing_is_stopped_for_who_wants_it_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where many shards could be stopped the loop is left free too; a job that is withdrawn meanwhile stops nothing."""
    held = Held(monkeypatch)
    monkeypatch.setattr(scheduler, "THREAD_SHARDS", 2)
    async with scheduling() as cycles:
        cycles.scheduler.preempting = stopping = Stopping()
        for uid in ("u1", "u2"):
            cycles.scheduler.offer(demand(uid))
        cycles.room("n1", 0)
        cycles.room("n2", 0)
        await held.begun()
        cycles.scheduler.withdraw("u1")
        held.go_on.set()
        while not stopping.decisions:  # noqa: ASYNC110 - set by a thread
            await asyncio.sleep(0.01)
        assert [uid for uid, _ in stopping.decisions] == ["u2"]
