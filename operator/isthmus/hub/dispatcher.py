"""Turns an assignment into a Dispatch: pins the job to the node, writes the Dispatch, and only then moves on."""

from decimal import ROUND_HALF_EVEN, Decimal

import msgspec
import structlog

from isthmus.api.computejob import Money
from isthmus.api.core import Manifest
from isthmus.api.dispatch import Dispatch, DispatchSpec, JobReference, TariffReference
from isthmus.api.names import (
    ANNOTATION_ASSIGNED,
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
from .nodenamespace import ensure_node_namespace

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
        self.queue: WorkQueue[str] = WorkQueue(self._dispatch, name="dispatcher", workers=64)

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
        except (Invalid, Forbidden, NotFound) as error:
            # Definitely not written. The next try begins with a new placement.
            if record is not None:
                record.problem = ("DispatchFailed", f"no Dispatch could be written for {assignment.node}: {error}")
            logger.warning("Dispatch refused", job=assignment.demand.name, node=assignment.node, error=str(error))
            self._give_up(uid, record, again_seconds=5.0)
            return None
        except ClusterError as error:
            logger.info("Dispatch not known to be written, trying again", node=assignment.node, error=str(error))
            raise
        del self._assigned[uid]
        record.dispatching = False
        record.problem = None
        record.unplaced = None
        self._dispatches.put(assignment.node, Dispatch.model_validate(body))
        self._jobs.queue.add(uid)
        return None

    def _give_up(self, uid: str, record: JobRecord | None, again_seconds: float = 0.0) -> None:
        assignment, sequence = self._assigned.pop(uid)
        self._fleet.forget(assignment.node, sequence)
        if record is not None:
            record.dispatching = False
        self._jobs.queue.add(uid, again_seconds)

    async def _pin(self, record: JobRecord, assignment: Assignment) -> bool:
        """Write finalizer and chosen node on the job, on the version that was seen. False where it is gone or going."""
        attempt = assignment.demand.attempt
        namespace, name = record.key
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
            spec = record.job.spec
            if record.deleting or spec.suspend or spec.cancel:
                return False
        return True

    async def _create(self, record: JobRecord, assignment: Assignment, sequence: int) -> Manifest:
        """Write the Dispatch, or take up the one that an earlier try wrote."""
        manifest = self._manifest(record, assignment, sequence, await self._tariff(assignment.node))
        namespace, name = node_namespace(assignment.node), manifest["metadata"]["name"]
        try:
            return await self._hub.create(DISPATCHES, manifest, namespace)
        except NotFound:
            # Somebody deleted the node's namespace.
            await ensure_node_namespace(self._hub, assignment.node)
            return await self._hub.create(DISPATCHES, manifest, namespace)
        except AlreadyExists:
            return await self._hub.get(DISPATCHES, name, namespace)

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
                "annotations": {ANNOTATION_PLACEMENT: _placement(assignment)},
                "finalizers": [FINALIZER_DISPATCH],
            },
            "spec": spec.to_manifest(),
        }


def _placement(assignment: Assignment) -> str:
    estimate = assignment.estimate_per_hour
    money = None
    if estimate is not None:
        amount = estimate.quantize(_CENT, ROUND_HALF_EVEN)
        money = Money(amount=f"{amount:f}", currency=assignment.currency).to_manifest()
    content = {"explanation": assignment.explanation.to_manifest(), "estimate": money}
    return msgspec.json.encode(content).decode()
