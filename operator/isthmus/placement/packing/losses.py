"""What of a machine's free GPUs can't be used by what is likely to come: fragments, and GPUs starved of the rest.

Fragments are those of Weng et al., "Beware of Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation
Gradient Descent" (USENIX ATC'23): averaged over the typical pods, the free GPU shares that the pod can't use, all of
them where it has no room on the machine, else the shares too small for it. Starved are the free shares beyond those
that the machine's free cores and memory can serve, at what the workload's GPU pods ask for beside a GPU on average.
"""

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from .classes import Floats, Integers
from .machines import WHOLE
from .workload import Workload


@dataclass(frozen=True, slots=True)
class Free:
    """What is free on machines of one model: a row for each, and of what is two-dimensional a column for each kind.

    Kinds of GPU request are the workload's. `able` are the GPUs with enough free for one, `scraps` the free thousandths
    on the others; `cpu` is in millicores, `memory` in MiB, `gpu` in thousandths of a GPU.
    """

    cpu: Integers
    memory: Integers
    gpu: Integers
    able: Integers
    scraps: Integers


class Losses:
    """The measure for one workload, in thousandths of a GPU."""

    def __init__(self, workload: Workload) -> None:
        self.workload = workload

    def lost(self, model: str, free: Free) -> Floats:
        """What can't be used of each machine."""
        work = self.workload
        served = np.minimum(_served(free.cpu, work.cpu_per_gpu), _served(free.memory, work.memory_per_gpu))
        lost: Floats = self.fragments(model, free) + np.maximum(0.0, free.gpu - served)
        return lost

    def fragments(self, model: str, free: Free) -> Floats:
        """The fragments of each machine."""
        work = self.workload
        usable = (free.able >= work.needed) * (free.gpu[:, None] - free.scraps)
        fragments: Floats = free.gpu - np.einsum("mk,mk->m", work.weights(model, free.cpu), usable)
        return fragments


class WholeLosses:
    """The same for machines of one model whose GPUs are each free or in use, asked about one machine at a time.

    The fragments of such a machine are a share of its free GPUs that hangs on how many these are and on the free cores,
    by steps: it is tabulated.
    """

    def __init__(self, losses: Losses, model: str) -> None:
        work = losses.workload
        self._per_gpu = (work.cpu_per_gpu * WHOLE, work.memory_per_gpu * WHOLE)
        self._cores = work.steps.tolist()
        self._counts = np.unique(work.needed).tolist()
        cores, counts = np.array([-1, *self._cores]), np.array([0, *self._counts])
        cpu, gpus = (each.ravel() for each in np.meshgrid(cores, counts))
        nothing = np.zeros_like(cpu)
        able = np.broadcast_to(gpus[:, None], (len(gpus), len(work.needed)))
        free = Free(cpu, nothing, gpus * WHOLE, able, np.zeros_like(able))
        shares = losses.fragments(model, free) / np.maximum(1, gpus * WHOLE)
        shares[gpus == 0] = 1.0  # fewer than any pod asks for
        self._shares: list[list[float]] = shares.reshape(len(counts), len(cores)).tolist()

    def lost(self, cpu: int, memory: float, gpus: int) -> float:
        """What can't be used of so many free GPUs beside so many millicores and MiB."""
        if gpus <= 0:
            return 0.0
        served = float(gpus)
        for free, each in zip((cpu, memory), self._per_gpu, strict=True):
            if each and free < served * each:
                served = free / each
        share = self._shares[bisect_right(self._counts, gpus)][bisect_right(self._cores, cpu)]
        return WHOLE * (gpus * share + gpus - served)


def _served(free: Integers, per_gpu: float) -> Floats:
    """How many thousandths of a GPU so much of cores or memory serves."""
    return free / per_gpu if per_gpu else np.full(len(free), np.inf)
