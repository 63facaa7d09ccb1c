"""A hub with its operator and one member, `east`; and the plugin at the administrator's desk."""

from collections.abc import Iterator

import pytest
from tests.cluster.cli.desk import Desk

from federation import Federation, gpu_machine

EAST = [gpu_machine("a100", "NVIDIA-A100-SXM4-40GB", 8), gpu_machine("t4", "Tesla-T4", 4)]


@pytest.fixture(scope="package")
def fed() -> Iterator[Federation]:
    """The federation of all these tests."""
    with Federation({"east": EAST}) as federation:
        federation.process.start()
        federation.join("east")
        yield federation


@pytest.fixture(scope="package")
def desk(fed: Federation) -> Desk:
    """The hub's administrator."""
    return Desk(fed.hub.kubeconfig(), fed.bed.environment)
