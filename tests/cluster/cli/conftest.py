"""A hub with its operator and one member, `east`; and the plugin at the desks of an administrator and of a tenant."""

import socket
from collections.abc import Iterator

import pytest
from tests.cluster.cli.desk import Desk

from federation import Federation, gpu_machine

EAST = [gpu_machine("a100", "NVIDIA-A100-SXM4-40GB", 8), gpu_machine("t4", "Tesla-T4", 4)]
RULES = [
    {"apiGroups": ["isthmus.dev"], "resources": ["computejobs"], "verbs": ["get", "list", "watch", "create"]},
]


@pytest.fixture(scope="package")
def fed() -> Iterator[Federation]:
    """The federation of all these tests."""
    with Federation({"east": EAST}) as federation:
        federation.process.start()
        federation.join("east", labels={"zone": "east"})
        yield federation


@pytest.fixture(scope="package")
def desk(fed: Federation) -> Desk:
    """The hub's administrator."""
    return Desk(fed.hub.kubeconfig(), fed.bed.environment)


@pytest.fixture(scope="package")
def tenant(fed: Federation) -> Desk:
    """Ann, who may see and make ComputeJobs in team-a, and nothing else."""
    metadata = {"name": "ann", "namespace": "team-a"}
    api = "rbac.authorization.k8s.io"
    reference = {"apiGroup": api, "kind": "Role", "name": "ann"}
    subject = {"apiGroup": api, "kind": "User", "name": "ann"}
    role = {"apiVersion": f"{api}/v1", "kind": "Role", "metadata": metadata, "rules": RULES}
    binding = {"apiVersion": f"{api}/v1", "kind": "RoleBinding", "metadata": metadata}
    fed.hub.apply([role, {**binding, "roleRef": reference, "subjects": [subject]}])
    return Desk(fed.hub.kubeconfig("ann"), fed.bed.environment)


@pytest.fixture
def closed_port() -> int:
    """A port of this machine on which nothing listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
