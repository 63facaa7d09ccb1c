"""What all federations of a run are seen to need of their roles, and whether the run was whole enough to judge that."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from federation import Federation
from federation.federation import OPERATOR
from federation.usage import Usage

HERE = Path(__file__).parent
LAST = "last"


class Course:
    """How the run went."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._judging: set[Path] = set()
        self._ran: set[Path] = set()
        self._left_out = 0
        self._failed = 0

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Have those that judge the run come at its end."""
        items.sort(key=lambda item: item.get_closest_marker(LAST) is not None)
        self._judging = {item.path for item in items if item.get_closest_marker(LAST) is not None}

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Tests that were left out by an option."""
        self._left_out += len(items)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """How a test went."""
        if report.failed:
            self._failed += 1
        if report.when == "call" and report.passed:
            self._ran.add(self._config.rootpath / report.nodeid.partition("::")[0])

    def incomplete(self) -> str:
        """Why nothing can be said of what the run did not need; empty where it was whole."""
        missing = {*HERE.rglob("test_*.py")} - self._ran - self._judging
        if missing:
            return f"{len(missing)} test files did not run, {min(missing).relative_to(HERE)} among them"
        if self._left_out or any("::" in argument for argument in self._config.args):
            return "some tests were left out"
        return f"{self._failed} tests failed" if self._failed else ""


COURSE = pytest.StashKey[Course]()


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known, and follow the run."""
    config.addinivalue_line("markers", f"{LAST}: runs after all other tests")
    config.stash[COURSE] = Course(config)
    config.pluginmanager.register(config.stash[COURSE])
    Federation.usage = Usage(OPERATOR)


@pytest.fixture
def usage() -> Usage:
    """What all federations up to now were seen to need."""
    assert Federation.usage is not None
    return Federation.usage


@pytest.fixture
def incomplete(pytestconfig: pytest.Config) -> str:
    """Why the run can't be judged; empty where it can."""
    return pytestconfig.stash[COURSE].incomplete()
