"""Manifests and readings that the tests of the testbed share."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from testbed import Cluster, wait_for

POD_SECONDS = 30


def pod(name: str, namespace: str, annotations: Mapping[str, str], **spec: Any) -> dict[str, Any]:
    """A Pod of one container that never restarts."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "annotations": prefixed(annotations)},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "work"}], **spec},
    }


def job(name: str, namespace: str, annotations: Mapping[str, str], gpus: int = 0, **spec: Any) -> dict[str, Any]:
    """A Job, Indexed, whose Pods ask for GPUs."""
    resources = {"limits": {"nvidia.com/gpu": str(gpus)}} if gpus else {}
    template = {
        "metadata": {"annotations": prefixed(annotations)},
        "spec": {
            "restartPolicy": "Never",
            "containers": [{"name": "main", "image": "work", "resources": resources}],
        },
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"completionMode": "Indexed", "template": template, **spec},
    }


def prefixed(annotations: Mapping[str, str]) -> dict[str, str]:
    """Annotations of the testbed's own prefix."""
    return {f"testbed.isthmus.dev/{key}": value for key, value in annotations.items()}


def pods_of(cluster: Cluster, namespace: str) -> list[dict[str, Any]]:
    """The namespace's Pods."""
    items: list[dict[str, Any]] = cluster.get_json(f"/api/v1/namespaces/{namespace}/pods")["items"]
    return items


def wait_for_phase(cluster: Cluster, namespace: str, name: str, phase: str) -> dict[str, Any]:
    """The Pod once it is in this phase."""
    path = f"/api/v1/namespaces/{namespace}/pods/{name}"
    wait_for(lambda: cluster.get_json(path)["status"]["phase"] == phase, POD_SECONDS, f"Pod {name} to be {phase}")
    return cluster.get_json(path)


def terminated(found: Mapping[str, Any], field: str = "containerStatuses") -> dict[str, Any]:
    """How the Pod's first container ended."""
    ended: dict[str, Any] = found["status"][field][0]["state"]["terminated"]
    return ended


def seconds(ended: Mapping[str, Any]) -> float:
    """From a container's recorded start to its recorded end."""
    start, finish = (dt.datetime.fromisoformat(ended[key]) for key in ("startedAt", "finishedAt"))
    return (finish - start).total_seconds()
