"""One ledger for all tests that only need one to be there."""

from collections.abc import Iterator

import pytest

from isthmus.ledger import Ledger


@pytest.fixture(scope="session")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """A ledger in SQLite."""
    with Ledger.open(f"sqlite:///{tmp_path_factory.mktemp('ledger') / 'ledger.db'}") as opened:
        yield opened
