"""Both Helms, and a cluster to install in."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from federation.chart import CHART
from testbed import Cluster, ClusterSpec, Testbed
from testbed.binaries import helm, helm3


@pytest.fixture(scope="module", params=[3, 4], ids=["helm3", "helm4"])
def program(request: pytest.FixtureRequest) -> Path:
    """Each Helm in turn."""
    return helm3(print) if request.param == 3 else helm(print)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A cluster without anything of ours."""
    with Testbed() as testbed:
        yield testbed.start(ClusterSpec("hub", scheduling=False))["hub"]


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the chart that a test may change."""
    return Path(shutil.copytree(CHART, tmp_path / "isthmus"))
