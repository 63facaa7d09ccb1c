"""Machines and pods as the API server sends them, in few words."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec
import pytest

from isthmus.api.core import Node, Pod


class NewNode(Protocol):
    """Makes a machine that is ready unless told otherwise."""

    def __call__(
        self,
        name: str = ...,
        allocatable: Mapping[str, str] | None = ...,
        *,
        labels: Mapping[str, str] | None = ...,
        taints: Sequence[str] = ...,
        ready: str = ...,
        cordoned: bool = ...,
    ) -> Node:
        """A taint is written key:value:effect."""


class NewPod(Protocol):
    """Makes a pod that runs on `node` unless told otherwise."""

    def __call__(
        self, uid: str = ..., node: str = ..., requests: Mapping[str, str] | None = ..., *, phase: str = ...
    ) -> Pod:
        """With one container, which has the requests."""


def _node(
    name: str = "a",
    allocatable: Mapping[str, str] | None = None,
    *,
    labels: Mapping[str, str] | None = None,
    taints: Sequence[str] = (),
    ready: str = "True",
    cordoned: bool = False,
) -> Node:
    manifest: dict[str, Any] = {
        "metadata": {"name": name, "labels": dict(labels or {})},
        "spec": {
            "unschedulable": cordoned,
            "taints": [dict(zip(("key", "value", "effect"), taint.split(":"), strict=True)) for taint in taints],
        },
        "status": {
            "allocatable": dict(allocatable or {"cpu": "4", "memory": "8Gi", "pods": "10"}),
            "conditions": [{"type": "Ready", "status": ready}] if ready else [],
        },
    }
    return msgspec.convert(manifest, Node)


def _pod(uid: str = "p", node: str = "a", requests: Mapping[str, str] | None = None, *, phase: str = "Running") -> Pod:
    requests = dict(requests or {"cpu": "1", "memory": "1Gi"})
    manifest = {
        "metadata": {"name": uid, "uid": uid},
        "spec": {"nodeName": node, "containers": [{"name": "main", "resources": {"requests": requests}}]},
        "status": {"phase": phase},
    }
    return msgspec.convert(manifest, Pod)


@pytest.fixture(scope="session")
def new_node() -> NewNode:
    """Makes machines."""
    return _node


@pytest.fixture(scope="session")
def new_pod() -> NewPod:
    """Makes pods."""
    return _pod
