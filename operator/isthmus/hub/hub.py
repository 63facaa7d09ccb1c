"""The hub put together: its stores, loops and reconcilers, and who tells whom of what."""

import asyncio
from collections.abc import Coroutine, Iterator
from functools import partial
from typing import Any

import structlog

from isthmus.agent import Clocks
from isthmus.agent.contact import Contacts
from isthmus.api.accounts import AccountsConfig
from isthmus.api.core import Manifest
from isthmus.api.dispatch import Dispatch
from isthmus.capacity import AcceleratorTable
from isthmus.clusters import (
    COMPUTENODES,
    Client,
    ClusterError,
    Informer,
    Listing,
    Traffic,
    WorkQueue,
)
from isthmus.ledger import Ledger

from .accounts import Accounts
from .accountsfile import AccountsFile
from .admission import TemplateJudge
from .booking import Booking
from .dispatcher import Dispatcher
from .dispatches import DispatchStore
from .events import EventWriter
from .fencing import Fencing
from .fleet import Fleet
from .instruments import Instruments
from .jobs import Jobs
from .jobwatch import JobWatch
from .latetime import repeated
from .nodes import Nodes
from .permissions import Permissions
from .query.assembly import query_api
from .recall import recall
from .scheduler import Scheduler
from .secrets import SecretStore
from .settings import HubSettings
from .settlements import Settlements
from .vital import vitals_of

logger = structlog.get_logger(__name__)


