"""The console script on a terminal of some size, and what it shows there."""

import contextlib
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable
from fcntl import ioctl
from types import TracebackType
from typing import Self

from tests.cluster.cli.desk import SCRIPT, Desk

SECONDS = 60.0


class Terminal:
    """A program on a terminal; `shown` is all that it wrote so far."""

    def __init__(self, desk: Desk, *arguments: str, columns: int = 60, rows: int = 24, **variables: str) -> None:
        self._ours, self._theirs = pty.openpty()
        ioctl(self._theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(self._theirs)
        self.shown = ""
        self._process = subprocess.Popen(
            [str(SCRIPT), *arguments],
            env=desk.env(TERM="xterm-256color", **variables),
            stdin=self._theirs,
            stdout=self._theirs,
            stderr=self._theirs,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._ours)
        os.close(self._theirs)

    def until(self, condition: Callable[[str], bool], what: str) -> str:
        """Read on until what is shown meets the condition."""
        deadline = time.monotonic() + SECONDS
        while not condition(self.shown):
            assert time.monotonic() < deadline, f"{what}: not seen in {self.shown!r}"
            self._read(0.2)
        return self.shown

    def interrupt(self) -> int:
        """Ctrl-C; the exit code."""
        self._process.send_signal(signal.SIGINT)
        return self.end()

    def end(self) -> int:
        """Read on until the program ends; the exit code."""
        deadline = time.monotonic() + SECONDS
        while self._process.poll() is None:
            assert time.monotonic() < deadline, self.shown
            self._read(0.2)
        self._read(0)
        return self._process.returncode

    @property
    def after(self) -> list[object]:
        """How the terminal is set now."""
        return termios.tcgetattr(self._theirs)

    def _read(self, seconds: float) -> None:
        while select.select([self._ours], [], [], seconds)[0]:
            with contextlib.suppress(OSError):
                data = os.read(self._ours, 65_536)
                self.shown += data.decode(errors="replace")
                if data:
                    seconds = 0
                    continue
            return
