"""The hub as a process of its own: started, killed and started again as its pod has it."""

import contextlib
import ctypes
import os
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from federation.hubpod import HubPod
from testbed import DeadlineError, wait_for

SERVING_SECONDS = 90.0


def _die_with_parent() -> None:
    """PR_SET_PDEATHSIG: a test run that is killed leaves no hub behind."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class HubProcess:
    """The container of a pod; its log is appended to over all starts. `marks` are variables that the testbed adds."""

    def __init__(self, pod: HubPod, log: Path, marks: Mapping[str, str]) -> None:
        self.pod = pod
        self.log = log
        self._marks = dict(marks)
        self._process: subprocess.Popen[bytes] | None = None
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    @property
    def command(self) -> list[str]:
        """Program and arguments."""
        return self.pod.command

    @property
    def environment(self) -> dict[str, str]:
        """All variables: nothing of who runs the tests is among them."""
        return {**self.pod.environment, **self._marks}

    @property
    def ledger(self) -> str:
        """The URL of its ledger."""
        return self.pod.ledger

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
        """Start it and wait until its readiness probe succeeds."""
        self.launch()
        try:
            wait_for(lambda: self._asked("readiness")[0] == 200 or not self.running, deadline_seconds, "readiness")
        except DeadlineError as error:
            raise AssertionError(f"{error}: {self._asked('readiness')[1]}\n{self.tail()}") from None
        if not self.running:
            raise RuntimeError(f"the hub ended at once:\n{self.tail()}")

    def launch(self) -> None:
        """Start it."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=self.environment,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - one call into libc, no locks
            )

    def served_at(self) -> str:
        """The URL where it serves health, readiness and metrics, as soon as it does."""
        wait_for(lambda: self._asked("startup")[0] == 200, SERVING_SECONDS, "the hub to serve")
        return self.pod.url("http")

    def become(self, pod: HubPod) -> None:
        """Be the container of another pod from the next start on. Raises RuntimeError while it runs."""
        if self.running:
            raise RuntimeError("the former pod's container still runs")
        self.pod = pod

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
        grace = self.pod.grace_seconds
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(grace)
            raise RuntimeError(f"the hub did not end within {grace:.0f} s:\n{self.tail()}") from None
        finally:
            self._process = None

    def _asked(self, probe: str) -> tuple[int, str]:
        """Status and body of what a probe is answered; 0 where there is no answer."""
        url, timeout = self.pod.probe(probe)
        try:
            with self._opener.open(url, timeout=timeout) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with contextlib.closing(error):
                return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)
