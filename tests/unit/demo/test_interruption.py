import os
import subprocess
import sys
from pathlib import Path

HACK = Path(__file__).parents[3] / "hack"
SCRIPT = """
import os, signal, sys
from rich.console import Console
from demo.interruption import Interruption
interruption = Interruption(Console())
try:
    os.kill(os.getpid(), signal.{first})
    signal.pause()
except KeyboardInterrupt:
    pass
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    os.kill(os.getpid(), number)
sys.stderr.write("cleaned up")
"""


def test_one_signal_interrupts_and_no_second_one() -> None:
    """Each of the three signals becomes a KeyboardInterrupt once; whatever comes later leaves the cleaning up alone."""
    for first in ("SIGINT", "SIGTERM", "SIGHUP"):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT.format(first=first)],
            env={**os.environ, "PYTHONPATH": str(HACK)},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "cleaned up")


def test_a_closed_terminal_is_not_written_to(tmp_path: Path) -> None:
    """After SIGHUP the console writes nowhere, so that saying something can't fail."""
    script = SCRIPT.format(first="SIGHUP").replace("Console()", "console") + "\nconsole.print('lost')"
    script = script.replace("interruption =", "console = Console()\ninterruption =")
    told = tmp_path / "told"
    with told.open("w") as output:
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONPATH": str(HACK)},
            stdout=output,
            stderr=subprocess.DEVNULL,
            timeout=30,
            check=True,
        )
    assert told.read_text() == ""
