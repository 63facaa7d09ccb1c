"""The hub put together: its stores, loops and reconcilers, and who tells whom of what."""

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Self

import structlog

from isthmus.agent import Clocks
from isthmus.agent.contact import Contacts
from isthmus.api.core import Manifest
from isthmus.api.dispatch import Dispatch
from isthmus.capacity import AcceleratorTable
from isthmus.clusters import (
    COMPUTEJOBS,
    COMPUTENODES,
    DISPATCHES,
    NAMESPACES,
    SETTLEMENTS,
    Client,
    ClusterError,
    Credentials,
    Forbidden,
    Listing,
    NotFound,
    UnexpectedAnswer,
)
from isthmus.errors import HubError
from isthmus.ledger import Ledger

from .accounts import Accounts
from .admission import TemplateJudge
from .booking import Booking
from .dispatcher import Dispatcher
from .dispatches import DispatchStore
from .events import EventWriter
from .fencing import Fencing
from .fleet import Fleet
from .jobs import Jobs
from .jobwatch import JobWatch
from .latetime import repeated
from .nodenamespace import node_namespace_stands
from .nodes import Nodes
from .query.explanations import Explanations
from .query.jobs import JobReader
from .query.logs import Logs
from .query.queryapi import QueryApi
from .scheduler import Scheduler
from .secrets import SecretStore
from .session import Surroundings
from .settings import HubSettings
from .settlements import Settlements
from .tombstone import Tombstone

logger = structlog.get_logger(__name__)

# No API server answers the sooner for more requests at once, and each of them holds a connection of its own.
CONCURRENCY = 48


