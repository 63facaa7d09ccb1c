"""A parcel as the Dispatch that is written for it. Pure."""

from decimal import Decimal

import msgspec

from isthmus.api import dispatch as api
from isthmus.api.computejob import ComputeJob, Money
from isthmus.api.core import Manifest
from isthmus.api.dispatch import DispatchSpec, JobReference, TariffReference
from isthmus.api.names import (
    ANNOTATION_CLUSTER,
    ANNOTATION_HOLDING,
    ANNOTATION_PLACEMENT,
    API_VERSION,
    FINALIZER_DISPATCH,
    LABEL_JOB_UID,
    node_namespace,
)
from isthmus.api.offer import Offer
from isthmus.api.quantities import texts
from isthmus.manifests import render
from isthmus.placement import Assignment, ShapeHint
from isthmus.settlement.money import ROUNDING

from .accounting import holding_text
from .parcels import Parcel

_CENT = Decimal("0.0001")


def dispatch_manifest(
    job: ComputeJob,
    parcel: Parcel,
    *,
    attempt: int,
    hub_uid: str,
    cluster_uid: str,
    tariff: TariffReference | None,
    offer: Offer | None = None,
    hint: ShapeHint | None = None,
) -> Manifest:
    """The Dispatch with the rendered Job in it; `cluster_uid` is of the cluster that it is written for.

    `offer` is the node's, which may have labels and a scheduler for the Job; `hint` a machine that would suit its pods.
    """
    uid = str(job.metadata["uid"])
    rendered = render(
        job,
        hub_uid=hub_uid,
        node=parcel.node,
        shard=parcel.shard,
        attempt=attempt,
        affinity=parcel.assignment.affinity,
        suspend=False,
        piece=parcel.piece,
        variant=parcel.assignment.variant,
        labels=offer.labels if offer is not None else None,
        scheduler_name=offer.scheduler_name if offer is not None else None,
    )
    spec = DispatchSpec(
        job=JobReference(namespace=job.metadata["namespace"], name=job.metadata["name"], uid=uid),
        account=parcel.assignment.demand.account,
        shard=parcel.shard,
        attempt=attempt,
        sequence=parcel.sequence,
        tariff=tariff,
        indexes=parcel.indexes.encoded() if parcel.indexes is not None else None,
        fence=parcel.fence,
        variant=parcel.assignment.variant,
        hint=None if hint is None else api.ShapeHint(allocatable=texts(hint.allocatable), free=texts(hint.free)),
        manifest=rendered,
    )
    return {
        "apiVersion": API_VERSION,
        "kind": "Dispatch",
        "metadata": {
            "name": rendered["metadata"]["name"],
            "namespace": node_namespace(parcel.node),
            "labels": {LABEL_JOB_UID: uid},
            "annotations": {
                ANNOTATION_PLACEMENT: _placement(parcel.assignment),
                ANNOTATION_HOLDING: holding_text(parcel.assignment.holding),
                ANNOTATION_CLUSTER: cluster_uid,
            },
            "finalizers": [FINALIZER_DISPATCH],
        },
        "spec": spec.to_manifest(),
    }


def _placement(assignment: Assignment) -> str:
    estimate = assignment.estimate_per_hour
    money = None
    if estimate is not None:
        amount = estimate.quantize(_CENT, context=ROUNDING)
        money = Money(amount=f"{amount:f}", currency=assignment.currency).to_manifest()
    content = {"explanation": assignment.explanation.to_manifest(), "estimate": money}
    return msgspec.json.encode(content).decode()
