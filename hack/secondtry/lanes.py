"""A pytest plugin that has pytest-xdist run files side by side; those that share clusters stay on one worker.

Tests on control planes wait most of the time: each lane takes less than half a core. What takes longest begins first.
"""

from pathlib import PurePosixPath

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

TOGETHER = ("tests/e2e", "tests/testbed", "tests/cluster/api", "tests/cluster/cli", "tests/cluster/clusters")
"""Folders whose conftest starts clusters for more than one file."""
LONGEST = ("tests/e2e", "tests/cluster/federation", "tests/cluster/chart", "tests/cluster/cli")


def lane_of(test: str) -> str:
    """What of the tests goes to one worker as a whole: the file of this one, or its folder."""
    path = PurePosixPath(test.partition("::")[0])
    return next((folder for folder in TOGETHER if path.is_relative_to(folder)), str(path))


def turn_of(test: str) -> int:
    """When a test's lane begins, the lowest first."""
    path = PurePosixPath(test.partition("::")[0])
    return next((turn for turn, folder in enumerate(LONGEST) if path.is_relative_to(folder)), len(LONGEST))


class Lanes(LoadFileScheduling):  # type: ignore[misc]  # the package ships no types
    """Deals out whole lanes in the order of the collection."""

    def _split_scope(self, nodeid: str) -> str:
        return lane_of(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Lanes:
    """Take this one."""
    config.option.loadscopereorder = False  # by number of tests says nothing of their time
    return Lanes(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes longest first."""
    items.sort(key=lambda item: turn_of(item.nodeid))
