"""Dispatches, Jobs and pods in few words, for table tests."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from isthmus.api.core import Job, Pod
from isthmus.api.dispatch import Dispatch
from isthmus.api.names import ANNOTATION_HELD, LABEL_PLACEHOLDER, LABEL_QUEUE

INDEX = "batch.kubernetes.io/job-completion-index"
MOMENT = datetime(2026, 11, 22, 12, tzinfo=UTC)
STAMP = "2026-11-22T12:00:00Z"


def dispatch(state: str | None = None, desired: str = "Running", *, spec: Any = None, **status: Any) -> Dispatch:
    """A Dispatch in that state; `spec` is that of its Job."""
    manifest = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "d", "namespace": "t"},
        "spec": {"template": {"spec": {"containers": [{"name": "main"}]}}, **(spec or {})},
    }
    content = {
        "desiredState": desired,
        "job": {"namespace": "team-a", "name": "j", "uid": "u"},
        "account": "team-a",
        "shard": 0,
        "attempt": 1,
        "sequence": 1,
        "manifest": manifest,
    }
    metadata = {"name": "d", "uid": "dispatch-uid", "resourceVersion": "1"}
    return Dispatch.model_validate({"metadata": metadata, "spec": content, "status": {"state": state, **status}})


def job(
    *,
    condition: str = "",
    reason: str = "Why",
    deleting: bool = False,
    suspend: bool = False,
    placeholder: bool = False,
    queued: bool = False,
    held: bool = False,
    spec: Any = None,
    **status: Any,
) -> Job:
    """A member's Job; `condition` is one that it has, True. One that is `held` is so in its queue."""
    conditions = [{"type": condition, "status": "True", "reason": reason, "message": "so", "lastTransitionTime": STAMP}]
    metadata = {
        "name": "d",
        "uid": "job-uid",
        "labels": {
            **({LABEL_PLACEHOLDER: "true"} if placeholder else {}),
            **({LABEL_QUEUE: "q"} if queued or held else {}),
        },
        "annotations": {ANNOTATION_HELD: "true"} if held else {},
        **({"deletionTimestamp": STAMP} if deleting else {}),
    }
    content = {
        "metadata": metadata,
        "spec": {"suspend": suspend, **(spec or {})},
        "status": {"conditions": conditions if condition else [], **status},
    }
    return msgspec.convert(content, Job)


def pod(phase: str, index: int | None = None, *, uid: str = "", machine: str = "", **fields: Any) -> Pod:
    """A pod in that phase."""
    annotations = {INDEX: str(index)} if index is not None else {}
    metadata = {"name": uid or "p", "uid": uid or f"pod-{phase}-{index}", "annotations": annotations}
    status = {"phase": phase, **fields}
    return msgspec.convert({"metadata": metadata, "spec": {"nodeName": machine}, "status": status}, Pod)
