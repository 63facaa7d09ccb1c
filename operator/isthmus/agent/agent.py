"""The agent of one node: carries out its Dispatches in the member and publishes what the member has free."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

from isthmus.api.dispatch import TERMINAL, Dispatch
from isthmus.api.names import node_namespace
from isthmus.api.reference import reference
from isthmus.capacity import AcceleratorTable, Profile
from isthmus.clusters import ClusterError, KubernetesApi, WorkQueue

from .contact import Contact
from .executor import DispatchView, Executor
from .expected import Expectations
from .gates import IndexGates
from .hints import Hints
from .memberjobs import MemberJobs
from .memberqueue import MemberQueue
from .meter import ShardMeter
from .sequence import SequenceTracker
from .tenancy import Tenancy
from .view import MemberView

# Figures change with each pod; they are summed up at most this often, and with much to sum up for so much of the time.
PROFILE_SECONDS = 0.1
PROFILE_SHARE = 0.05
# A process that was stopped for a while has not summed up all that time.
PROFILE_LIMIT_SECONDS = 2.0
# What a pod or Job goes through in a moment is looked at once.
GATHER_SECONDS = 0.05
# What could not be written is written within so long of the API's return.
RETRY_LIMIT_SECONDS = 5.0


def pause_after(spent: float) -> float:
    """Seconds until the next profile, where the last took so many to sum up, by a clock that runs through suspends."""
    return min(max(PROFILE_SECONDS, spent / PROFILE_SHARE), PROFILE_LIMIT_SECONDS)


class NodeDispatches(DispatchView, Protocol):
    """All Dispatches of the node, as the hub's API last showed them."""

    def awake(self) -> Iterable[Dispatch]:
        """Those that are not at rest."""
        ...

    def sequences(self) -> Iterable[int]:
        """The sequences of all, those at rest too."""
        ...

    def live(self) -> Iterable[Dispatch]:
        """Those that have not ended."""
        ...


@dataclass(frozen=True, slots=True)
class Clocks:
    """The two clocks an agent reads: one that never jumps, in seconds, and the time of day in UTC."""

    monotonic: Callable[[], float]
    now: Callable[[], datetime]

    @staticmethod
    def system() -> "Clocks":
        """The machine's clocks; the monotonic one runs on through suspends."""
        import time

        return Clocks(lambda: time.clock_gettime(time.CLOCK_BOOTTIME), lambda: datetime.now(UTC))


