import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

import pytest
from tests.unit.hub.world import compute_node, now, profile
from tests.unit.placement import fleets

from isthmus.api.computejob import ComputeJob
from isthmus.hub import scheduler
from isthmus.hub.dispatches import NodeDispatches
from isthmus.hub.fleet import Fleet
from isthmus.hub.nodestatus import NodeFacts
from isthmus.hub.rollcall import PATIENCE_SECONDS
from isthmus.hub.scheduler import PIN_SECONDS, Scheduler
from isthmus.placement import Assignment, Demand, Limits, Outcome, Rooms, Snapshot, Unplaced, demand_of, place

pytestmark = pytest.mark.simulated_time


class Cycles:
    """A scheduler over two nodes, and what it says when."""

    def __init__(self, cores: int = 0) -> None:
        self.fleet = Fleet("CNY", lambda _: NodeDispatches(), lambda: 0.0)
        for name in ("n1", "n2"):
            facts = self.fleet.put(compute_node(name)).facts
            facts.connected, facts.problem, facts.observed = True, None, True
            self.fleet.observed(name, profile(cores))
        self.assigned: list[tuple[str, str, float]] = []
        self.unplaced: list[tuple[str, str, float]] = []
        self.snapshots = 0
        self.fails = 0
        self.loop = asyncio.get_running_loop()
        self.scheduler = Scheduler(
            self.fleet,
            now=self._now,
            monotonic=self.loop.time,
            on_assigned=self._assigned,
            on_unplaced=self._unplaced,
        )

    def _now(self) -> datetime:
        self.snapshots += 1
        if self.fails:
            self.fails -= 1
            raise ValueError("a clock that fails")
        return now()

    def _assigned(self, assignments: list[tuple[Assignment, int]]) -> None:
        for assignment, _ in assignments:
            self.assigned.append((assignment.demand.key, assignment.node, self.loop.time()))

    def _unplaced(self, uid: str, verdict: Unplaced) -> None:
        self.unplaced.append((uid, verdict.reason, self.loop.time()))

    def begin(self, node: str) -> None:
        """The node has not been reached yet."""
        known = self.fleet.get(node)
        assert known is not None
        known.facts = NodeFacts()
        self.fleet.lost_sight(node)

    def room(self, node: str, cores: int) -> None:
        """So many cores are free there now."""
        known = self.fleet.get(node)
        assert known is not None
        known.facts.connected, known.facts.problem, known.facts.observed = True, None, True
        self.fleet.observed(node, profile(cores))
        self.scheduler.wake()


@asynccontextmanager
async def scheduling(cores: int = 0) -> AsyncIterator[Cycles]:
    """A scheduler that runs."""
    cycles = Cycles(cores)
    task = asyncio.create_task(cycles.scheduler.run())
    try:
        yield cycles
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def demand(uid: str = "u1") -> Demand:
    """A job of one core."""
    container = {"name": "main", "resources": {"requests": {"cpu": "1"}}}
    metadata = {"namespace": "team-a", "name": uid, "uid": uid}
    spec = {"template": {"template": {"spec": {"containers": [container]}}}}
    return demand_of(ComputeJob.model_validate({"metadata": metadata, "spec": spec}), "team-a")


async def test_a_pinned_job_goes_to_its_node_alone() -> None:
    """While a former process' create may still land, a job waits for the node that was chosen, whatever is free."""
    async with scheduling() as cycles:
        cycles.room("n2", 64)
        cycles.scheduler.offer(demand(), ("n1",))
        await asyncio.sleep(PIN_SECONDS / 2)
        cycles.scheduler.wake()
        await asyncio.sleep(1)
        assert cycles.assigned == []
        assert {uid for uid, _, _ in cycles.unplaced} == {"u1"}
        cycles.room("n1", 64)
        await asyncio.sleep(1)
        assert [(uid, node) for uid, node, _ in cycles.assigned] == [("u1", "n1")]


