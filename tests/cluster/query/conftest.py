"""One federation with an aggregated query API for each test file: its module says which MEMBERS it has."""

from collections.abc import Iterator

import pytest
from tests.cluster.query.aggregated import Aggregated, aggregated


@pytest.fixture(scope="module")
def query(request: pytest.FixtureRequest) -> Iterator[Aggregated]:
    """A hub that serves the query API, the module's MEMBERS joined as its JOIN says."""
    with aggregated(request.module.MEMBERS, **getattr(request.module, "JOIN", {})) as found:
        yield found