class Agent:
    """Runs until cancelled; a member that is away is waited for, and nothing is decided meanwhile.

    `on_hinted(followed)` hears of each pod that was asked to go to certain machines, once it is bound.
    """

    def __init__(
        self,
        node: str,
        hub_uid: str,
        *,
        hub: KubernetesApi,
        member: KubernetesApi,
        dispatches: NodeDispatches,
        accelerators: AcceleratorTable,
        clocks: Clocks,
        contact: Contact,
        floor: int,
        on_profile: Callable[[Profile], None],
        on_created: Callable[[Dispatch], None],
        on_connection: Callable[[ClusterError | None], None],
        on_hinted: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self._dispatches = dispatches
        self._clocks = clocks
        self._on_profile = on_profile
        self._on_connection = on_connection
        self._dirty = asyncio.Event()
        self._sequence = SequenceTracker(floor=floor)
        self._counted = {sequence for sequence in dispatches.sequences() if sequence > floor}
        """Sequences that are in the figures, but those below which all are: these are told in one number."""
        self._expectations = Expectations()
        self._view = MemberView(
            member,
            hub_uid,
            node,
            accelerators,
            clock=clocks.monotonic,
            on_shard=partial(self._changed, delay=GATHER_SECONDS),
            on_capacity=self._dirty.set,
            on_connection=self._linked,
            on_pod=self._pod_changed,
        )
        self._hints = hints = Hints(self._view.machines, on_hinted, clocks.monotonic)
        queue = MemberQueue(member)
        jobs = MemberJobs(member, Tenancy(member, hub_uid), hints, queue)
        self._meter = meter = ShardMeter(member, hub_uid, node, view=self._view, jobs=jobs, now=clocks.now)
        self._executor = Executor(
            hub,
            node_namespace(node),
            dispatches=dispatches,
            view=self._view,
            jobs=jobs,
            queue=queue,
            meter=meter,
            gates=IndexGates(member),
            contact=contact,
            on_created=on_created,
            on_doubt=self.look_at_all,
            on_fenced=lambda name: self._limits.add(name),  # noqa: PLW0108 - made below
            on_unheld=self._changed,
            clock=clocks.monotonic,
        )

        def about(name: str) -> dict[str, str]:
            return reference("Dispatch", {"namespace": node_namespace(node), "name": name})

        self._limits: WorkQueue[str] = WorkQueue(self._executor.tend, name=f"limits/{node}", about=about)
        self._queue: WorkQueue[str] = WorkQueue(
            self._executor.reconcile, name=f"agent/{node}", retry_limit_seconds=RETRY_LIMIT_SECONDS, about=about
        )
        self._ready = False

    def dispatch_changed(self, name: str) -> None:
        """The hub's watch showed a change of the Dispatch `name`, or its end."""
        dispatch = self._dispatches.get(name)
        if dispatch is not None and dispatch.spec.sequence > self._sequence.floor:
            self._counted.add(dispatch.spec.sequence)
        self._changed(name)
        self._dirty.set()

    def _changed(self, name: str, delay: float = 0.0) -> None:
        if self._ready:  # before the lists are in, what is missing proves nothing
            self._queue.add(name, delay)

    def _pod_changed(self, old: object, pod: object) -> None:
        self._hints.pod_changed(old, pod)
        self._meter.pod_changed(old, pod)

    def _linked(self, error: ClusterError | None) -> None:
        """A watch was lost; or all stand (again), and what waited for the member need not wait out its back-off."""
        if error is None:
            self.look_at_all()
        self._on_connection(error)

    def look_at_all(self) -> None:
        """Something that concerns all shards changed, but those of which nothing is to be done any more."""
        for name in {d.metadata["name"] for d in self._dispatches.awake()} | self._view.shards():
            if not self._executor.at_rest(name):
                self._changed(name)

    def link_error(self) -> ClusterError | None:
        """What keeps a watch on the member from standing, where one does not."""
        return self._view.link_error()

    async def run(self) -> None:
        """Watch the member, carry out Dispatches, publish profiles."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._view.run())
                await self._view.wait_synced()
                self._ready = True
                self.look_at_all()
                group.create_task(self._publish())
        finally:
            await self._limits.close()
            await self._queue.close()

    async def _publish(self) -> None:
        while True:
            self._dirty.clear()
            began = self._clocks.monotonic()
            self._on_profile(self._profile())
            await asyncio.sleep(pause_after(self._clocks.monotonic() - began))
            with suppress(TimeoutError):  # that a number will not come any more is news with no event of its own
                await asyncio.wait_for(self._dirty.wait(), self._sequence.seconds_left(self._clocks.monotonic()))

    def _profile(self) -> Profile:
        """The figures, less what each Dispatch that is here and has not ended is still to have, accepted or not.

        A hub that was restarted has forgotten what it assumed, and learns from the first profile what it had promised.
        """
        newest = [self._executor.current(d.metadata["name"]) or d for d in self._dispatches.live()]
        self._counted.update(d.spec.sequence for d in newest if d.spec.sequence > self._sequence.floor)
        visible = self._sequence.visible(self._counted, self._clocks.monotonic())
        self._counted = {sequence for sequence in self._counted if sequence > visible.sequence}
        return self._view.machines.profile(
            now=self._clocks.now(),
            expected=self._expectations.of([d for d in newest if d.status.state not in TERMINAL], self._view),
            sequence=visible.sequence,
            visible_beyond=visible.beyond,
        )
