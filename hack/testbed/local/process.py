"""One program of a control plane, in a process group of its own."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from testbed.processortime import cpu_seconds

TAIL = 2000  # characters of a log that a failure shows
KILL_SECONDS = 10


class ProcessError(RuntimeError):
    """A program ended by itself or would not end; the message has the end of its log."""


class Process:
    """A program that can be started again after it was stopped, always by the same command."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        """Describes the program; `start` runs it."""
        self.name = name
        self.log = log
        self._command = list(command)
        self._environment = dict(environment)
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The running program's process id."""
        return self._child.pid if self._child and self._child.poll() is None else None

    def start(self) -> None:
        """Starts the program; a running one is left as it is."""
        if self.pid is not None:
            return
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in a terminal is for the testbed, which ends its parts in order
            )

    def check(self) -> None:
        """Raises ProcessError where the program has ended by itself."""
        if self._child and (code := self._child.poll()) is not None:
            raise ProcessError(f"{self.name} ended with code {code}: {self.tail()}")

    def stop(self, deadline_seconds: float) -> None:
        """Asks the program to end, and kills it where it has not after the deadline."""
        if self._child is None:
            return
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)  # a paused program hears nothing before it
        try:
            self._child.wait(deadline_seconds)
        except subprocess.TimeoutExpired:
            self.kill()
        else:
            self._child = None

    def kill(self) -> None:
        """Ends the program at once."""
        if self._child is None:
            return
        self._signal(signal.SIGKILL)
        self._child.wait(KILL_SECONDS)
        self._child = None

    def pause(self) -> None:
        """Freezes the program."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Lets a frozen program go on."""
        self._signal(signal.SIGCONT)

    def tail(self) -> str:
        """The end of the program's log."""
        return self.log.read_text(errors="replace")[-TAIL:]

    def resident_bytes(self) -> int:
        """Resident memory; 0 where the program does not run."""
        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        except OSError:
            return 0
        return pages * os.sysconf("SC_PAGESIZE")

    def cpu_seconds(self) -> float:
        """Processor time, user and system, since it started; 0 where the program does not run."""
        pid = self.pid
        try:
            return cpu_seconds(pid) if pid is not None else 0.0
        except OSError:
            return 0.0

    def _signal(self, number: signal.Signals) -> None:
        if self.pid is not None:
            os.killpg(self.pid, number)
