"""Alibaba's openb GPU cluster trace: its machines and its pods, read from CSV.

The form is that of cluster-trace-gpu-v2023, published with "Beware of Fragmentation" (USENIX ATC'23).
"""

import csv
import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from demo.failure import DemoError

MACHINES_FILE = "openb_node_list_all_node.csv"
PODS_FILE = "openb_pod_list_gpuspec33.csv"  # the list in which a third of the GPU pods name models
WHOLE_GPU_MILLI = 1000

Row = TypeVar("Row")


@dataclasses.dataclass(frozen=True, slots=True)
class TraceMachine:
    """A machine: cores in milli, memory in MiB, whole GPUs of one model ("" and 0 where it has none)."""

    name: str
    cpu_milli: int
    memory_mib: int
    gpus: int
    model: str


@dataclasses.dataclass(frozen=True, slots=True)
class TracePod:
    """A pod: what it asked for, and for how many seconds it lived.

    `gpu_milli` is the share of one GPU, below 1000 only with `gpus` 1; no `models` means that any would do.
    """

    name: str
    cpu_milli: int
    memory_mib: int
    gpus: int
    gpu_milli: int
    models: tuple[str, ...]
    seconds: int

    @property
    def shares_gpu(self) -> bool:
        """Whether it asks for a part of a GPU."""
        return self.gpus > 0 and self.gpu_milli < WHOLE_GPU_MILLI


@dataclasses.dataclass(frozen=True, slots=True)
class Trace:
    """Machines and pods in the order of their files."""

    machines: tuple[TraceMachine, ...]
    pods: tuple[TracePod, ...]


def read_trace(folder: Path) -> Trace:
    """The trace in `folder`. Raises DemoError, with file and line, for what is missing or not of its form."""
    return Trace(_rows(folder / MACHINES_FILE, _machine), _rows(folder / PODS_FILE, _pod))


def _rows(path: Path, parse: Callable[[Mapping[str, str]], Row]) -> tuple[Row, ...]:
    parsed = []
    try:
        with path.open(newline="") as file:
            for number, row in enumerate(csv.DictReader(file), 2):
                try:
                    parsed.append(parse(row))
                except (KeyError, TypeError, ValueError) as error:
                    raise DemoError(
                        f"{path}, line {number}: not a row of the openb trace ({error!r}).",
                        "Mend the file, or move its folder away: then the sample in the repository is taken.",
                    ) from error
    except OSError as error:
        raise DemoError(
            f"The trace can't be read: {error}.",
            f"The folder needs {MACHINES_FILE} and {PODS_FILE}; ISTHMUS_TRACES names it.",
        ) from error
    return tuple(parsed)


def _machine(row: Mapping[str, str]) -> TraceMachine:
    return TraceMachine(row["sn"], int(row["cpu_milli"]), int(row["memory_mib"]), int(row["gpu"]), row["model"])


def _pod(row: Mapping[str, str]) -> TracePod:
    started = row["scheduled_time"] or row["creation_time"]
    return TracePod(
        name=row["name"],
        cpu_milli=int(row["cpu_milli"]),
        memory_mib=int(row["memory_mib"]),
        gpus=int(row["num_gpu"]),
        gpu_milli=int(row["gpu_milli"]),
        # The trace repeats some models; the order of their first naming is kept.
        models=tuple(dict.fromkeys(model for model in row["gpu_spec"].split("|") if model)),
        seconds=max(0, round(float(row["deletion_time"]) - float(started))),
    )