async def test_a_pin_is_over_in_time() -> None:
    """After PIN_SECONDS nothing can land any more, and the job goes wherever there is room, without further news."""
    async with scheduling() as cycles:
        cycles.room("n2", 64)
        cycles.scheduler.offer(demand(), ("n1",))
        while not cycles.assigned:
            assert cycles.loop.time() < PIN_SECONDS * 2, "not in time"
            await asyncio.sleep(1)
        ((uid, node, instant),) = cycles.assigned
        assert (uid, node) == ("u1", "n2")
        assert PIN_SECONDS <= instant <= PIN_SECONDS + 1.1


async def test_jobs_wait_for_members_that_are_being_reached() -> None:
    """After a start a job is not given to the first node that is found while others are on their way."""
    async with scheduling() as cycles:
        for name in ("n1", "n2"):
            cycles.begin(name)
        cycles.scheduler.offer(demand())
        await asyncio.sleep(1)
        cycles.room("n2", 1)
        await asyncio.sleep(PATIENCE_SECONDS - 1)
        assert cycles.assigned == []
        cycles.room("n1", 64)
        await asyncio.sleep(1)
        assert [(uid, node) for uid, node, _ in cycles.assigned] == [("u1", "n1")]


async def test_a_member_that_is_not_reached_holds_nothing_up() -> None:
    """Where nothing more is heard of the others, what is known must do; no further news is needed for that."""
    async with scheduling() as cycles:
        cycles.begin("n1")
        cycles.scheduler.offer(demand())
        cycles.room("n2", 64)
        await asyncio.sleep(PATIENCE_SECONDS * 2)
        ((_, node, instant),) = cycles.assigned
        assert node == "n2"
        assert PATIENCE_SECONDS <= instant <= PATIENCE_SECONDS + 0.1


async def test_a_pinned_job_waits_for_its_own_node_only() -> None:
    """Whatever members are still to be reached, the node that a former process chose may take its job."""
    async with scheduling() as cycles:
        cycles.begin("n1")
        cycles.room("n2", 64)
        cycles.scheduler.offer(demand(), ("n2",))
        await asyncio.sleep(0.1)
        assert [node for _, node, _ in cycles.assigned] == ["n2"]


async def test_jobs_without_a_pin_are_not_held_up() -> None:
    """A pinned job that waits for its node keeps no other job from its place."""
    async with scheduling() as cycles:
        cycles.room("n2", 64)
        cycles.scheduler.offer(demand("pinned"), ("n1",))
        cycles.scheduler.offer(demand("free"))
        await asyncio.sleep(1)
        assert [(uid, node) for uid, node, _ in cycles.assigned] == [("free", "n2")]


async def test_it_wakes_only_for_work_that_waits() -> None:
    """News of nodes cost nothing while no job waits, and a burst of them one cycle while one does."""
    async with scheduling(cores=64) as cycles:
        for _ in range(10):
            cycles.scheduler.wake()
            await asyncio.sleep(0.1)
        assert cycles.snapshots == 0
        cycles.room("n1", 0)
        cycles.room("n2", 0)
        cycles.scheduler.offer(demand())
        await asyncio.sleep(1)
        assert cycles.snapshots == 1
        for _ in range(10):
            cycles.scheduler.wake()
        await asyncio.sleep(1)
        assert cycles.snapshots == 2
        cycles.scheduler.offer(demand())  # no news
        await asyncio.sleep(1)
        assert cycles.snapshots == 2
        cycles.scheduler.withdraw("u1")
        cycles.room("n1", 64)
        await asyncio.sleep(1)
        assert cycles.snapshots == 2
        assert cycles.assigned == []


async def test_a_job_is_assigned_once() -> None:
    """What was assigned waits no more, and its room is taken in the next cycle."""
    async with scheduling() as cycles:
        cycles.room("n1", 1)
        cycles.scheduler.offer(demand("a"))
        await asyncio.sleep(1)
        cycles.scheduler.offer(demand("b"))
        cycles.scheduler.wake()
        await asyncio.sleep(1)
        assert [(uid, node) for uid, node, _ in cycles.assigned] == [("a", "n1")]
        assert [uid for uid, _, _ in cycles.unplaced] == ["b"]


