"""Turns what placement decided into Dispatches: pins the job to its nodes, writes them, and only then moves on."""

import asyncio
from collections.abc import Sequence

import structlog

from isthmus.agent.sequence import GAP_SECONDS
from isthmus.api.core import Manifest
from isthmus.api.dispatch import Dispatch, TariffReference
from isthmus.api.names import ANNOTATION_ASSIGNED, FINALIZER_JOB
from isthmus.api.offer import Offer
from isthmus.clusters import (
    COMPUTEJOBS,
    DISPATCHES,
    AlreadyExists,
    ClusterError,
    Conflict,
    Forbidden,
    Invalid,
    KubernetesApi,
    NotFound,
    WorkQueue,
)
from isthmus.placement import Assignment

from .booking import Booking
from .dispatches import DispatchStore
from .dispatchmanifest import dispatch_manifest
from .fleet import Fleet
from .jobrecord import JobRecord
from .jobs import Jobs
from .nodenamespace import NamespaceGoing, ensure_node_namespace
from .orders import Order, order_of
from .parcels import Parcel
from .progress import progress_of
from .scheduler import PIN_SECONDS

logger = structlog.get_logger(__name__)

# A number that is written later than this after it was given out gets another first: the agent takes it for one that
# will not come after GAP_SECONDS (isthmus.agent.sequence), and a try and the pause after it may last half of that.
RENUMBER_SECONDS = GAP_SECONDS / 3


