"""A ComputeJob out of what a command line says of it. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from isthmus.api.names import API_VERSION

from .complaint import Complaint

Object = dict[str, Any]
_NAME_LENGTH = 52  # with a random ending it is still a DNS label
_NO_NAME = "job"


@dataclass(frozen=True, slots=True)
class Submission:
    """What is said of the job; None and empty are not given."""

    name: str
    namespace: str
    image: str
    command: Sequence[str] = ()
    args: Sequence[str] = ()
    gpus: int = 0
    gpu_resource: str = ""
    models: Sequence[str] = ()
    gpu_memory: str | None = None
    cpu: str | None = None
    memory: str | None = None
    indexes: int | None = None
    parallelism: int | None = None
    backoff_limit: int | None = None
    deadline: str | None = None
    active_deadline_seconds: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    split: bool = False
    max_nodes: int | None = None
    min_indexes: int | None = None
    tiers: Sequence[str] = ()
    regions: Sequence[str] = ()
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: Sequence[Object] = ()
    gang: bool = False
    preemptible: bool = False
    on_node_lost: str | None = None
    objective: str | None = None
    priority: int | None = None
    ttl_seconds: int | None = None
    suspend: bool = False


def job_manifest(wanted: Submission) -> Object:
    """The ComputeJob, without what is as it is by default. Complaint where the options don't fit together."""
    _check(wanted)
    spec: Object = {"template": _template(wanted)}
    placement = _placement(wanted)
    if placement:
        spec["placement"] = placement
    if wanted.priority is not None:
        spec["priority"] = wanted.priority
    if wanted.deadline is not None:
        spec["deadline"] = wanted.deadline
    if wanted.ttl_seconds is not None:
        spec["ttlSecondsAfterFinished"] = wanted.ttl_seconds
    if wanted.suspend:
        spec["suspend"] = True
    metadata: Object = {"name": wanted.name, "namespace": wanted.namespace}
    if wanted.labels:
        metadata["labels"] = dict(wanted.labels)
    return {"apiVersion": API_VERSION, "kind": "ComputeJob", "metadata": metadata, "spec": spec}


def _check(wanted: Submission) -> None:
    if wanted.split and wanted.indexes is None:
        raise Complaint("--split divides indexes: say how many with --indexes")
    if not wanted.split and (wanted.max_nodes is not None or wanted.min_indexes is not None):
        raise Complaint("--max-nodes and --min-indexes-per-node go with --split")
    if wanted.gang and wanted.split:
        raise Complaint("--gang is all pods on one node, --split is over several: leave out one of the two")
    if wanted.gpu_memory and not wanted.gpus:
        raise Complaint("--gpu-memory goes with --gpus")


def _template(wanted: Submission) -> Object:
    spec: Object = {}
    if wanted.indexes is not None:
        spec |= {"completionMode": "Indexed", "completions": wanted.indexes}
    parallelism = wanted.parallelism if wanted.parallelism is not None else wanted.indexes
    if parallelism is not None:
        spec["parallelism"] = parallelism
    if wanted.backoff_limit is not None:
        spec["backoffLimit"] = wanted.backoff_limit
    if wanted.active_deadline_seconds is not None:
        spec["activeDeadlineSeconds"] = wanted.active_deadline_seconds
    pod = {"spec": {"restartPolicy": "Never", "containers": [_container(wanted)]}}
    if wanted.labels:
        return {**spec, "template": {"metadata": {"labels": dict(wanted.labels)}, **pod}}
    return {**spec, "template": pod}


def _container(wanted: Submission) -> Object:
    container: Object = {"name": "main", "image": wanted.image}
    if wanted.command:
        container["command"] = list(wanted.command)
    if wanted.args:
        container["args"] = list(wanted.args)
    if wanted.environment:
        container["env"] = [{"name": name, "value": value} for name, value in wanted.environment.items()]
    requests = {name: value for name, value in (("cpu", wanted.cpu), ("memory", wanted.memory)) if value}
    resources: Object = {"requests": requests} if requests else {}
    if wanted.gpus:
        resources["limits"] = {wanted.gpu_resource: str(wanted.gpus)}
    if resources:
        container["resources"] = resources
    return container


def _placement(wanted: Submission) -> Object:
    accelerator = {"models": list(wanted.models), "minimumMemory": wanted.gpu_memory}
    said: Object = {
        "nodeSelector": dict(wanted.node_selector),
        "regions": list(wanted.regions),
        "tiers": list(wanted.tiers),
        "tolerations": list(wanted.tolerations),
        "accelerator": {key: value for key, value in accelerator.items() if value},
        "split": "ByIndex" if wanted.split else None,
        "maxNodes": wanted.max_nodes,
        "minIndexesPerNode": wanted.min_indexes,
        "gang": wanted.gang or None,
        "preemptible": wanted.preemptible or None,
        "onNodeLost": wanted.on_node_lost,
        "objective": wanted.objective,
    }
    return {key: value for key, value in said.items() if value not in (None, [], {})}


def name_for(image: str, ending: str) -> str:
    """A name made of the image's own, without registry, folder and tag, and of a random ending."""
    last = image.partition("@")[0].rpartition("/")[2].partition(":")[0].lower()
    stem = re.sub(r"[^a-z0-9]+", "-", last).strip("-")[: _NAME_LENGTH - len(ending) - 1].strip("-")
    return f"{stem or _NO_NAME}-{ending}"


def toleration_of(text: str) -> Object:
    """KEY or KEY=VALUE as a toleration. Complaint where it is neither."""
    key, sign, value = text.partition("=")
    if not key:
        raise Complaint(f"--toleration {text!r}: write KEY or KEY=VALUE")
    return {"key": key, "operator": "Equal", "value": value} if sign else {"key": key, "operator": "Exists"}
