from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.cluster.course import HERE, Course

from federation.usage import Usage
from testbed.audit import Access

ROOT = HERE.parents[1]
FILES = sorted(str(path.relative_to(ROOT)) for path in HERE.rglob("test_*.py"))
JUDGE = "tests/cluster/permissions/test_unused.py"
SEEN, LATER = (Access("ClusterRole/hub", verb, "", "pods", "") for verb in ("list", "watch"))


def begin(folder: Path, number: int, *arguments: str) -> tuple[Course, Usage]:
    """A session of that number, whose record is in the folder, with the judge among its tests."""
    usage = Usage("hub")
    config = SimpleNamespace(args=arguments, rootpath=ROOT, getoption=lambda _name, _default: folder / f"{number}.json")
    course = Course(cast("pytest.Config", config), usage)
    mark = SimpleNamespace(path=ROOT / JUDGE, get_closest_marker=lambda _: True)
    course.pytest_collection_modifyitems(cast("list[pytest.Item]", [mark]))
    return course, usage


def report(course: Course, test: str, **outcome: Any) -> None:
    """A test went so."""
    told = SimpleNamespace(nodeid=test, when="call", **{"failed": False, "passed": True, **outcome})
    course.pytest_runtest_logreport(cast("pytest.TestReport", told))


def test_a_second_try_completes_the_first(tmp_path: Path) -> None:
    """What failed and then passed counts, with all that ran and was seen before; the run is whole then."""
    first, usage = begin(tmp_path, 1, "tests/cluster")
    for file in FILES[1:]:
        report(first, f"{file}::test")
    report(first, f"{FILES[0]}::test", failed=True, passed=False)
    assert "1 test files did not run" in first.incomplete()
    usage.accesses.add(SEEN)
    first.pytest_sessionfinish()

    second, usage = begin(tmp_path, 2, f"{FILES[0]}::test", JUDGE)
    assert "1 test files did not run" in second.incomplete()
    usage.accesses.add(LATER)
    report(second, f"{FILES[0]}::test")
    assert second.incomplete() == ""
    assert usage.accesses == {SEEN, LATER}


def test_what_fails_again_can_not_be_judged(tmp_path: Path) -> None:
    """Nor what the first session left out."""
    first, _ = begin(tmp_path, 1, "tests/cluster")
    for file in FILES:
        report(first, f"{file}::test")
    report(first, f"{FILES[0]}::other", failed=True, passed=False)
    assert first.incomplete() == "1 tests failed"
    first.pytest_sessionfinish()
    second, _ = begin(tmp_path, 2, f"{FILES[0]}::other", JUDGE)
    report(second, f"{FILES[0]}::other", failed=True, passed=False)
    assert second.incomplete() == "1 tests failed"


@pytest.mark.parametrize("deselected", [True, False], ids=["by an option", "by name"])
def test_what_the_first_left_out_stays_left_out(tmp_path: Path, *, deselected: bool) -> None:
    """A session of a part of the tests is not made whole by a second."""
    first, _ = begin(tmp_path, 1, "tests/cluster" if deselected else f"{FILES[0]}::one")
    for file in FILES:
        report(first, f"{file}::test")
    if deselected:
        first.pytest_deselected(cast("list[pytest.Item]", [SimpleNamespace()]))
    first.pytest_sessionfinish()
    assert begin(tmp_path, 2, f"{FILES[0]}::one", JUDGE)[0].incomplete() == "some tests were left out"
