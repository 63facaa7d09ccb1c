import re
from pathlib import Path

import pytest

from secondtry.lanes import LONGEST, TOGETHER, lane_of, turn_of

ROOT = Path(__file__).resolve().parents[3]
SUITES = ("tests/testbed", "tests/cluster", "tests/e2e")


@pytest.mark.parametrize(
    ("test", "lane"),
    [
        ("tests/e2e/test_faults.py::test_a", "tests/e2e"),
        ("tests/cluster/api/test_roles.py::test_may[get a::b in c]", "tests/cluster/api"),
        ("tests/cluster/clusters/test_client.py::test_a", "tests/cluster/clusters"),
        ("tests/cluster/federation/test_fence.py::test_a[x]", "tests/cluster/federation/test_fence.py"),
    ],
)
def test_lane(test: str, lane: str) -> None:
    """A file is a lane of its own, but where its folder's tests share clusters."""
    assert lane_of(test) == lane


def test_folders_that_share_fixtures_are_together() -> None:
    """Whatever conftest has fixtures for more than one file is named, and nothing else is."""
    wide = re.compile(r"""scope="(package|session)""")
    found = {
        str(path.parent.relative_to(ROOT))
        for suite in SUITES
        for path in (ROOT / suite).rglob("conftest.py")
        if wide.search(path.read_text())
    }
    assert found == set(TOGETHER)


def test_longest_first() -> None:
    """The folders that take longest are there, and begin before others."""
    assert all((ROOT / folder).is_dir() for folder in LONGEST)
    tests = ["tests/testbed/test_a.py::a", "tests/cluster/chart/test_b.py::b", "tests/e2e/test_c.py::c"]
    assert sorted(tests, key=turn_of) == tests[::-1]
