"""`python -m secondtry ARGUMENTS` runs pytest with these arguments, and what failed a second time where it is little.

At most three failed tests are run once more, by themselves and in a process of their own, with fixtures of their own
and without the arguments. What passes then is named in the last lines as flaky; what fails again fails the whole. More
than that, or anything but failed tests (an error of collection, an interrupt), fails at once. Tests that judge all
others, and were put off while these failed or ran side by side, run then too.
"""

import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from secondtry.record import Record

MOST = 3
PYTEST = Path(sys.executable).with_name("pytest")
TESTED = frozenset({pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED})
Session = Callable[[Sequence[str]], tuple[int, Record]]
"""Runs pytest with arguments: its exit status, and what it recorded."""


def run(arguments: Sequence[str], session: Session) -> int:
    """The exit status of pytest with these arguments, after the second try where there is one."""
    status, first = session(arguments)
    if status not in TESTED or first.uncollected or not (first.failed or first.put_off):
        return status
    if len(first.failed) > MOST:
        _say(f"{len(first.failed)} failed: too many for a second try")
        return status
    if first.failed:
        _say(f"{len(first.failed)} failed: a second try of this alone")
    status, second = session(selection(first))
    if status not in TESTED:
        return status
    for test in first.failed:
        if test not in second.failed:
            _say(f"FLAKY, passed on the second try: {test}")
    for test in second.failed:
        _say(f"FAILED on the second try{' as well' if test in first.failed else ''}: {test}")
    return status


def selection(record: Record) -> list[str]:
    """What a second session runs: the failed tests, and those that can judge once these have passed.

    Of a test that failed as it was torn down it is the whole file: what all its tests left behind may have been judged.
    """
    tests = [test.partition("::")[0] if test in record.ended_badly else test for test in record.failed]
    return list(dict.fromkeys((*tests, *record.put_off)))


def _say(line: str) -> None:
    print(f"==> {line}", flush=True)


def main(arguments: Sequence[str]) -> int:
    """Runs the sessions as processes; Ctrl-C is theirs to answer."""
    signal.signal(signal.SIGINT, lambda *_: None)
    with tempfile.TemporaryDirectory(prefix="isthmus-secondtry-") as folder:
        number = 0

        def session(arguments: Sequence[str]) -> tuple[int, Record]:
            nonlocal number
            number += 1
            path = Path(folder, f"{number}.json")
            command = [str(PYTEST), "-p", "secondtry.record", f"--record={path}", *arguments]
            return subprocess.run(command, check=False).returncode, Record.read(path)

        return run(arguments, session)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
