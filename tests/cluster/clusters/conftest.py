"""One cluster without scheduler or machines, and the ways in which the tests speak to it."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from isthmus.clusters import NAMESPACES, SERVICEACCOUNTS, Client, Credentials, FakeCluster, KubernetesApi, NotFound
from testbed import Cluster, ClusterSpec, Part, Testbed

Opener = Callable[[], AbstractAsyncContextManager[KubernetesApi]]

# As permissive as a CRD can be: the client's tests are about the API server's rules, not about the schema's.
DISPATCH_CRD: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "dispatches.isthmus.dev"},
    "spec": {
        "group": "isthmus.dev",
        "scope": "Namespaced",
        "names": {"plural": "dispatches", "singular": "dispatch", "kind": "Dispatch", "listKind": "DispatchList"},
        "versions": [
            {
                "name": "v1alpha1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}


@pytest.fixture(scope="session")
def plain() -> Iterator[Cluster]:
    """A cluster that runs nothing; tests that stop or pause it bring it back."""
    with Testbed() as testbed:
        cluster = testbed.start(ClusterSpec("plain", scheduling=False))["plain"]
        cluster.apply(DISPATCH_CRD)
        cluster.kubectl("wait", "--for=condition=Established", "crd/dispatches.isthmus.dev", "--timeout=30s")
        yield cluster


@pytest.fixture(params=["memory", "server"])
def opener(request: pytest.FixtureRequest) -> Opener:
    """Opens the in-memory cluster or a client of the real one: what holds for one must hold for the other."""
    if request.param == "memory":
        return _in_memory
    cluster: Cluster = request.getfixturevalue("plain")
    return lambda: connected(cluster)


@asynccontextmanager
async def _in_memory() -> AsyncIterator[KubernetesApi]:
    yield FakeCluster()


@asynccontextmanager
async def connected(cluster: Cluster, **identity: Any) -> AsyncIterator[Client]:
    """A client of the cluster, as its administrator unless told otherwise."""
    credentials = Credentials.from_kubeconfig(cluster.kubeconfig(**identity).read_text())
    async with await Client.connect(credentials, name=cluster.name) as client:
        yield client


def restart(cluster: Cluster) -> None:
    """Kill the API server and start it again."""
    cluster.kill(Part.APISERVER)
    cluster.start(Part.APISERVER)


async def ready_namespace(api: KubernetesApi, name: str) -> str:
    """A new namespace in which pods can be created."""
    await api.create(NAMESPACES, {"metadata": {"name": name}})
    if isinstance(api, FakeCluster):
        return name
    async for event in api.watch(SERVICEACCOUNTS, name, resource_version="0", timeout_seconds=30):
        if event.kind == "ADDED":
            return name
    raise NotFound(404, "NotFound", f"no ServiceAccount came to {name}")
