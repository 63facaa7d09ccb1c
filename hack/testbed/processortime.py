"""How much processor time a process has used, as Linux counts it."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """Seconds of processor time, user and system, of all its threads since it started. OSError where it has gone."""
    return cpu_seconds_in(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8"), _TICKS)


def cpu_seconds_in(stat: str, ticks: int) -> float:
    """The same from the text of /proc/PID/stat; the command in it may hold blanks and brackets."""
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / ticks