class Hub:
    """Everything of the hub but kopf, which feeds `nodes` and `settlements`."""

    def __init__(self, settings: HubSettings, client: Client, hub_uid: str, ledger: Ledger, clocks: Clocks) -> None:
        self._client = client
        self._refused: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.dispatches = DispatchStore(client, self._dispatch_changed, partial(self._linked, "Dispatches"))
        self.accounts = Accounts(client, partial(self._linked, "namespaces"))
        self.events = EventWriter(client, clocks.now, hub_uid)
        self.booking = Booking(ledger, settings.currency, self._booked, self._repeated)
        self.fleet = Fleet(settings.currency, self.dispatches.node, clocks.monotonic)
        self.scheduler = Scheduler(
            self.fleet,
            now=clocks.now,
            monotonic=clocks.monotonic,
            on_assigned=lambda assignments: self.dispatcher.assigned(assignments),  # noqa: PLW0108 - made below
            on_unplaced=lambda uid, verdict: self.jobs.unplaced(uid, verdict),  # noqa: PLW0108 - made below
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
        self.query = _query(settings, self, client, hub_uid, clocks)
        self.secrets = SecretStore(
            client,
            settings.system_namespace,
            self.nodes.secret_changed,
            partial(self._linked, "its Secrets"),
        )

    @classmethod
    async def open(cls, settings: HubSettings, credentials: Credentials) -> Self:
        """Reach the hub's API, open the ledger, and make ready. Raises ClusterError, LedgerError, HubError."""
        client = await Client.connect(credentials, name="hub", concurrency=CONCURRENCY)
        try:
            hub_uid = (await client.get(NAMESPACES, "kube-system"))["metadata"]["uid"]
            await _kinds_served(client)
            nodes: Listing[Manifest] = await client.list(COMPUTENODES)
            clocks = Clocks.system()
            ledger = await asyncio.to_thread(Ledger.open, settings.ledger)
        except BaseException:
            await client.close()
            raise
        hub = cls(settings, client, hub_uid, ledger, clocks)
        hub.fleet.expect(node["metadata"]["name"] for node in nodes.items)
        hub.nodes.begin(
            Surroundings(
                hub=client,
                hub_uid=hub_uid,
                credentials=credentials,
                system_namespace=settings.system_namespace,
                dispatches=hub.dispatches,
                accelerators=AcceleratorTable.default().extended(settings.accelerators),
                clocks=clocks,
                allow_exec=settings.allow_exec,
                secret=hub.secrets.get,
                has_namespace=partial(node_namespace_stands, hub.accounts.namespace),
                misfit=hub.nodes.misfit,
                contacts=hub.contacts,
                changed=hub.nodes.changed,
                profiled=hub.nodes.profiled,
                lost_sight=hub.fleet.lost_sight,
            )
        )
        return hub

    async def run(self, ready: asyncio.Event) -> None:
        """Run all loops until cancelled; `ready` is set once the lists are in that decisions rest on."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.dispatches.informer.run())
                group.create_task(self.accounts.informer.run())
                group.create_task(self.secrets.informer.run())
                for synced in (
                    self.dispatches.informer.wait_synced(),
                    self.accounts.informer.wait_synced(),
                    self.secrets.informer.wait_synced(),
                ):
                    await self._or_refused(synced)
                group.create_task(self._job_watch.informer.run())
                await self._or_refused(self._job_watch.informer.wait_synced())
                await self._recall()
                group.create_task(self.booking.run())
                group.create_task(self.events.run())
                group.create_task(self.scheduler.run())
                if self.query is not None:
                    group.create_task(self.query.run())
                ready.set()
                logger.info("hub ready")
        finally:
            await self._close()

    async def _recall(self) -> None:
        """Have all readings booked that are not; of jobs that have ended few have any.

        The status of those that were booked last is looked at: the former process may have stopped before it told.
        """
        resting: list[tuple[str, Tombstone]] = []
        for uid in self.dispatches.job_uids():
            if self.jobs.store.ended(uid) is None:
                for node, dispatch in self.dispatches.of_job(uid):
                    self.booking.offer(node, dispatch)
                self.jobs.queue.add(uid)  # that of a job that is gone, no watch will show
                continue
            for node, name in self.dispatches.places(uid):
                tombstone = self.dispatches.node(node).tombstone(name)
                if tombstone is not None:
                    resting.append((node, tombstone))
                else:
                    self.booking.offer(node, self.dispatches.node(node).wake(name))
        await self.booking.recall(tombstone.uid for _, tombstone in resting)
        for node, tombstone in resting:
            if tombstone.reading and not self.booking.has_booked(tombstone.uid, tombstone.reading):
                self.booking.offer(node, tombstone.dispatch())
        for uid in await self.booking.recall_costs(self.dispatches.job_uids()):
            self.jobs.booked(uid)

    async def _close(self) -> None:
        for queue in (self.dispatcher.queue, self.jobs.queue, self.settlements.queue):
            await queue.close()
        await self.nodes.close()
        await asyncio.to_thread(self.booking.close)
        await self._client.close()

    def _linked(self, what: str, error: ClusterError | None) -> None:
        """A watch on the hub's own API was lost, or stands."""
        if error is None:
            return
        logger.warning("the hub's API can't be followed", what=what, reason=error.reason, error=str(error))
        if isinstance(error, Forbidden) and not self._refused.done():
            self._refused.set_exception(
                HubError(f"the hub may not read {what}: {error.message}", "give it the roles of deploy/hub.yaml")
            )
            self._refused.exception()  # it is looked at only while the hub begins

    async def _or_refused(self, synced: Coroutine[None, None, None]) -> None:
        """Wait for a first list, or raise HubError where the hub may not read it."""
        waiting = asyncio.ensure_future(synced)
        try:
            await asyncio.wait({waiting, self._refused}, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                self._refused.result()
        finally:
            waiting.cancel()

    def _dispatch_changed(self, node: str, dispatch: Dispatch, gone: bool) -> None:
        if gone:
            self.booking.forget(dispatch, job_gone=not self.dispatches.places(dispatch.spec.job.uid))
        else:
            self.booking.offer(node, dispatch)
        self.nodes.dispatch_changed(node, dispatch, gone=gone)
        self.jobs.dispatch_changed(dispatch)

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


def _query(settings: HubSettings, hub: Hub, client: Client, hub_uid: str, clocks: Clocks) -> QueryApi | None:
    """The query API over the hub's stores, where one is to be served."""
    if settings.query is None:
        return None
    jobs = JobReader(client)
    explanations = Explanations(
        jobs,
        dispatches=hub.dispatches,
        fleet=hub.fleet,
        scheduler=hub.scheduler,
        account_of=hub.accounts.of,
        now=clocks.now,
    )
    logs = Logs(jobs, hub_uid=hub_uid, dispatches=hub.dispatches, member_of=hub.nodes.member)
    return QueryApi(
        client,
        {"explanation": explanations.answer, "log": logs.answer},
        address=settings.query,
        service=settings.query_service,
        namespace=settings.system_namespace,
        now=clocks.now,
    )


async def _kinds_served(client: Client) -> None:
    """Return once the API serves our kinds. Just after installation it asks for patience, which kopf would log."""
    for resource in (COMPUTEJOBS, DISPATCHES, SETTLEMENTS):
        try:
            await client.get(resource, "none", "default")
        except NotFound:
            continue
        except UnexpectedAnswer as error:
            raise HubError(
                f"the hub's API serves no {resource.kind}s", "install the CRDs first: kubectl apply -f crds/"
            ) from error