async def test_a_cycle_that_fails_is_repeated() -> None:
    """A failure inside a cycle is not the end of scheduling: it is tried again a second later."""
    async with scheduling(cores=64) as cycles:
        cycles.fails = 2
        cycles.scheduler.offer(demand(), ("n1",))
        await asyncio.sleep(10)
        ((uid, _, instant),) = cycles.assigned
        assert uid == "u1"
        assert 2 <= instant <= 2.1


async def test_a_job_that_fails_keeps_no_other_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where placing all at once fails each is placed alone; the one that fails is told of, and can be offered anew."""
    bad = {"a"}
    monkeypatch.setattr(scheduler, "place", _failing_on(bad))
    async with scheduling(cores=64) as cycles:
        for uid in ("a", "b", "c"):
            cycles.scheduler.offer(demand(uid))
        await asyncio.sleep(10)
        assert [uid for uid, _, _ in cycles.assigned] == ["b", "c"]
        assert [(uid, reason) for uid, reason, _ in cycles.unplaced] == [("a", "InternalError")]
        assert cycles.scheduler.trouble == ""
        bad.clear()
        cycles.scheduler.offer(demand("a"))
        await asyncio.sleep(1)
        assert [uid for uid, _, _ in cycles.assigned] == ["b", "c", "a"]


async def test_a_failure_of_all_is_no_jobs_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where none of several can be placed that is the hub's trouble: all go on waiting, and are placed once it ends."""
    bad = {"a", "b"}
    monkeypatch.setattr(scheduler, "place", _failing_on(bad))
    async with scheduling(cores=64) as cycles:
        for uid in sorted(bad):
            cycles.scheduler.offer(demand(uid))
        await asyncio.sleep(5)
        assert cycles.scheduler.trouble == "ValueError('not these')"
        assert (cycles.assigned, cycles.unplaced) == ([], [])
        bad.clear()
        await asyncio.sleep(2)
        assert [uid for uid, _, _ in cycles.assigned] == ["a", "b"]
        assert cycles.scheduler.trouble == ""


async def test_without_a_snapshot_nobody_is_blamed() -> None:
    """Where the fleet can't be looked at, a job that waits goes on waiting, however long, and the trouble is told."""
    async with scheduling(cores=64) as cycles:
        cycles.fails = 1000
        cycles.scheduler.offer(demand())
        await asyncio.sleep(5)
        assert cycles.scheduler.trouble == "ValueError('a clock that fails')"
        assert cycles.unplaced == []
        cycles.fails = 0
        await asyncio.sleep(2)
        assert [uid for uid, _, _ in cycles.assigned] == ["u1"]
        assert cycles.scheduler.trouble == ""


def _failing_on(keys: set[str]) -> Callable[..., Outcome]:
    """The placement, but for jobs of these keys, on which it fails."""

    def failing(snapshot: Snapshot, demands: list[Demand], *, rooms: Rooms, limits: Limits) -> Outcome:
        if any(each.key in keys for each in demands):
            raise ValueError("not these")
        return place(snapshot, demands, rooms=rooms, limits=limits)

    return failing


async def test_hints_go_by_the_jobs_that_wait_too() -> None:
    """A job is among what jobs ask for once it is offered, whether there is room for it or not, and but once."""
    async with scheduling() as cycles:
        torn = fleets.profile(
            fleets.shape(accelerator=fleets.A100, free={fleets.GPU: 4}),
            fleets.shape(accelerator=fleets.A100, free={fleets.GPU: 3}),
        )
        cycles.fleet.observed("n1", torn)
        small = fleets.demand("small", gpus=1)

        def meant() -> int:
            hint = cycles.fleet.hint("n1", small)
            assert hint is not None
            return hint.free[fleets.GPU]

        assert meant() == 3
        for number in range(64):
            for _ in range(2):
                cycles.scheduler.offer(fleets.demand(f"u{number}", gpus=3, regions=("nowhere",)))
        await asyncio.sleep(1)
        assert not cycles.assigned
        assert [(asking.demand.request[fleets.GPU], asking.pods) for asking in cycles.fleet.hinting.asked.told()] == [
            (3, 64)
        ]
        assert meant() == 4
        cycles.fleet.drop("n1")
        assert cycles.fleet.hint("n1", small) is None
