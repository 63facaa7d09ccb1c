"""One federation for each test file: its module says in MEMBERS which machines its members have."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.cluster.federation.podrecorder import PodRecorder
from tests.cluster.federation.proof import recorded

from federation import Federation


@pytest.fixture(scope="module")
def fed(request: pytest.FixtureRequest) -> Iterator[Federation]:
    """A hub with its operator running, and the module's MEMBERS joined."""
    members: dict[str, Any] = request.module.MEMBERS
    with Federation(members) as federation:
        federation.process.start()
        for name in members:
            federation.join(name)
        yield federation


@pytest.fixture(scope="module")
def recorder(fed: Federation, request: pytest.FixtureRequest) -> Iterator[PodRecorder]:
    """All pods of the module; at its end nothing is left, all is billed, and the hub's log is looked through."""
    with recorded(fed, request.module.MEMBERS) as recorder:
        yield recorder
