"""How much memory a process takes, as Linux counts it."""

from pathlib import Path


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
