"""What all federations of a run are seen to need of their roles, and whether the run was whole enough to judge that."""

import pytest
from tests.cluster.course import LAST, Course

from federation import Federation
from federation.federation import OPERATOR
from federation.usage import Usage

COURSE = pytest.StashKey[Course]()


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known, and follow the run."""
    config.addinivalue_line("markers", f"{LAST}: runs after all other tests")
    Federation.usage = Usage(OPERATOR)
    config.stash[COURSE] = Course(config, Federation.usage)
    config.pluginmanager.register(config.stash[COURSE])


@pytest.fixture
def usage() -> Usage:
    """What all federations up to now were seen to need."""
    assert Federation.usage is not None
    return Federation.usage


@pytest.fixture
def incomplete(pytestconfig: pytest.Config) -> str:
    """Why the run can't be judged; empty where it can."""
    return pytestconfig.stash[COURSE].incomplete()
