"""A hub cluster with the four kinds, and nothing that acts on them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cluster.api.manifests import collection, manifest, one

from testbed import Cluster, ClusterSpec, Testbed

ROOT = Path(__file__).resolve().parents[3]
KINDS = ("computenodes", "computejobs", "dispatches", "settlements")

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
