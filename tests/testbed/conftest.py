"""One hub and two members for all tests of the testbed."""

from collections.abc import Iterator

import pytest

from testbed import Cluster, ClusterSpec, Machine, Testbed

GPU_LABELS = {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB"}


def gpu_machine(name: str) -> Machine:
    """A machine with four GPUs."""
    return Machine(name, cpu="32", memory="128Gi", labels=GPU_LABELS, extended={"nvidia.com/gpu": "4"})


@pytest.fixture(scope="session")
def testbed() -> Iterator[Testbed]:
    """A testbed for the whole run."""
    with Testbed() as running:
        yield running


@pytest.fixture(scope="session")
def clusters(testbed: Testbed) -> dict[str, Cluster]:
    """A hub without work of its own and two members of two GPU machines each."""
    machines = [gpu_machine("gpu-1"), gpu_machine("gpu-2")]
    return testbed.start(
        ClusterSpec("hub", scheduling=False),
        ClusterSpec("north", machines=machines),
        ClusterSpec("south", machines=machines),
    )


@pytest.fixture
def member(clusters: dict[str, Cluster]) -> Cluster:
    """A member whose parts a test leaves alone."""
    return clusters["north"]


@pytest.fixture
def namespace(member: Cluster, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace of the member for one test."""
    name = request.node.name.replace("_", "-").replace("[", "-").strip("]")[:60].lower()
    member.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    member.rest.delete(f"/api/v1/namespaces/{name}")
