"""The machine that a benchmark ran on, for the record beside its figures."""

import os
import platform
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
MEBIBYTE = 1024 * 1024


def describe() -> dict[str, object]:
    """Processor model, cores, memory in MiB, and Python's version."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MEBIBYTE
    text = CPUINFO.read_text(encoding="utf-8") if CPUINFO.exists() else ""
    return {
        "cpu": model_in(text) or platform.machine(),
        "cores": os.cpu_count(),
        "memoryMebibytes": memory,
        "python": platform.python_version(),
    }


def model_in(cpuinfo: str) -> str:
    """The processor's name in the text of /proc/cpuinfo; empty where it has none."""
    names = (line.partition(":")[2].strip() for line in cpuinfo.splitlines() if line.startswith("model name"))
    return next(names, "")
