"""Ctrl-C, SIGTERM and a closed terminal: each ends the demo once, in good order."""

import os
import signal
from pathlib import Path
from types import FrameType

from rich.console import Console

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruption:
    """Turns the first of these signals into KeyboardInterrupt; a second one can't cut the cleaning up short."""

    def __init__(self, console: Console) -> None:
        """Listens from now on."""
        self._console = console
        for ending in ENDINGS:
            signal.signal(ending, self._interrupt)

    def ignore(self) -> None:
        """From now on nothing interrupts."""
        for ending in ENDINGS:
            signal.signal(ending, self._pass_over)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self.ignore()
        self._pass_over(number, frame)
        # Control planes that are just starting are waited for: ended half-way, they could leave something behind.
        self._console.print("\nStopping what was started …")
        raise KeyboardInterrupt

    def _pass_over(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP:  # the terminal is gone: writing to it would fail
            self._console.file = Path(os.devnull).open("w")  # noqa: SIM115 - until the process ends
