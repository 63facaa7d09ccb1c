"""A part of a job: which of its indexes, or how many of its completions, and what limits hold for it."""

from dataclasses import dataclass
from typing import Any

from isthmus.api import names
from isthmus.api.indexes import IndexSet

from .reading import mapping, sequence

SEGMENT_LIMIT = 512
"""The most ranges that one piece's indexes may have: the map that says so is an annotation on every pod."""

_VARIABLE = "JOB_COMPLETION_INDEX"


@dataclass(frozen=True, slots=True)
class Piece:
    """What of a job runs in one Job. Limits that are None are the template's own.

    With neither indexes nor completions it is the whole job, as the template counts it.
    """

    width: int
    """How many pods run at once, at most."""
    indexes: IndexSet | None = None
    """Global indexes, of at most SEGMENT_LIMIT ranges."""
    completions: int | None = None
    """How many more pods are to succeed, where the job does not number them."""
    backoff_limit: int | None = None
    backoff_limit_per_index: int | None = None
    max_failed_indexes: int | None = None
    active_deadline_seconds: int | None = None


def index_map(indexes: IndexSet) -> str:
    """`LOCAL:GLOBAL` for each range: from the local index LOCAL on, global indexes run from GLOBAL on, one by one."""
    rows, local = [], 0
    for first, end in indexes.ranges:
        rows.append(f"{local}:{first}")
        local += end - first
    return ",".join(rows)


def with_piece(spec: dict[str, Any], piece: Piece) -> dict[str, Any]:
    """The JobSpec of the piece; the argument stays as it is. Raises ValueError for one of too many ranges."""
    completions = piece.completions if piece.indexes is None else len(piece.indexes)
    limits = {
        "completions": completions,
        "backoffLimit": piece.backoff_limit,
        "backoffLimitPerIndex": piece.backoff_limit_per_index,
        "maxFailedIndexes": piece.max_failed_indexes,
        "activeDeadlineSeconds": piece.active_deadline_seconds,
    }
    changed = spec | {"parallelism": piece.width} | {key: value for key, value in limits.items() if value is not None}
    if piece.indexes is None:
        return changed
    if len(piece.indexes.ranges) > SEGMENT_LIMIT:
        raise ValueError(f"{len(piece.indexes.ranges)} ranges of indexes in one piece, at most {SEGMENT_LIMIT} may be")
    if changed.get("maxFailedIndexes") is not None:
        # The API server takes no more than there are completions, which is as good as any number above.
        changed["maxFailedIndexes"] = min(changed["maxFailedIndexes"], len(piece.indexes))
    return changed | {"template": _numbered(mapping(spec.get("template")), piece.indexes)}


def _numbered(template: dict[str, Any], indexes: IndexSet) -> dict[str, Any]:
    """The pod template, whose pods wait at a gate until their global index stands on them."""
    metadata, pod = mapping(template.get("metadata")), mapping(template.get("spec"))
    annotations = mapping(metadata.get("annotations")) | {names.ANNOTATION_INDEX_MAP: index_map(indexes)}
    gates = [*sequence(pod.get("schedulingGates")), {"name": names.GATE_INDEX}]
    containers = {
        field: [_told(mapping(container)) for container in sequence(pod.get(field))]
        for field in ("initContainers", "containers")
        if field in pod
    }
    return template | {
        "metadata": metadata | {"annotations": annotations},
        "spec": pod | {"schedulingGates": gates} | containers,
    }


def _told(container: dict[str, Any]) -> dict[str, Any]:
    """The container with the variable that the Job controller would add, last as it does, and leaves alone if there."""
    variables = sequence(container.get("env"))
    if any(mapping(variable).get("name") == _VARIABLE for variable in variables):
        return container
    source = {"fieldRef": {"fieldPath": f"metadata.annotations['{names.ANNOTATION_INDEX}']"}}
    return container | {"env": [*variables, {"name": _VARIABLE, "valueFrom": source}]}
