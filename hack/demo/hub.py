"""The hub's operator as a process of its own, as an administrator would start it."""

import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from demo.failure import DemoError
from demo.tariffs import CURRENCY

COMMAND = Path(sys.executable).parent / "isthmus"
STOP_SECONDS = 15.0
TAIL_LINES = 20


class HubProcess:
    """`isthmus hub`, its log in a file; end it with `stop`."""

    def __init__(self, kubeconfig: Path, ledger: str, log: Path, environment: Mapping[str, str]) -> None:
        """Starts it."""
        self.log = log
        command = [str(COMMAND), "hub", f"--kubeconfig={kubeconfig}", f"--ledger={ledger}", f"--currency={CURRENCY}"]
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [*command, "--log-format=console"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,  # Ctrl-C at the terminal is the demo's; it ends the hub in good order
            )

    def check(self) -> None:
        """Raises DemoError where the hub has ended by itself."""
        code = self._process.poll()
        if code is not None:
            raise DemoError(
                f"The hub's process ended by itself with code {code}.",
                f"Its log is in {self.log}; its end stands below.",
            )

    def tail(self) -> str:
        """The end of its log."""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-TAIL_LINES:])

    def stop(self) -> None:
        """Ends it in good order, or after 15 s at once."""
        if self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
