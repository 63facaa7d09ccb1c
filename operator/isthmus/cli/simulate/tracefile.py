"""A cluster's trace as CSV: its machines and its pods, in the form of Alibaba's openb trace of 2023.

The form is that of cluster-trace-gpu-v2023, published with Weng et al., "Beware of Fragmentation" (USENIX ATC'23).
"""

import csv
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from isthmus.errors import TraceError
from isthmus.placement.packing import Machine, PodClass

_MACHINE = ("cpu_milli", "memory_mib", "gpu", "model")
_POD = ("cpu_milli", "memory_mib", "num_gpu", "gpu_milli")
_TIMES = ("creation_time", "deletion_time")
_LARGEST = 1 << 40  # millicores, MiB or GPUs: more is a slip
_MOST_GPUS = 4096  # of one machine

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class TimedPod:
    """A pod, when it was created, and for how long it ran; in seconds of the trace's own clock."""

    pod: PodClass
    created: float
    seconds: float


def read_machines(path: Path) -> list[Machine]:
    """The machines of a trace. Raises TraceError, with the line, for what is missing or not of its form."""
    machines = _rows(path, _MACHINE, _machine)
    if not sum(machine.gpus for machine in machines):
        raise TraceError(f"{path} has no machine with a GPU", "name a list of machines that have some")
    return machines


def read_pods(path: Path) -> list[PodClass]:
    """The pods of a trace, in its order; a list without `gpu_spec` names no models. Raises TraceError likewise."""
    return _rows(path, _POD, _pod)


def read_timed_pods(path: Path) -> list[TimedPod]:
    """The pods that came to run, with their times, by creation. Raises TraceError likewise."""
    pods = [pod for pod in _rows(path, (*_POD, *_TIMES), _timed_pod) if pod is not None]
    if not pods:
        raise TraceError(f"{path} has no pod that ran", "name a list whose pods have deletion_time")
    return sorted(pods, key=lambda pod: pod.created)


def _rows(path: Path, columns: Iterable[str], parse: Callable[[Mapping[str, str]], Row]) -> list[Row]:
    rows: list[Row] = []
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            lacking = [column for column in columns if column not in (reader.fieldnames or ())]
            if lacking:
                raise TraceError(f"{path} has no column {', '.join(lacking)}", "name a file of the openb trace's form")
            for row in reader:
                try:
                    rows.append(parse(row))
                except ValueError as error:
                    raise TraceError(f"{path}, line {reader.line_num}: {error}", "mend the row") from None
    except OSError as error:
        raise TraceError(f"can't read {path}: {error.strerror}", "name a CSV file of a trace") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise TraceError(f"{path} is no CSV file: {error}", "name a CSV file of a trace") from None
    if not rows:
        raise TraceError(f"{path} has no rows", "name a file with at least one")
    return rows


def _machine(row: Mapping[str, str]) -> Machine:
    gpus = _whole(row, "gpu")
    if gpus > _MOST_GPUS:
        raise ValueError(f"gpu is {gpus}, more than {_MOST_GPUS}")
    return Machine(_whole(row, "cpu_milli"), _whole(row, "memory_mib"), gpus, row["model"] or "" if gpus else "")


def _pod(row: Mapping[str, str]) -> PodClass:
    gpus = _whole(row, "num_gpu")
    named = (row.get("gpu_spec") or "").split("|") if gpus else ()
    return PodClass(
        cpu_milli=_whole(row, "cpu_milli"),
        memory_mib=_whole(row, "memory_mib"),
        gpus=gpus,
        gpu_milli=_whole(row, "gpu_milli") if gpus else 0,
        models=tuple(sorted({model for model in named if model})),
    )


def _timed_pod(row: Mapping[str, str]) -> TimedPod | None:
    """None for a pod that was deleted before it ran, or at once."""
    created, deleted = _seconds(row, "creation_time"), _seconds(row, "deletion_time")
    scheduled = _seconds(row, "scheduled_time") if row.get("scheduled_time") else created
    return TimedPod(_pod(row), created, deleted - scheduled) if deleted > scheduled else None


def _whole(row: Mapping[str, str], column: str) -> int:
    """A whole number, not negative. Raises ValueError."""
    text = _text(row, column)
    try:
        number = int(text)
    except ValueError:
        raise ValueError(f"{column} is {text!r}, no whole number") from None
    if not 0 <= number <= _LARGEST:
        raise ValueError(f"{column} is {number}, {'negative' if number < 0 else 'more than can be'}")
    return number


def _seconds(row: Mapping[str, str], column: str) -> float:
    text = _text(row, column)
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{column} is {text!r}, no number of seconds") from None
    if not math.isfinite(number) or number < 0:
        raise ValueError(f"{column} is {text}, no instant of a trace")
    return number


def _text(row: Mapping[str, str], column: str) -> str:
    text: str | None = row[column]  # None where the row is too short
    if not text:
        raise ValueError(f"{column} is missing")
    return text
