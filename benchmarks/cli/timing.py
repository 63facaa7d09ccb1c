"""Commands timed as a person waits for them."""

import os
import resource
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Timed:
    """How long each run took, and how much of a processor, in seconds, and how many lines it printed."""

    seconds: tuple[float, ...]
    processor: tuple[float, ...]
    lines: int

    def report(self) -> dict[str, object]:
        """In milliseconds, as a file holds it."""
        return {
            "medianMilliseconds": round(median(self.seconds) * 1000),
            "leastMilliseconds": round(min(self.seconds) * 1000),
            "mostMilliseconds": round(max(self.seconds) * 1000),
            "processorMilliseconds": round(median(self.processor) * 1000),
            "lines": self.lines,
        }


def timed(command: Sequence[str], environment: Mapping[str, str], runs: int) -> Timed:
    """Run it so often, each in a process of its own, after once that is not counted. CalledProcessError."""
    own = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    taken, spent = [], []
    output = b""
    for _ in range(runs + 1):
        begun, before = time.perf_counter(), _children()
        output = subprocess.run(command, env={**own, **environment}, check=True, stdout=subprocess.PIPE).stdout
        taken.append(time.perf_counter() - begun)
        spent.append(_children() - before)
    return Timed(tuple(taken[1:]), tuple(spent[1:]), len(output.splitlines()))


def _children() -> float:
    """Processor time of all processes of ours that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
