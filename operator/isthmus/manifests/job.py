"""A shard as the Job that runs it in its member."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from isthmus.api import names
from isthmus.api.computejob import ComputeJob
from isthmus.api.core import Manifest

from . import disruption
from .affinity import Requirement, with_requirements
from .piece import Piece, with_piece
from .reading import mapping
from .variants import form_of


def render(
    job: ComputeJob,
    *,
    hub_uid: str,
    node: str,
    shard: int,
    attempt: int,
    affinity: Sequence[Requirement],
    suspend: bool,
    piece: Piece | None = None,
    variant: str | None = None,
    labels: Mapping[str, str] | None = None,
    scheduler_name: str | None = None,
) -> Manifest:
    """The Job to create in the member; shares nothing with `job`, which stays as it is.

    `variant` names the form of the template that runs. `affinity` lists (machine label, values that will do) pairs,
    required of every pod. The form must have passed `check_template` and the dry run; without a `piece` it is rendered
    with its own counts and limits. One with indexes is of a template that `not_splittable` has nothing against: its
    pods carry the map from their local to their global indexes, wait at the gate `isthmus.dev/index`, and read
    JOB_COMPLETION_INDEX off the annotation that the opening of the gate writes. Raises ValueError for a piece of more
    ranges than the map may have, KeyError for a variant that the job does not have. `labels` and `scheduler_name` are
    the member's own wish: they go on the Job and its pods, over those of the user.

    The renderer owns what decides whether work runs twice or is lost:

    - `suspend`, and `ttlSecondsAfterFinished`, which a member never has: it would delete what is not yet booked;
    - `podReplacementPolicy: Failed`, without which an evicted index runs again while its pod still terminates;
    - a first podFailurePolicy rule that ignores disruptions, where restartPolicy is Never;
    - the metering finalizer on the pods, which keeps each until its time is read.
    """
    namespace, name, uid = (str(job.metadata[key]) for key in ("namespace", "name", "uid"))
    dispatch = names.dispatch_name(name, uid, shard, attempt)
    template: dict[str, Any] = deepcopy(form_of(job, variant))
    template.pop("ttlSecondsAfterFinished", None)
    spec = disruption.with_rule(template) | {
        "suspend": suspend,
        "podReplacementPolicy": "Failed",
        "template": _pod_template(
            mapping(template.get("template")),
            {
                **(labels or {}),
                names.LABEL_HUB: hub_uid,
                names.LABEL_NODE: node,
                names.LABEL_DISPATCH: dispatch,
            },
            affinity,
            scheduler_name,
        ),
    }
    if piece is not None:
        spec = with_piece(spec, piece)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": dispatch,
            "namespace": names.tenant_namespace(hub_uid, namespace),
            "labels": {
                **(labels or {}),
                **job_labels(hub_uid=hub_uid, node=node, dispatch=dispatch, namespace=namespace, job_uid=uid),
            },
            "annotations": {names.ANNOTATION_JOB_NAME: name},
        },
        "spec": spec,
    }


def job_labels(*, hub_uid: str, node: str, dispatch: str, namespace: str, job_uid: str) -> dict[str, str]:
    """The labels of everything that is created in a member for one shard: UIDs and DNS labels, all short enough."""
    return {
        names.LABEL_MANAGED_BY: names.MANAGED_BY,
        names.LABEL_HUB: hub_uid,
        names.LABEL_NODE: node,
        names.LABEL_DISPATCH: dispatch,
        names.LABEL_JOB_NAMESPACE: namespace,
        names.LABEL_JOB_UID: job_uid,
    }


def _pod_template(
    template: dict[str, Any],
    labels: Mapping[str, str],
    affinity: Sequence[Requirement],
    scheduler_name: str | None,
) -> dict[str, Any]:
    metadata = mapping(template.get("metadata"))
    labels = {**mapping(metadata.get("labels")), **labels}
    pod = with_requirements(mapping(template.get("spec")), affinity)
    if scheduler_name is not None:
        pod = pod | {"schedulerName": scheduler_name}
    if pod.get("automountServiceAccountToken") is None:
        pod = pod | {"automountServiceAccountToken": False}
    return template | {
        "metadata": metadata | {"labels": labels, "finalizers": [names.FINALIZER_POD]},
        "spec": pod,
    }
