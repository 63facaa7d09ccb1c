"""A pytest plugin that writes down what a second try needs to know of a session, into the file `--record` names."""

import dataclasses
import json
from pathlib import Path
from typing import Self

import pytest

PUT_OFF = "not judged"


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    """Of one session; tests are named by their ids, in the order in which they ran."""

    failed: tuple[str, ...] = ()
    ended_badly: frozenset[str] = frozenset()
    """Those of the failed that failed as they were torn down: a fixture's verdict, maybe over its whole file."""
    put_off: tuple[str, ...] = ()
    """Tests that were skipped since they judge the others, which have to pass first."""
    uncollected: bool = False
    """Whether some tests could not even be collected."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """What a session wrote; one that never came to its end wrote nothing."""
        if not path.exists():
            return cls()
        written = json.loads(path.read_text())
        return cls(
            tuple(written["failed"]), frozenset(written["endedBadly"]), tuple(written["putOff"]), written["uncollected"]
        )

    def write(self, path: Path) -> None:
        """For `read`."""
        content = {
            "failed": self.failed,
            "endedBadly": sorted(self.ended_badly),
            "putOff": self.put_off,
            "uncollected": self.uncollected,
        }
        path.write_text(json.dumps(content))


class Recorder:
    """Follows one session."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._record = Record()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """How a test went; one that fails and then fails to be torn down is one failed test."""
        record, test = self._record, report.nodeid
        if report.failed:
            failed = (*record.failed, test) if test not in record.failed else record.failed
            badly = record.ended_badly | {test} if report.when == "teardown" else record.ended_badly
            self._record = dataclasses.replace(record, failed=failed, ended_badly=badly)
        elif report.skipped and PUT_OFF in str(report.longrepr):
            self._record = dataclasses.replace(record, put_off=(*record.put_off, test))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """How a file's collection went."""
        if report.failed:
            self._record = dataclasses.replace(self._record, uncollected=True)

    def pytest_sessionfinish(self) -> None:
        """Write it down."""
        self._record.write(self._path)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where to write."""
    parser.getgroup("isthmus").addoption("--record", type=Path, required=True, help="where to write what failed")


def pytest_configure(config: pytest.Config) -> None:
    """Follow the session."""
    if not hasattr(config, "workerinput"):  # of pytest-xdist's processes, the one that hears of all tests
        config.pluginmanager.register(Recorder(config.getoption("--record")))
