"""Ends what a testbed has started where the testbed's own process ended without doing it, by SIGKILL for one.

The script `guard.py MARKER DIRECTORY` waits until its standard input closes, which the kernel does when the
process at the other end is gone in whichever way; then it kills every process that carries the marker in its
environment, runs the commands that it was told, and removes the directory. Where all was ended in good order it finds
nothing left to do.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

VARIABLE = "ISTHMUS_TESTBED"
ROUNDS = 100
PAUSE_SECONDS = 0.05
CLOSE_SECONDS = 30
COMMAND_SECONDS = 60


class Guard:
    """The script, running beside the testbed's process in a session of its own."""

    def __init__(self, marker: str, removed: Path | None) -> None:
        """Starts it; `removed` is the directory to remove at the end, if any."""
        self._child = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, marker, str(removed or "")],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

        self._lock = threading.Lock()
        self._commands = 0

    def remember(self, command: Sequence[str]) -> None:
        """Has it run this command at the end, after those told later; it may fail, and its output is lost."""
        assert self._child.stdin is not None  # noqa: S101 - asked for by stdin=PIPE
        with self._lock:
            self._commands += 1
            self._child.stdin.write(json.dumps(list(command)).encode() + b"\n")
            self._child.stdin.flush()

    def close(self) -> None:
        """Has it clear up now, and waits until it has."""
        with contextlib.suppress(BrokenPipeError):
            self._child.communicate(timeout=CLOSE_SECONDS + COMMAND_SECONDS * self._commands)


def carriers(marker: str) -> list[int]:
    """The processes that were started with this marker."""
    wanted = f"{VARIABLE}={marker}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            continue  # it ended meanwhile, or is another user's
    return found


def main(marker: str, directory: str) -> None:
    """Waits for the end of the testbed's process and clears up after it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    commands = [json.loads(line) for line in sys.stdin.buffer.read().splitlines()]
    for _ in range(ROUNDS):
        remaining = carriers(marker)
        if not remaining:
            break
        for pid in remaining:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(PAUSE_SECONDS)
    for command in reversed(commands):
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=COMMAND_SECONDS,
                check=False,
            )
    if directory:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:3])