class Hub:
    """Everything of the hub but kopf, which feeds `nodes` and `settlements`."""

    def __init__(
        self,
        settings: HubSettings,
        client: Client,
        hub_uid: str,
        *,
        ledger: Ledger,
        permissions: Permissions,
        clocks: Clocks,
        instruments: Instruments,
        asking: Client | None = None,
        accounts_file: AccountsFile | None = None,
    ) -> None:
        self.began = False
        """Whether all lists are in that decisions rest on, and the loops run."""
        self.tasks: list[asyncio.Task[None]] = []
        """The loops; none ends while the hub runs."""
        self.permissions = permissions
        self._client = client
        self._asking = asking
        self.dispatches = DispatchStore(
            client,
            self._dispatch_changed,
            partial(self._linked, "Dispatches"),
            lambda node, dispatch: self.fleet.accounting.recall(node, dispatch, clocks.now()),
        )
        self.accounts = Accounts(client, partial(self._linked, "namespaces"))
        self.events = EventWriter(client, clocks.now, hub_uid)
        self.booking = Booking(
            ledger, settings.currency, self._booked, self._repeated, monotonic=clocks.monotonic, instruments=instruments
        )
        self.accelerators = AcceleratorTable.default().extended(settings.accelerators)
        self.fleet = Fleet(
            settings.currency,
            self.dispatches.node,
            clocks.monotonic,
            now=clocks.now,
            accelerators=self.accelerators,
        )
        self.accounts_file = accounts_file
        if accounts_file is not None:
            self.fleet.accounting.configure(accounts_file.config)
        self.scheduler = Scheduler(
            self.fleet,
            now=clocks.now,
            monotonic=clocks.monotonic,
            on_assigned=lambda assignments: self.dispatcher.assigned(assignments),  # noqa: PLW0108 - made below
            on_unplaced=lambda uid, verdict: self.jobs.unplaced(uid, verdict),  # noqa: PLW0108 - made below
            instruments=instruments,
        )
        self.contacts = Contacts(clocks.monotonic)
        self.fencing = Fencing(
            client,
            dispatches=self.dispatches,
            fleet=self.fleet,
            contacts=self.contacts,
            clocks=clocks,
            look=lambda node: self.nodes.look(node),  # noqa: PLW0108 - made below
        )
        self.jobs = Jobs(
            client,
            dispatches=self.dispatches,
            fleet=self.fleet,
            scheduler=self.scheduler,
            judge=TemplateJudge(client, settings.system_namespace),
            booking=self.booking,
            fencing=self.fencing,
            events=self.events,
            account_of=self.accounts.of,
            now=clocks.now,
            monotonic=clocks.monotonic,
            instruments=instruments,
        )
        self._job_watch = JobWatch(client, self.jobs.observed, partial(self._linked, "the ComputeJobs"))
        self.dispatcher = Dispatcher(
            client,
            hub_uid,
            jobs=self.jobs,
            dispatches=self.dispatches,
            fleet=self.fleet,
            booking=self.booking,
        )
        self.settlements = Settlements(
            client,
            self.booking,
            self.events,
            currency=settings.currency,
            account_of=self.accounts.of,
            now=clocks.now,
        )
        self.nodes = Nodes(
            client,
            self.fleet,
            self.events,
            currency=settings.currency,
            clocks=clocks,
            on_room=self.scheduler.wake,
            on_reachability=self._reachability_changed,
        )
        self.query = query_api(
            settings,
            client,
            hub_uid,
            asking=asking or client,
            dispatches=self.dispatches,
            fleet=self.fleet,
            scheduler=self.scheduler,
            account_of=self.accounts.of,
            member_of=self.nodes.member,
            now=clocks.now,
        )
        self.secrets = SecretStore(
            client,
            settings.system_namespace,
            self.nodes.secret_changed,
            partial(self._linked, "its Secrets"),
        )
        self.vitals = vitals_of(self._reach, self.booking, clocks.monotonic)

    async def run(self, ready: asyncio.Event) -> None:
        """Run all loops until cancelled; `ready` is set once the lists are in that decisions rest on."""
        try:
            async with asyncio.TaskGroup() as group:
                self._start(group, "watch on Dispatches", self.dispatches.informer.run())
                self._start(group, "watch on namespaces", self.accounts.informer.run())
                self._start(group, "watch on Secrets", self.secrets.informer.run())
                await self.dispatches.informer.wait_synced()
                await self.accounts.informer.wait_synced()
                await self.secrets.informer.wait_synced()
                self._start(group, "watch on ComputeJobs", self._job_watch.informer.run())
                await self._job_watch.informer.wait_synced()
                await recall(self.dispatches, self.jobs, self.booking)
                self._start(group, "booking", self.booking.run())
                self._start(group, "writing of events", self.events.run())
                self._start(group, "scheduling", self.scheduler.run())
                self._start(group, "review of permissions", self.permissions.run())
                for vital in self.vitals:
                    self._start(group, "vital signs", vital.run())
                if self.accounts_file is not None:
                    self._start(group, "watch on the accounts' file", self.accounts_file.follow(self._accounts_changed))
                if self.query is not None:
                    self._start(group, "query API", self.query.run())
                self.began = True
                ready.set()
                logger.info("hub ready")
        finally:
            await self._close()

    def informers(self) -> Iterator[tuple[str, Informer[Any]]]:
        """The watches on the hub's own API, each with what it is on."""
        yield "ComputeJobs", self._job_watch.informer
        yield "Dispatches", self.dispatches.informer
        yield "namespaces", self.accounts.informer
        yield "Secrets", self.secrets.informer

    @property
    def traffic(self) -> Traffic:
        """What the hub's own API was asked."""
        return self._client.traffic

    def queues(self) -> Iterator[WorkQueue[str]]:
        """The work queues of the hub's reconcilers; those of agents have names of nodes."""
        yield from (self.jobs.queue, self.jobs.preemptor.queue, self.dispatcher.queue, self.nodes.queue)
        yield self.settlements.queue

    async def _reach(self) -> None:
        """Return once the hub's API has answered. Nodes that were deleted before a watch showed them are forgotten."""
        await self._client.probe()
        if self.fleet.unseen():
            self.fleet.still_there(await node_names(self._client))

    def _start(self, group: asyncio.TaskGroup, name: str, loop: Coroutine[None, None, None]) -> None:
        self.tasks.append(group.create_task(loop, name=name))

    async def _close(self) -> None:
        for queue in (self.dispatcher.queue, self.jobs.preemptor.queue, self.jobs.queue, self.settlements.queue):
            await queue.close()
        await self.nodes.close()
        await asyncio.to_thread(self.booking.close)
        if self._asking is not None:
            await self._asking.close()
        await self._client.close()

    def _linked(self, what: str, error: ClusterError | None) -> None:
        """A watch on the hub's own API was lost, or stands."""
        if error is not None:
            logger.warning("the hub's API can't be followed", what=what, reason=error.reason, error=str(error))

    def _dispatch_changed(self, node: str, dispatch: Dispatch, gone: bool) -> None:
        if gone:
            self.booking.forget(dispatch, job_gone=not self.dispatches.places(dispatch.spec.job.uid))
        else:
            self.booking.offer(node, dispatch)
            self.fleet.accounting.observed(node, dispatch)
        self.nodes.dispatch_changed(node, dispatch, gone=gone)
        self.jobs.preemptor.observed(dispatch, gone=gone)
        self.jobs.dispatch_changed(dispatch)

    def _accounts_changed(self, config: AccountsConfig) -> None:
        self.fleet.accounting.configure(config)
        self.scheduler.wake()

    def _booked(self, job_uid: str, account: str) -> None:
        self.jobs.booked(job_uid)
        self.settlements.booked(account)

    def _repeated(self, dispatch: Dispatch) -> bool:
        """Whether another shard does again what came to light late in this one. Of a job that is gone nobody knows."""
        uid = dispatch.spec.job.uid
        record, pin = self.jobs.store.get(uid), self.jobs.store.pin(uid)
        others = [other for _, other in self.dispatches.of_job(uid)]
        return not pin[0] or (record is not None and record.dispatching) or repeated(dispatch, others, pin)

    def _reachability_changed(self, node: str) -> None:
        for dispatch in self.dispatches.node(node).awake():
            self.jobs.queue.add(dispatch.spec.job.uid)


async def node_names(client: Client) -> set[str]:
    """The names of all ComputeNodes that there are."""
    nodes: Listing[Manifest] = await client.list(COMPUTENODES)
    return {node["metadata"]["name"] for node in nodes.items}
