import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from testbed import wait_for
from testbed.guard import carriers

PROGRAM = """
import subprocess, sys
from testbed import ClusterSpec, Machine, Testbed
with Testbed(directory=sys.argv[1], keep=sys.argv[2] == "keep") as bed:
    bed.start(ClusterSpec("hub", scheduling=False), ClusterSpec("m", machines=[Machine("one", "4", "8Gi")]))
    subprocess.Popen(["sleep", "1000"], env={**bed.environment}, start_new_session=True)
    print(bed.environment["ISTHMUS_TESTBED"], flush=True)
    sys.stdin.read()
"""


def _start(directory: Path, keep: str = "") -> tuple["subprocess.Popen[str]", str]:
    program = subprocess.Popen(
        [
            sys.executable,
            "-c",
            PROGRAM.replace("sys.argv[1]", "__import__('pathlib').Path(sys.argv[1])"),
            str(directory),
            keep,
        ],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "hack")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert program.stdout is not None
    marker = program.stdout.readline().strip()
    wait_for(lambda: len(carriers(marker)) == 3 + 5 + 1, 15, "hub, member and the process of ours to carry the mark")
    return program, marker


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT, None], ids=["killed", "interrupted", "finished"])
def test_nothing_outlives_the_process(tmp_path: Path, end: signal.Signals | None) -> None:
    """However the process ends, everything it started is gone soon after, marked processes and files included."""
    program, marker = _start(tmp_path)
    with program:
        if end is not None:
            program.send_signal(end)
        program.communicate(timeout=60)
    wait_for(lambda: not carriers(marker), 15, "the last process to end")
    wait_for(lambda: not list(tmp_path.iterdir()), 15, "the files to be removed")


def test_files_stay_when_asked(tmp_path: Path) -> None:
    """With keep the logs and the audit log are there afterwards."""
    program, marker = _start(tmp_path, "keep")
    with program:
        program.communicate(timeout=60)
    assert not carriers(marker)
    assert {"apiserver.log", "audit.jsonl"} <= {path.name for path in tmp_path.glob("*/hub/*")}
