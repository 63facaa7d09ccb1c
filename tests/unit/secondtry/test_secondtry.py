import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from secondtry.__main__ import MOST, run, selection
from secondtry.record import Record

INI = "[pytest]\naddopts = -p no:cacheprovider -p no:xdist -p no:hypothesispytest\n"
FLAKY = """
from pathlib import Path

import pytest

BEFORE = Path({before!r})


@pytest.fixture(scope="module")
def ground():
    yield
    assert not BEFORE.with_name("untidy").exists()


def test_sound(ground):
    pass


@pytest.mark.parametrize("number", [1, 2], ids=["a b", "c::d"])
def test_flaky(number, ground):
    there = BEFORE.exists()
    BEFORE.touch()
    assert there


def test_judge():
    if not BEFORE.with_name("judged").exists():
        BEFORE.with_name("judged").touch()
        pytest.skip("not judged: 1 tests failed")
"""


def outcome(arguments: Sequence[str], *outcomes: tuple[int, Record]) -> tuple[int, list[list[str]]]:
    """Status, and the arguments of each session, where the sessions end so."""
    asked: list[list[str]] = []
    answers = iter(outcomes)

    def session(given: Sequence[str]) -> tuple[int, Record]:
        asked.append([*given])
        return next(answers)

    return run(arguments, session), asked


def failed(*tests: str) -> tuple[int, Record]:
    """A session in which these failed."""
    return 1, Record(failed=tests)


@pytest.mark.parametrize(
    ("first", "status"),
    [
        pytest.param((0, Record()), 0, id="all passed"),
        pytest.param(failed(*(f"t.py::{number}" for number in range(MOST + 1))), 1, id="too many failed"),
        pytest.param((2, Record()), 2, id="collection failed or it was interrupted"),
        pytest.param((2, Record(failed=("t.py::a",))), 2, id="interrupted after a failure"),
        pytest.param((1, Record()), 1, id="nobody knows what failed"),
        pytest.param((1, Record(failed=("t.py::a",), uncollected=True)), 1, id="some were not collected"),
        pytest.param((-9, Record()), -9, id="killed"),
    ],
)
def test_there_is_no_second_try(first: tuple[int, Record], status: int) -> None:
    """Where all is well, too much is not, or the session itself failed, its status stands."""
    assert outcome(["tests"], first) == (status, [["tests"]])


@pytest.mark.parametrize(
    ("second", "status", "said"),
    [
        ((0, Record()), 0, ["FLAKY, passed on the second try: t.py::a", "FLAKY, passed on the second try: u.py::b"]),
        (
            failed("u.py::b", "u.py::c"),
            1,
            [
                "FLAKY, passed on the second try: t.py::a",
                "FAILED on the second try as well: u.py::b",
                "FAILED on the second try: u.py::c",
            ],
        ),
        ((2, Record()), 2, []),
    ],
    ids=["all pass", "one fails again", "interrupted"],
)
def test_what_failed_is_tried_again(
    second: tuple[int, Record], status: int, said: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The second session runs what failed and nothing else; its status is the whole's, and the last lines tell each."""
    assert outcome(["tests"], failed("t.py::a", "u.py::b"), second) == (status, [["tests"], ["t.py::a", "u.py::b"]])
    lines = ["2 failed: a second try of this alone", *said]
    assert capsys.readouterr().out == "".join(f"==> {line}\n" for line in lines)


@pytest.mark.parametrize("status", [0, 1])
def test_what_was_put_off_runs_last(status: int, capsys: pytest.CaptureFixture[str]) -> None:
    """A test that judges all others, which ran side by side, runs in a session of its own, and its verdict counts."""
    second = (status, Record(failed=("v.py::judge",) if status else ()))
    first = (0, Record(put_off=("v.py::judge",)))
    assert outcome(["tests"], first, second) == (status, [["tests"], ["v.py::judge"]])
    assert capsys.readouterr().out == ("==> FAILED on the second try: v.py::judge\n" if status else "")


def test_selection() -> None:
    """A test that was not torn down well comes with its file; what judges the others comes last, each once."""
    tests = ("t.py::a[x]", "t.py::b[y]", "u.py::c")
    record = Record(tests, frozenset({"t.py::a[x]", "t.py::b[y]"}), ("v.py::judge",))
    assert selection(record) == ["t.py", "u.py::c", "v.py::judge"]


def test_a_flaky_test_in_truth(tmp_path: Path) -> None:
    """With pytest itself: what fails once is run again with what judges it, passes, and is told in the last line."""
    (tmp_path / "pytest.ini").write_text(INI)
    (tmp_path / "test_it.py").write_text(FLAKY.format(before=str(tmp_path / "before")))
    there = {path.name for path in tmp_path.iterdir()}
    first = second_try(tmp_path)
    assert first.returncode == 0, first.stdout
    assert "1 failed, 2 passed, 1 skipped" in first.stdout
    assert "2 passed in" in first.stdout
    assert first.stdout.splitlines()[-1] == "==> FLAKY, passed on the second try: test_it.py::test_flaky[a b]"
    left = {path.name for path in tmp_path.iterdir()} - there
    assert left <= {"before", "judged", "__pycache__"}


def test_side_by_side_in_truth(tmp_path: Path) -> None:
    """With pytest-xdist: one process of several writes down what failed in all of them."""
    (tmp_path / "pytest.ini").write_text(INI.replace("-p no:xdist ", ""))
    for number in (1, 2):
        (tmp_path / f"test_{number}.py").write_text("def test_wrong():\n    assert False\n")
    done = second_try(tmp_path, "--numprocesses=2", "--dist=loadfile", "-p", "secondtry.lanes")
    assert done.returncode == 1
    assert sorted(done.stdout.splitlines()[-2:]) == [
        f"==> FAILED on the second try as well: test_{number}.py::test_wrong" for number in (1, 2)
    ]


def test_what_can_not_be_collected_in_truth(tmp_path: Path) -> None:
    """With pytest-xdist: a file that can't be imported fails the whole at once."""
    (tmp_path / "pytest.ini").write_text(INI.replace("-p no:xdist ", ""))
    (tmp_path / "test_1.py").write_text("import nothing_of_the_kind\n")
    (tmp_path / "test_2.py").write_text("def test_wrong():\n    assert False\n")
    done = second_try(tmp_path, "--numprocesses=2", "--dist=loadfile", "-p", "secondtry.lanes")
    assert done.returncode != 0
    assert "==>" not in done.stdout


def test_a_fixture_that_fails_in_truth(tmp_path: Path) -> None:
    """With pytest itself: what a fixture of the file finds at the end is looked for again over the whole file."""
    (tmp_path / "pytest.ini").write_text(INI)
    (tmp_path / "test_it.py").write_text(FLAKY.format(before=str(tmp_path / "before")))
    for name in ("before", "judged", "untidy"):
        (tmp_path / name).touch()
    done = second_try(tmp_path)
    assert done.returncode == 1
    assert done.stdout.count("4 passed, 1 error in") == 2
    assert done.stdout.splitlines()[-1] == "==> FAILED on the second try as well: test_it.py::test_judge"


def second_try(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    """`python -m secondtry` there."""
    command = [sys.executable, "-m", "secondtry", "-q", *options, "."]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