class Dispatcher:
    """Writes Dispatches. A write whose outcome is unknown is repeated for the same node until it is known."""

    def __init__(
        self,
        hub: KubernetesApi,
        hub_uid: str,
        *,
        jobs: Jobs,
        dispatches: DispatchStore,
        fleet: Fleet,
        booking: Booking,
    ) -> None:
        self._hub = hub
        self._hub_uid = hub_uid
        self._jobs = jobs
        self._dispatches = dispatches
        self._fleet = fleet
        self._booking = booking
        self._orders: dict[str, Order] = {}
        self.queue: WorkQueue[str] = WorkQueue(
            self._dispatch, name="dispatcher", workers=64, retry_limit_seconds=5.0, about=jobs.about
        )

    def assigned(self, assignments: Sequence[tuple[Assignment, int]]) -> None:
        """Placement gave a job, or parts of it, to nodes; each comes with the sequence of its Dispatch."""
        demand = assignments[0][0].demand
        record = self._jobs.store.get(demand.key)
        order = self._order(record, assignments) if record is not None else None
        parcels = order.parcels if order is not None else []
        chosen = {parcel.sequence for parcel in parcels}
        for assignment, sequence in assignments:
            if sequence not in chosen:
                self._fleet.forget(assignment.node, sequence)
        if record is None:
            return
        if order is None or not parcels:
            self._jobs.queue.add(record.uid)
            return
        record.dispatching = True
        self._orders[record.uid] = order
        self.queue.add(record.uid)

    def _order(self, record: JobRecord, assignments: Sequence[tuple[Assignment, int]]) -> Order:
        dispatches = self._dispatches.of_job(record.uid)
        return order_of(record, dispatches, assignments, self._fleet, asyncio.get_running_loop().time())

    async def _dispatch(self, uid: str) -> float | None:
        order = self._orders[uid]
        record = self._jobs.store.get(uid)
        for parcel in order.parcels:
            self._keep_number_fresh(parcel)
        try:
            if record is None or record.deleting or not await self._pin(record, order):
                self._close(uid, record, order)
                return None
        except (Invalid, Forbidden, NotFound) as error:
            if any(map(_may_land, order.parcels)):
                raise
            record.problem = ("DispatchFailed", f"the chosen node can't be written on the job: {error}")  # type: ignore[union-attr]  # only the pin raises
            self._close(uid, record, order, again_seconds=5.0)
            return None
        for parcel in order.overtaken(record.work, progress_of(record.work, self._dispatches.of_job(uid))):
            self._forget(order, parcel)
        sent = await asyncio.gather(
            *(self._send(record, order, parcel) for parcel in list(order.parcels)), return_exceptions=True
        )
        for outcome in sent:
            if isinstance(outcome, BaseException):
                raise outcome
        refused = any(sent)
        if not refused:
            record.problem, record.unplaced = None, None
            if sent:
                self._jobs.latency.written(record, order.attempt)
        self._close(uid, record, order, again_seconds=5.0 if refused else 0.0)
        return None

    async def _send(self, record: JobRecord, order: Order, parcel: Parcel) -> bool:
        """Write one Dispatch. Whether it was refused for good; raises ClusterError where that is not known."""
        try:
            body = await self._create(record, order, parcel)
        except (Invalid, Forbidden, NotFound, NamespaceGoing) as error:
            if _may_land(parcel):
                raise
            # Definitely not written. The next try begins with a new placement.
            record.problem = ("DispatchFailed", f"no Dispatch could be written for {parcel.node}: {error}")
            if not isinstance(error, Invalid):
                self._fleet.hinder(parcel.node, "DispatchesRefused", f"no Dispatch can be written for it: {error}")
            logger.warning("Dispatch refused", **record.reference, node=parcel.node, error=str(error))
            self._forget(order, parcel)
            return True
        except ClusterError as error:
            about = {**record.reference, "node": parcel.node}
            logger.info("Dispatch not known to be written, trying again", **about, error=str(error))
            raise
        order.parcels.remove(parcel)
        dispatch = Dispatch.model_validate(body)
        if dispatch.spec.sequence != parcel.sequence:  # written by a former process: no Dispatch will bear our number
            self._fleet.forget(parcel.node, parcel.sequence)
            assignment = parcel.assignment
            sequence = dispatch.spec.sequence
            self._fleet.assume(parcel.node, sequence, assignment.demand, assignment.width, assignment.holding)
            self._fleet.accounting.observed(parcel.node, dispatch)
        self._dispatches.put(parcel.node, dispatch)
        return False

    def _keep_number_fresh(self, parcel: Parcel) -> None:
        now = asyncio.get_running_loop().time()
        if now - parcel.numbered_at > RENUMBER_SECONDS and self._fleet.get(parcel.node) is not None:
            given = parcel.assignment
            parcel.sequence = self._fleet.renumber(
                parcel.node, parcel.sequence, given.demand, given.width, given.holding
            )
            parcel.numbered_at = now

    def _close(self, uid: str, record: JobRecord | None, order: Order, again_seconds: float = 0.0) -> None:
        """The attempt is written, as far as it will be."""
        del self._orders[uid]
        for parcel in list(order.parcels):
            self._forget(order, parcel)
        if record is not None:
            record.dispatching = False
        self._jobs.queue.add(uid, again_seconds)

    def _forget(self, order: Order, parcel: Parcel) -> None:
        order.parcels.remove(parcel)
        self._fleet.forget(parcel.node, parcel.sequence)

    async def _pin(self, record: JobRecord, order: Order) -> bool:
        """Write finalizer and nodes on the job, on the version that was seen. False where it is gone or going."""
        namespace, name = record.key
        if not any(parcel.sent_at is not None for parcel in order.parcels) and record.halted:
            return False
        while not (record.held and record.assigned == (order.attempt, order.nodes)):
            metadata = record.job.metadata
            finalizers = [*metadata.get("finalizers", ())]
            if FINALIZER_JOB not in finalizers:
                finalizers.append(FINALIZER_JOB)
            body = {
                "metadata": {
                    "uid": record.uid,
                    "resourceVersion": metadata["resourceVersion"],
                    "finalizers": finalizers,
                    "annotations": {ANNOTATION_ASSIGNED: " ".join((str(order.attempt), *order.nodes))},
                }
            }
            try:
                self._jobs.store.learn(await self._hub.patch(COMPUTEJOBS, name, namespace, body))
            except (Conflict, NotFound):
                if not await self._jobs.store.still_there(record):
                    return False
            if record.halted:
                return False
        return True

    async def _create(self, record: JobRecord, order: Order, parcel: Parcel) -> Manifest:
        """Write the Dispatch, or take up the one that an earlier try wrote."""
        manifest = dispatch_manifest(
            record.job,
            parcel,
            attempt=order.attempt,
            hub_uid=self._hub_uid,
            cluster_uid=self._fleet.cluster_uid(parcel.node),
            tariff=await self._tariff(parcel.node),
            offer=self._offer(parcel.node),
            hint=self._fleet.hint(parcel.node, parcel.assignment.demand),
        )
        try:
            return await self._write(parcel, manifest)
        except NotFound:
            # Somebody deleted the node's namespace.
            await ensure_node_namespace(self._hub, parcel.node)
            return await self._write(parcel, manifest)
        except AlreadyExists:
            name, namespace = manifest["metadata"]["name"], manifest["metadata"]["namespace"]
            return await self._hub.get(DISPATCHES, name, namespace)

    async def _write(self, parcel: Parcel, manifest: Manifest) -> Manifest:
        try:
            return await self._hub.create(DISPATCHES, manifest, manifest["metadata"]["namespace"])
        except (Invalid, Forbidden, NotFound, AlreadyExists):
            raise
        except ClusterError:
            parcel.sent_at = asyncio.get_running_loop().time()
            raise

    def _offer(self, node: str) -> Offer | None:
        known = self._fleet.get(node)
        return known.node.spec.offer if known is not None else None

    async def _tariff(self, node: str) -> TariffReference | None:
        known = self._fleet.get(node)
        if known is None:
            raise NotFound(404, "NodeGone", f"ComputeNode {node} is gone")
        spec = known.node.spec
        if spec.tariff is None:
            return None
        digest = await self._booking.record_tariff(spec.tariff, node, spec.identity)
        return TariffReference(version=spec.tariff.version, digest=digest)


def _may_land(parcel: Parcel) -> bool:
    """Whether a create whose answer never came may still be carried out: then no other node may have its part."""
    sent = parcel.sent_at
    return sent is not None and asyncio.get_running_loop().time() - sent < PIN_SECONDS
