"""Draws the sample anew: `python -m demo.sample.draw` writes the two CSV files beside this one.

Kinds of machines and requests and their proportions are those that are common in the trace; no row is copied.
"""

import csv
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from demo.trace import MACHINES_FILE, PODS_FILE

Value = TypeVar("Value")

SEED = 2023
POD_COUNT = 480
SPAN_SECONDS = 86_400
NAMED_SHARE = 0.33  # of GPU pods

# How many; then cores in milli, memory in MiB, GPUs and their model.
MACHINES = (
    (4, 32_000, 262_144, 0, ""),
    (3, 64_000, 262_144, 0, ""),
    (2, 96_000, 393_216, 0, ""),
    (3, 96_000, 524_288, 0, ""),
    (2, 128_000, 1_048_576, 1, "A10"),
    (5, 96_000, 393_216, 8, "G2"),
    (1, 128_000, 786_432, 8, "G3"),
    (2, 16_000, 122_880, 2, "P100"),
    (2, 64_000, 262_144, 2, "P100"),
    (8, 104_000, 524_288, 2, "T4"),
    (2, 96_000, 393_216, 4, "T4"),
    (2, 32_000, 131_072, 4, "V100M16"),
    (1, 64_000, 262_144, 8, "V100M16"),
    (1, 96_000, 786_432, 8, "V100M32"),
)

# A weight; then cores in milli, memory in MiB, GPUs and the share of one.
REQUESTS = (
    (80, (12_500, 57_344, 0, 0)),
    (60, (32_000, 49_152, 0, 0)),
    (35, (8_000, 30_720, 0, 0)),
    (25, (16_000, 51_200, 0, 0)),
    (180, (11_300, 49_152, 1, 1000)),
    (115, (11_400, 48_128, 1, 1000)),
    (100, (3_100, 5_600, 1, 1000)),
    (60, (18_700, 64_512, 1, 1000)),
    (40, (9_800, 41_472, 1, 1000)),
    (40, (12_000, 24_576, 1, 1000)),
    (30, (15_700, 58_368, 1, 1000)),
    (20, (24_200, 93_184, 1, 1000)),
    (5, (22_000, 81_920, 2, 1000)),
    (5, (40_000, 131_072, 4, 1000)),
    (9, (88_000, 327_680, 8, 1000)),
    (140, (3_100, 5_600, 1, 320)),
    (100, (8_000, 30_720, 1, 500)),
    (60, (4_000, 15_360, 1, 220)),
)

# A weight; then the models that will do.
SPECS = (
    (48, "T4"),
    (22, "G2"),
    (9, "V100M16|V100M32"),
    (7, "P100|V100M16|V100M32"),
    (5, "G3"),
    (5, "P100|T4|V100M16|V100M32"),
    (2, "V100M32"),
    (2, "A10|T4"),
)

# A weight; then seconds, from and to: the quartiles and outer tenths of the trace's lives, the longest left out.
LIVES = (
    (10, (1, 60)),
    (15, (60, 145)),
    (25, (145, 485)),
    (25, (485, 1_922)),
    (15, (1_922, 6_518)),
    (10, (6_518, 14_400)),
)

QOS = ((57, "LS"), (42, "BE"), (1, "Burstable"))


def machine_rows() -> Iterator[dict[str, object]]:
    """The machines, numbered through."""
    kinds = [kind for count, *kind in MACHINES for _ in range(count)]
    for number, (cpu, memory, gpus, model) in enumerate(kinds):
        name = f"sample-node-{number:04}"
        yield {"sn": name, "cpu_milli": cpu, "memory_mib": memory, "gpu": gpus, "model": model}


def pod_rows(seed: int = SEED) -> Iterator[dict[str, object]]:
    """The pods in the order of their creation, the same ones for the same seed."""
    draw = random.Random(seed)  # noqa: S311 - a draw that anyone can repeat, not a secret
    created = sorted(draw.randrange(SPAN_SECONDS) for _ in range(POD_COUNT))
    for number, creation in enumerate(created):
        cpu, memory, gpus, milli = _weighted(draw, REQUESTS)
        # As in the trace, it is single GPUs that are asked for by model.
        named = gpus == 1 and draw.random() < NAMED_SHARE
        spec = _weighted(draw, SPECS) if named else ""
        shortest, longest = _weighted(draw, LIVES)
        qos = _weighted(draw, QOS)
        yield {
            "name": f"sample-pod-{number:04}",
            "cpu_milli": cpu,
            "memory_mib": memory,
            "num_gpu": gpus,
            "gpu_milli": milli,
            "gpu_spec": spec,
            "qos": qos,
            "pod_phase": "Running",
            "creation_time": creation,
            "deletion_time": creation + draw.randint(shortest, longest),
            "scheduled_time": creation,
        }


def write_sample(folder: Path) -> None:
    """Writes both files of the sample into the folder."""
    _write(folder / MACHINES_FILE, machine_rows())
    _write(folder / PODS_FILE, pod_rows())


def _weighted(draw: random.Random, table: Sequence[tuple[int, Value]]) -> Value:
    return draw.choices([value for _, value in table], [weight for weight, _ in table])[0]


def _write(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    listed = list(rows)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(listed[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(listed)


if __name__ == "__main__":
    write_sample(Path(__file__).resolve().parent)
