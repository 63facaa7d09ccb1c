"""A hub cluster with the four kinds, and nothing that acts on them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cluster.api.manifests import collection, manifest, one

from federation import Release
from testbed import Cluster, ClusterSpec, Testbed

ROOT = Path(__file__).resolve().parents[3]
KINDS = ("computenodes", "computejobs", "dispatches", "settlements")
# The chart without the operator, in a cluster that has the kinds.
VALUES: dict[str, Any] = {"replicas": 0, "crds": {"enabled": False}}

Make = Callable[..., dict[str, Any]]


@pytest.fixture(scope="package")
def hub() -> Iterator[Cluster]:
    """An API server that serves the four kinds."""
    with Testbed() as testbed:
        cluster = testbed.start(ClusterSpec("hub", scheduling=False))["hub"]
        cluster.kubectl("apply", "--server-side", "-f", str(ROOT / "crds"))
        for kind in KINDS:
            cluster.kubectl("wait", "--for=condition=Established", f"crd/{kind}.isthmus.dev", "--timeout=30s")
        yield cluster


@pytest.fixture(scope="package")
def installed(hub: Cluster) -> Cluster:
    """The same with the chart's roles and policies."""
    Release(hub).install(VALUES)
    return hub


@pytest.fixture
def make(hub: Cluster) -> Iterator[Make]:
    """Creates the smallest object of a kind with changes, and deletes it after the test."""
    made: list[str] = []

    def create(kind: str, changes: dict[str, Any] | None = None, name: str = "sample") -> dict[str, Any]:
        answer = hub.rest.post(collection(kind, "?fieldValidation=Strict"), manifest(kind, changes, name=name))
        made.append(one(kind, name))
        return answer

    yield create
    for path in made:
        hub.rest.delete(path)
