"""The view while control planes start: one line a cluster, or a line for each thing that happens."""

import threading
import time
from collections.abc import Sequence
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

DONE = "ready"


class Startup:
    """Shows how far each cluster is; `progress` is called from several threads."""

    def __init__(self, console: Console, clusters: Sequence[str]) -> None:
        """Shows nothing before it is entered."""
        self._console = console
        self._started = time.monotonic()
        self._lock = threading.Lock()
        self._steps = dict.fromkeys(clusters, "starting")
        self._spinner = Spinner("dots")
        self._live = Live(get_renderable=self._render, console=console, refresh_per_second=8)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def progress(self, cluster: str, step: str) -> None:
        """A cluster has come a step further."""
        elapsed = time.monotonic() - self._started
        told = f"{step} after {elapsed:.1f} s" if step == DONE else step
        with self._lock:
            self._steps[cluster] = told
        if not self._console.is_terminal:
            self._console.print(f"  {cluster}: {told}", highlight=False)

    def _render(self) -> Table:
        table = Table.grid(padding=(0, 2))
        with self._lock:
            steps = dict(self._steps)
        for cluster, step in steps.items():
            done = step.startswith(DONE)
            sign = Text("✓", "green") if done else self._spinner
            table.add_row(Text(" "), sign, cluster, Text(step, "bright_black"))
        return table
