"""Turns an assignment into a Dispatch: pins the job to the node, writes the Dispatch, and only then moves on."""

import asyncio
from decimal import ROUND_HALF_EVEN, Decimal

import msgspec
import structlog

from isthmus.api.computejob import Money
from isthmus.api.core import Manifest
from isthmus.api.dispatch import Dispatch, DispatchSpec, JobReference, TariffReference
from isthmus.api.names import (
    ANNOTATION_ASSIGNED,
    ANNOTATION_CLUSTER,
    ANNOTATION_PLACEMENT,
    API_VERSION,
    FINALIZER_DISPATCH,
    FINALIZER_JOB,
    LABEL_JOB_UID,
    node_namespace,
)
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
from isthmus.manifests import render
from isthmus.placement import Assignment

from .booking import Booking
from .dispatches import DispatchStore
from .fleet import Fleet
from .jobrecord import JobRecord
from .jobs import Jobs
from .nodenamespace import NamespaceGoing, ensure_node_namespace
from .scheduler import PIN_SECONDS

logger = structlog.get_logger(__name__)

_CENT = Decimal("0.0001")


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
        self._assigned: dict[str, tuple[Assignment, int]] = {}
        self._unsure: dict[str, float] = {}
        """When, on the loop's clock, a create was last sent of which nobody knows whether it is carried out."""
        self.queue: WorkQueue[str] = WorkQueue(self._dispatch, name="dispatcher", workers=64, retry_limit_seconds=5.0)

    def assigned(self, assignment: Assignment, sequence: int) -> None:
        """Placement gave a job to a node."""
        uid = assignment.demand.key
        record = self._jobs.get(uid)
        if record is None:
            self._fleet.forget(assignment.node, sequence)
            return
        record.dispatching = True
        self._assigned[uid] = (assignment, sequence)
        self.queue.add(uid)

    async def _dispatch(self, uid: str) -> float | None:
        assignment, sequence = self._assigned[uid]
        record = self._jobs.get(uid)
        try:
            if record is None or record.deleting or not await self._pin(record, assignment):
                self._give_up(uid, record)
                return None
            body = await self._create(record, assignment, sequence)
        except (Invalid, Forbidden, NotFound, NamespaceGoing) as error:
            if self._may_land(uid):
                raise
            # Definitely not written. The next try begins with a new placement.
            if record is not None:
                record.problem = ("DispatchFailed", f"no Dispatch could be written for {assignment.node}: {error}")
            if not isinstance(error, Invalid):
                self._fleet.hinder(assignment.node, "DispatchesRefused", f"no Dispatch can be written for it: {error}")
            logger.warning("Dispatch refused", job=assignment.demand.name, node=assignment.node, error=str(error))
            self._give_up(uid, record, again_seconds=5.0)
            return None
        except ClusterError as error:
            logger.info("Dispatch not known to be written, trying again", node=assignment.node, error=str(error))
            raise
        del self._assigned[uid]
        self._unsure.pop(uid, None)
        record.dispatching = False
        record.problem = None
        record.unplaced = None
        dispatch = Dispatch.model_validate(body)
        if dispatch.spec.sequence != sequence:  # written by a former process: no Dispatch will bear our number
            self._fleet.forget(assignment.node, sequence)
            self._fleet.assume(assignment.node, dispatch.spec.sequence, assignment.demand, assignment.width)
        self._dispatches.put(assignment.node, dispatch)
        self._jobs.queue.add(uid)
        return None

    def _may_land(self, uid: str) -> bool:
        """Whether a create whose answer never came may still be carried out: then no other node may have the job."""
        sent = self._unsure.get(uid)
        return sent is not None and asyncio.get_running_loop().time() - sent < PIN_SECONDS

    def _give_up(self, uid: str, record: JobRecord | None, again_seconds: float = 0.0) -> None:
        assignment, sequence = self._assigned.pop(uid)
        self._unsure.pop(uid, None)
        self._fleet.forget(assignment.node, sequence)
        if record is not None:
            record.dispatching = False
        self._jobs.queue.add(uid, again_seconds)

    async def _pin(self, record: JobRecord, assignment: Assignment) -> bool:
        """Write finalizer and chosen node on the job, on the version that was seen. False where it is gone or going."""
        attempt = assignment.demand.attempt
        namespace, name = record.key
        if record.uid not in self._unsure and _halted(record):
            return False
        while not (record.held and record.assigned == (attempt, assignment.node)):
            metadata = record.job.metadata
            finalizers = [*metadata.get("finalizers", ())]
            if FINALIZER_JOB not in finalizers:
                finalizers.append(FINALIZER_JOB)
            body = {
                "metadata": {
                    "uid": record.uid,
                    "resourceVersion": metadata["resourceVersion"],
                    "finalizers": finalizers,
                    "annotations": {ANNOTATION_ASSIGNED: f"{attempt} {assignment.node}"},
                }
            }
            try:
                self._jobs.learn(await self._hub.patch(COMPUTEJOBS, name, namespace, body))
            except (Conflict, NotFound):
                if not await self._jobs.still_there(record):
                    return False
            if _halted(record):
                return False
        return True

    async def _create(self, record: JobRecord, assignment: Assignment, sequence: int) -> Manifest:
        """Write the Dispatch, or take up the one that an earlier try wrote."""
        manifest = self._manifest(record, assignment, sequence, await self._tariff(assignment.node))
        try:
            return await self._write(record.uid, manifest)
        except NotFound:
            # Somebody deleted the node's namespace.
            await ensure_node_namespace(self._hub, assignment.node)
            return await self._write(record.uid, manifest)
        except AlreadyExists:
            name, namespace = manifest["metadata"]["name"], manifest["metadata"]["namespace"]
            return await self._hub.get(DISPATCHES, name, namespace)

    async def _write(self, uid: str, manifest: Manifest) -> Manifest:
        try:
            return await self._hub.create(DISPATCHES, manifest, manifest["metadata"]["namespace"])
        except (Invalid, Forbidden, NotFound, AlreadyExists):
            raise
        except ClusterError:
            self._unsure[uid] = asyncio.get_running_loop().time()
            raise

    async def _tariff(self, node: str) -> TariffReference | None:
        known = self._fleet.get(node)
        if known is None:
            raise NotFound(404, "NodeGone", f"ComputeNode {node} is gone")
        spec = known.node.spec
        if spec.tariff is None:
            return None
        digest = await self._booking.record_tariff(spec.tariff, node, spec.identity)
        return TariffReference(version=spec.tariff.version, digest=digest)

    def _manifest(
        self, record: JobRecord, assignment: Assignment, sequence: int, tariff: TariffReference | None
    ) -> Manifest:
        demand = assignment.demand
        namespace, name = record.key
        job = render(
            record.job,
            hub_uid=self._hub_uid,
            node=assignment.node,
            shard=0,
            attempt=demand.attempt,
            affinity=assignment.affinity,
            suspend=False,
        )
        spec = DispatchSpec(
            job=JobReference(namespace=namespace, name=name, uid=record.uid),
            account=demand.account,
            shard=0,
            attempt=demand.attempt,
            sequence=sequence,
            tariff=tariff,
            manifest=job,
        )
        return {
            "apiVersion": API_VERSION,
            "kind": "Dispatch",
            "metadata": {
                "name": job["metadata"]["name"],
                "namespace": node_namespace(assignment.node),
                "labels": {LABEL_JOB_UID: record.uid},
                "annotations": {
                    ANNOTATION_PLACEMENT: _placement(assignment),
                    ANNOTATION_CLUSTER: self._fleet.cluster_uid(assignment.node),
                },
                "finalizers": [FINALIZER_DISPATCH],
            },
            "spec": spec.to_manifest(),
        }


def _halted(record: JobRecord) -> bool:
    """Whether the job is not to be run now, or never again."""
    return record.deleting or record.job.spec.suspend or record.job.spec.cancel


def _placement(assignment: Assignment) -> str:
    estimate = assignment.estimate_per_hour
    money = None
    if estimate is not None:
        amount = estimate.quantize(_CENT, ROUND_HALF_EVEN)
        money = Money(amount=f"{amount:f}", currency=assignment.currency).to_manifest()
    content = {"explanation": assignment.explanation.to_manifest(), "estimate": money}
    return msgspec.json.encode(content).decode()
