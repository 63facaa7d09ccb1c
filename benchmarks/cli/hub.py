"""A hub that holds many ComputeJobs, and nothing that acts on them."""

import uuid
from pathlib import Path
from typing import Any

from federation.manifests import Object, compute_job, job_spec
from testbed import Cluster, ClusterSpec, Testbed, wait_for

ROOT = Path(__file__).resolve().parents[2]
NAMESPACE = "bench"
_API = "/apis/isthmus.dev/v1alpha1"
_SEEN = "2026-11-01T08:00:00Z"
_NODES = 8


def start(bed: Testbed, jobs: int) -> Cluster:
    """The hub, filled. DeadlineError, ApiError."""
    hub = bed.start(ClusterSpec("hub", scheduling=False))["hub"]
    hub.kubectl("apply", "--server-side", "-f", str(ROOT / "crds"))
    hub.kubectl("wait", "--for=condition=Established", "crd/computejobs.isthmus.dev", "--timeout=60s")
    hub.kubectl("create", "namespace", NAMESPACE)
    pattern = _pattern(hub)
    hub.restore(
        (f"isthmus.dev/computejobs/{NAMESPACE}/{name}", _named(pattern, name))
        for name in (f"train-vision-{number:05}" for number in range(jobs - 1))
    )
    path = f"{_API}/namespaces/{NAMESPACE}/computejobs"
    wait_for(lambda: len(hub.rest.get(path)["items"]) == jobs, 60, f"{jobs} jobs to be listed")
    return hub


def _pattern(hub: Cluster) -> Object:
    """A job that has run, as the API server keeps it: with its status, and its books on who owns which field."""
    hub.apply([compute_job("pattern", job_spec(gpus=2, completions=8, parallelism=8), namespace=NAMESPACE)])
    path = f"{_API}/namespaces/{NAMESPACE}/computejobs/pattern"
    wait_for(lambda: hub.rest.get(path), 20, "the first job")
    hub.rest.patch(f"{path}/status", {"status": _status()})
    return hub.rest.get(path)


def _status() -> dict[str, Any]:
    verdicts = [{"node": f"node-{n}", "score": 90 - n, "parts": {"price": 80, "tier": 60}} for n in range(_NODES)]
    shard = {"node": "node-0", "dispatch": "train-vision-0123456789", "attempt": 1, "state": "Succeeded"}
    conditions = [
        {"type": kind, "status": "True", "reason": reason, "message": "as it should be", "lastTransitionTime": _SEEN}
        for kind, reason in (
            ("Admitted", "TemplateValid"),
            ("Placed", "Dispatched"),
            ("Complete", "CompletionsReached"),
        )
    ]
    return {
        "phase": "Succeeded",
        "completions": 8,
        "succeeded": 8,
        "completedIndexes": "0-7",
        "nodes": "node-0",
        "done": "8/8",
        "gpus": 16,
        "startTime": _SEEN,
        "completionTime": _SEEN,
        "cost": {"amount": "1.25", "currency": "CNY", "text": "1.2500 CNY"},
        "shards": [{**shard, "startTime": _SEEN, "completionTime": _SEEN}],
        "explanation": {"winner": "node-0", "nodes": verdicts},
        "conditions": conditions,
    }


def _named(pattern: Object, name: str) -> Object:
    metadata = {key: value for key, value in pattern["metadata"].items() if key != "resourceVersion"}
    return {**pattern, "metadata": {**metadata, "name": name, "uid": str(uuid.uuid4())}}
