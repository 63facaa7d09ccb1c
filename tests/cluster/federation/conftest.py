"""One federation for each test file: its module says in MEMBERS which machines its members have."""

from collections.abc import Iterator
from typing import Any

import pytest

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
