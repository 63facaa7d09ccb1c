"""How a run of tests goes, by which it is whole or not; processes side by side, and a second try, make one run."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from federation.usage import Usage
from testbed.audit import Access

HERE = Path(__file__).parent
LAST = "last"
CARRIED = "course.json"


class Course:
    """Of one session. Beside the file of `--record`, where there is one, it leaves what a second try goes on from."""

    def __init__(self, config: pytest.Config, usage: Usage) -> None:
        self._config = config
        self._usage = usage
        self._judging: set[Path] = set()
        self._ran: set[Path] = set()
        self._left_out = any("::" in argument for argument in config.args)
        self._failed = 0
        self._output: dict[str, Any] | None = getattr(config, "workeroutput", None)
        """Where one of several processes of pytest-xdist leaves it to the one that started them."""
        record: Path | None = config.getoption("--record", None)
        self._carried = record.with_name(CARRIED) if record is not None and self._output is None else None
        if self._carried is not None and self._carried.exists():
            self._left_out = False
            self._take(json.loads(self._carried.read_text()))

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Have those that judge the run come at its end."""
        items.sort(key=lambda item: item.get_closest_marker(LAST) is not None)
        self._judging = {item.path for item in items if item.get_closest_marker(LAST) is not None}

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Tests that were left out by an option."""
        self._left_out = self._left_out or bool(items)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """How a test went."""
        if report.failed:
            self._failed += 1
        if report.when == "call" and report.passed:
            self._ran.add(self._config.rootpath / report.nodeid.partition("::")[0])

    def pytest_sessionfinish(self) -> None:
        """Leave it to whoever goes on from it."""
        content = {
            "ran": sorted(str(path.relative_to(self._config.rootpath)) for path in self._ran),
            "leftOut": self._left_out,
            "accesses": [dataclasses.asdict(access) for access in self._usage.accesses],
        }
        if self._output is not None:
            self._output[CARRIED] = content
        if self._carried is not None:
            self._carried.write_text(json.dumps(content))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take in what one of several processes saw; one that crashed tells nothing."""
        self._take(getattr(node, "workeroutput", {}).get(CARRIED, {"ran": (), "leftOut": True, "accesses": ()}))

    def _take(self, content: dict[str, Any]) -> None:
        self._ran |= {self._config.rootpath / path for path in content["ran"]}
        self._left_out = self._left_out or content["leftOut"]
        self._usage.accesses |= {Access(**access) for access in content["accesses"]}

    def incomplete(self) -> str:
        """Why nothing can be said of what the run did not need; empty where it was whole."""
        if self._output is not None:
            return "others run beside it"
        missing = {*HERE.rglob("test_*.py")} - self._ran - self._judging
        if missing:
            return f"{len(missing)} test files did not run, {min(missing).relative_to(HERE)} among them"
        if self._left_out:
            return "some tests were left out"
        return f"{self._failed} tests failed" if self._failed else ""
