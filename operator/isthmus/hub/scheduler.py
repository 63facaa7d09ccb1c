"""The scheduling loop: whenever something changed, places all that waits in one cycle."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import Protocol

import structlog

from isthmus.api.computejob import Explanation
from isthmus.api.reference import reference
from isthmus.placement import (
    Assignment,
    Demand,
    Limits,
    Outcome,
    Preemption,
    Reservation,
    Rooms,
    RunningShard,
    Snapshot,
    Unplaced,
    place,
)

from .fleet import Fleet
from .instruments import Instruments
from .rollcall import RollCall

logger = structlog.get_logger(__name__)

# Changes come in bursts; a cycle waits this long for the rest of one.
GATHER_SECONDS = 0.005
# A create that an earlier process had under way lands within an API server's request timeout, 60 s; until then a job
# whose annotation names a node goes nowhere else.
PIN_SECONDS = 90.0
# A batch that takes longer goes on with what was found, or job after job.
PROGRAM_SECONDS = 5.0
# Pairs of job and node from which on a cycle runs in a thread of its own: contact with members must not wait for it.
THREAD_PAIRS = 20_000
# Shards among which victims are looked for, from which on a cycle does as well.
THREAD_SHARDS = 1_000


class Preempting(Protocol):
    """What the loop needs of who carries preemption out."""

    def running(self, waiting: Sequence[Demand]) -> tuple[RunningShard, ...]:
        """The shards that may be stopped for one of these jobs, and those that are being."""
        ...

    def decided(self, preemptions: Iterable[Preemption]) -> None:
        """Have these stopped."""
        ...


class Scheduler:
    """Holds the demands that wait. `on_assigned` gets a job's assignments, each with its node sequence."""

    def __init__(
        self,
        fleet: Fleet,
        *,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        on_assigned: Callable[[list[tuple[Assignment, int]]], None],
        on_unplaced: Callable[[str, Unplaced], None],
        instruments: Instruments | None = None,
    ) -> None:
        self._instruments = instruments or Instruments()
        self._fleet = fleet
        self._now = now
        self._monotonic = monotonic
        self._started = monotonic()
        self._on_assigned = on_assigned
        self._on_unplaced = on_unplaced
        self._waiting: dict[str, tuple[Demand, tuple[str, ...] | None]] = {}
        self._rooms = Rooms()
        self._wake = asyncio.Event()
        self._roll_call = RollCall(monotonic)
        self._next_look: asyncio.TimerHandle | None = None
        self.preempting: Preempting | None = None
        """Who tells what may be stopped for a job that waits, and has it stopped; None where nobody does."""
        self._reservations: tuple[Reservation, ...] = ()
        self.trouble = ""
        """What the last cycle failed with; empty where it did not."""

    def offer(self, demand: Demand, pinned: tuple[str, ...] | None = None) -> None:
        """Have the job placed; `pinned` are nodes to which an earlier process may have Dispatches of it under way.

        One such node is the only one that may have it while that can be; of several nobody knows which part each has.
        """
        self._fleet.hinting.asked.note(demand)
        if self._waiting.get(demand.key) != (demand, pinned):
            self._waiting[demand.key] = (demand, pinned)
            self._wake.set()

    def withdraw(self, uid: str) -> None:
        """The job is not to be placed (any more)."""
        self._waiting.pop(uid, None)

    def waiting(self, uid: str) -> Demand | None:
        """What waits to be placed of the job."""
        found = self._waiting.get(uid)
        return found[0] if found is not None else None

    @property
    def reservations(self) -> tuple[Reservation, ...]:
        """What the last cycle reserved."""
        return self._reservations

    def waiting_by_account(self) -> Counter[str]:
        """How many jobs wait, by account."""
        return Counter(demand.account for demand, _ in self._waiting.values())

    def wake(self) -> None:
        """Room may have appeared, or a node changed."""
        if self._waiting:
            self._wake.set()

    async def run(self) -> None:
        """Place until cancelled."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._wake.clear()
            try:
                await self._cycle()
                self.trouble = ""
            except Exception as error:
                logger.exception("scheduling cycle failed")
                self.trouble = repr(error)
                await asyncio.sleep(1.0)
                self._wake.set()

    async def _cycle(self) -> None:
        pins_hold = self._monotonic() - self._started < PIN_SECONDS
        free = [demand for demand, pin in self._waiting.values() if pin is None or not pins_hold]
        if pins_hold and len(free) < len(self._waiting):
            left = PIN_SECONDS - (self._monotonic() - self._started)
            asyncio.get_running_loop().call_later(left + 0.1, self._wake.set)
        for demand, pin in list(self._waiting.values()):
            if pin is not None and pins_hold and len(pin) == 1:
                whole = self._snapshot()
                only = Snapshot(tuple(node for node in whole.nodes if node.name in pin), whole.now, whole.accounts)
                await self._place(only, [demand], Rooms())
        if free and not self._held_back():
            await self._place_all(free)

    def _held_back(self) -> bool:
        """Whether members are still being reached after a start; if so, another cycle follows when that is over."""
        if self._roll_call.over:
            return False
        left = self._roll_call.seconds_left(*self._fleet.roll())
        if self._next_look is not None:
            self._next_look.cancel()
        self._next_look = asyncio.get_running_loop().call_later(left, self._wake.set) if left > 0 else None
        return left > 0

    async def _place_all(self, demands: list[Demand]) -> None:
        """Place all at once; where that fails, one by one, so that the one it fails on keeps nobody else waiting.

        Raises what it fails with where no job alone is to blame: no snapshot can be made, or none of several be placed.
        """
        snapshot = self._snapshot()
        try:
            running = self.preempting.running(demands) if self.preempting and self._fleet.settled() else ()
            whole = replace(snapshot, running=running, reservations=self._reservations)
            outcome = await self._place(whole, demands, self._rooms)
        except Exception:
            logger.exception("a cycle failed, placing one by one", jobs=len(demands))
        else:
            self._reservations = outcome.reservations
            if self.preempting and (preemptions := list(self._still_wanted(outcome.preemptions, demands))):
                self.preempting.decided(preemptions)
            return
        self._rooms, self._reservations = Rooms(), ()
        left = [demand for demand in demands if demand.key in self._waiting]
        failed: list[tuple[Demand, Exception]] = []
        for demand in left:
            snapshot = self._snapshot()
            try:
                await self._place(snapshot, [demand], Rooms())
            except Exception as error:
                about = reference("ComputeJob", {"namespace": demand.namespace, "name": demand.name, "uid": demand.key})
                logger.exception("job can't be placed", **about)
                failed.append((demand, error))
        nobody = len(failed) == len(left) > 1
        for demand, _ in failed:
            if not nobody or demand.key not in self._waiting:
                self._give_up(demand)
        if nobody:
            raise failed[0][1]

    def _still_wanted(self, preemptions: Iterable[Preemption], demands: Iterable[Demand]) -> Iterator[Preemption]:
        """Those for jobs that wait as they did when the cycle began, on nodes that take new work still."""
        asked = {demand.key: demand for demand in demands}
        for each in preemptions:
            if self.waiting(each.demand.key) == asked[each.demand.key] and self._fleet.takes(each.node):
                yield each

    def _give_up(self, demand: Demand) -> None:
        """Placement fails on this job: tell so, until it is offered anew."""
        self._instruments.placement_errors.inc()
        self._waiting.pop(demand.key, None)
        message = "placement failed on this job; the hub's log says why"
        verdict = Unplaced(demand, never=False, reason="InternalError", message=message, explanation=Explanation())
        self._on_unplaced(demand.key, verdict)

    def _snapshot(self) -> Snapshot:
        began = self._monotonic()
        snapshot = self._fleet.snapshot(self._now())
        self._instruments.snapshot.observe(self._monotonic() - began)
        return snapshot

    async def _place(self, snapshot: Snapshot, demands: list[Demand], rooms: Rooms) -> Outcome:
        began = self._monotonic()
        limits = Limits(now=self._monotonic, deadline=began + PROGRAM_SECONDS)
        decide = partial(place, snapshot, demands, rooms=rooms, limits=limits)
        apart = len(demands) * len(snapshot.nodes) >= THREAD_PAIRS or len(snapshot.running) >= THREAD_SHARDS
        outcome = await asyncio.to_thread(decide) if apart else decide()
        decided = self._monotonic()
        self._instruments.decide.observe(decided - began)
        self._commit(outcome, {demand.key: demand for demand in demands})
        self._instruments.commit.observe(self._monotonic() - decided)
        return outcome

    def _commit(self, outcome: Outcome, asked: Mapping[str, Demand]) -> None:
        """Set the room aside that was given away, and tell what was decided.

        Of jobs that are not `asked` for any more, or otherwise, and for nodes that take nothing by now, nothing holds:
        a large cycle takes its time, in which all else goes on.
        """
        placed = 0
        for key, each in groupby(outcome.assignments, key=lambda assignment: assignment.demand.key):
            parts = list(each)
            if self.waiting(key) != asked[key] or not all(self._fleet.takes(part.node) for part in parts):
                self._wake.set()
                continue
            self._waiting.pop(key)
            numbered = []
            for assignment in parts:
                sequence = self._fleet.next_sequence(assignment.node)
                self._fleet.assume(assignment.node, sequence, assignment.demand, assignment.width, assignment.holding)
                numbered.append((assignment, sequence))
            self._on_assigned(numbered)
            placed += 1
        never = sum(verdict.never for verdict in outcome.unplaced)
        self._instruments.placed.inc(placed)
        self._instruments.impossible.inc(never)
        self._instruments.unplaced.inc(len(outcome.unplaced) - never)
        if not self._fleet.settled():  # a verdict over a part of the fleet would be taken back at once
            return
        for verdict in outcome.unplaced:
            if self.waiting(verdict.demand.key) == asked[verdict.demand.key]:
                self._on_unplaced(verdict.demand.key, verdict)
