"""What a process has used, as Linux counts it."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """Seconds of processor time, user and system, of all its threads since it started."""
    return cpu_seconds_in(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8"), _TICKS)


def cpu_seconds_in(stat: str, ticks: int) -> float:
    """The same from the text of /proc/PID/stat; the command in it may hold blanks and brackets."""
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / ticks


def peak_mebibytes(pid: int) -> float:
    """The most resident memory it ever had."""
    return mebibytes_in(Path(f"/proc/{pid}/status").read_text(encoding="utf-8"), "VmHWM")


def resident_mebibytes(pid: int) -> float:
    """Its resident memory now."""
    return mebibytes_in(Path(f"/proc/{pid}/status").read_text(encoding="utf-8"), "VmRSS")


def mebibytes_in(status: str, field: str) -> float:
    """A field of /proc/PID/status, which is in KiB there. KeyError where it is not there."""
    values = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return int(values[field].split()[0]) / 1024
