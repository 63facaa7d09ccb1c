"""The smallest manifest of each kind, and how to change one by a dotted path."""

from copy import deepcopy
from typing import Any

API_VERSION = "isthmus.dev/v1alpha1"
NAMESPACE = "default"
GONE = object()

JOB_SPEC: dict[str, Any] = {
    "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "busybox"}]}}
}
SPECS: dict[str, dict[str, Any]] = {
    "ComputeNode": {
        "identity": {"code": "CN-310000-0001"},
        "tier": "Core",
        "region": {"code": "cn-east"},
        "access": {"kubeConfig": {"secretRef": {"name": "shanghai"}}},
    },
    "ComputeJob": {"template": JOB_SPEC},
    "Dispatch": {
        "job": {"namespace": "team", "name": "train", "uid": "u-1"},
        "account": "team",
        "shard": 0,
        "attempt": 1,
        "sequence": 7,
        "manifest": {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "train-0123456789", "namespace": "iwt-a-b"},
            "spec": JOB_SPEC,
        },
    },
    "Settlement": {
        "period": {"start": "2026-11-01T00:00:00Z", "end": "2026-12-01T00:00:00Z"},
        "currency": "CNY",
    },
}
TARIFF: dict[str, Any] = {
    "version": "2026-11",
    "currency": "CNY",
    "prices": {"coreSecond": "0.00001", "gibibyteSecond": "0.000002"},
}
PLURALS = {
    "ComputeNode": "computenodes",
    "ComputeJob": "computejobs",
    "Dispatch": "dispatches",
    "Settlement": "settlements",
}


def manifest(kind: str, changes: dict[str, Any] | None = None, *, name: str = "sample") -> dict[str, Any]:
    """The kind's smallest manifest with each dotted path set to its value, or removed where that is GONE."""
    metadata = {"name": name} if kind == "ComputeNode" else {"name": name, "namespace": NAMESPACE}
    result = {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": deepcopy(SPECS[kind])}
    for path, value in (changes or {}).items():
        *parents, last = path.split(".")
        place: dict[str, Any] = result
        for parent in parents:
            place = place.setdefault(parent, {})
        if value is GONE:
            del place[last]
        else:
            place[last] = value
    return result


def collection(kind: str, query: str = "") -> str:
    """The API path of the kind's objects in the tests' namespace."""
    scope = "" if kind == "ComputeNode" else f"/namespaces/{NAMESPACE}"
    return f"/apis/{API_VERSION}{scope}/{PLURALS[kind]}{query}"


def one(kind: str, name: str = "sample", suffix: str = "") -> str:
    """The API path of one object."""
    return f"{collection(kind)}/{name}{suffix}"
