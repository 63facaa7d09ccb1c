"""The hub as a process of its own: started, killed and started again over the same ledger."""

import ctypes
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from testbed import wait_for

STOP_SECONDS = 20.0


def _die_with_parent() -> None:
    """PR_SET_PDEATHSIG: a test run that is killed leaves no hub behind."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _environment() -> dict[str, str]:
    """Ours, but that the hub keeps compiled modules, as an installed one has them: to compile them takes seconds."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}


class HubProcess:
    """`isthmus hub` over one kubeconfig and ledger; its log is appended to over all starts."""

    def __init__(self, kubeconfig: Path, ledger: str, log: Path, environment: Mapping[str, str], *options: str) -> None:
        self.ledger = ledger
        self.log = log
        self.command = [
            str(Path(sys.executable).with_name("isthmus")),
            "hub",
            f"--kubeconfig={kubeconfig}",
            f"--ledger={ledger}",
            "--log-format=console",
            *options,
        ]
        self._environment = dict(environment)
        self._launches = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id while it runs."""
        if self._process is None:
            raise RuntimeError("the hub is not running")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self, *, deadline_seconds: float = 90.0) -> None:
        """Start it and wait until it says that it is ready."""
        before = self._ready_lines()
        self.launch()
        wait_for(lambda: self._ready_lines() > before or not self.running, deadline_seconds, "the hub to be ready")
        if not self.running:
            raise RuntimeError(f"the hub ended at once:\n{self.tail()}")

    def launch(self) -> None:
        """Start it."""
        self._launches += 1
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env={**_environment(), **self._environment},
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - one call into libc, no locks
            )

    def served_at(self) -> str:
        """The URL where it serves health, readiness and metrics, once its log says so; its log must be JSON."""

        def addresses() -> list[str]:
            lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
            return [json.loads(line)["address"] for line in lines if '"serving health, readiness' in line]

        wait_for(lambda: len(addresses()) >= self._launches, 90, "the hub to serve")
        return f"http://{addresses()[-1]}"

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, and wait for the end."""
        self._signal(signal.SIGTERM)

    def pause(self) -> None:
        """SIGSTOP."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        os.kill(self.pid, signal.SIGCONT)

    def tail(self, lines: int = 40) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""

    def _signal(self, number: int) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(number)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP_SECONDS)
            raise RuntimeError(f"the hub did not end within {STOP_SECONDS:.0f} s:\n{self.tail()}") from None
        finally:
            self._process = None

    def _ready_lines(self) -> int:
        return self.log.read_text(errors="replace").count("hub ready") if self.log.exists() else 0
