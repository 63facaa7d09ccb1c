"""Lose as little as can be of what the pods to come could use.

After the fragmentation gradient descent of Weng et al., "Beware of Fragmentation: Scheduling GPU-Sharing Workloads
with Fragmentation Gradient Descent" (USENIX ATC'23). There a machine's fragments are, averaged over the typical pods,
the free GPU shares that the pod can't use: all of them where it has no room on the machine, else the shares too small
for it; and a pod goes where these grow least. By itself this is blind until the last moment: as long as a typical pod
still fits, cores that are taken from beside free GPUs seem to cost nothing, and of the machines that cost nothing the
original takes the first of its list. Two things are therefore added.

- Starved GPUs: the free GPU shares beyond those that the machine's free cores and memory can serve, at what the
  workload's GPU pods ask for beside a GPU on average. They count like fragments, so that work for many cores goes where
  cores are plentiful for the GPUs there are, from the first pod on.
- Between machines that lose the same, the one on which least is left over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from isthmus.placement.packing.classes import Floats, Integers, PodClass, PodClasses
from isthmus.placement.packing.columns import ANY, NONE, Column
from isthmus.placement.packing.machines import Machine, State
from isthmus.placement.packing.workload import Workload

from .bestfit import Leftover

_LEAST = 1e-3  # thousandths of a GPU: losses that differ by less are the same, and what is left over decides


@dataclass(frozen=True, slots=True)
class _Free:
    """What is free on machines of one model, one entry each, or one row each and a column for each kind of request.

    `able` are the GPUs with enough free for the kind, `scraps` the free thousandths on the others.
    """

    cpu: Integers
    memory: Integers
    gpu: Integers
    able: Integers
    scraps: Integers


class Fragmentation:
    """The less is lost, the better; the score is minus what is lost, in thousandths of a GPU."""

    chance = False

    def __init__(
        self, classes: PodClasses, machines: Sequence[Machine], workload: Mapping[PodClass, int] | None = None
    ) -> None:
        """`workload` is what is likely to come, by how many; without it, one pod of each class."""
        self._classes = classes
        self._workload = Workload(dict.fromkeys(classes.classes, 1) if workload is None else workload)
        self._leftover = Leftover(classes, machines)

    @property
    def classes(self) -> PodClasses:
        """The classes that it judges."""
        return self._classes

    def column(self, state: State) -> Column:
        """Minus the loss by class, on the best of the machine's GPUs."""
        classes = self._classes
        scores = np.full(len(classes), NONE)
        gpu = np.full(len(classes), ANY, dtype=np.int16)
        fits = classes.fits(state)
        whole = np.flatnonzero(fits & ~classes.shared)
        shared = np.flatnonzero(fits & classes.shared)
        shares = np.array(state.gpus, dtype=np.int64)
        enough = shares[:, None] >= self._workload.milli
        free = _Free(
            cpu=np.array([state.cpu]),
            memory=np.array([state.memory]),
            gpu=np.array([shares.sum()]),
            able=enough.sum(axis=0)[None],
            scraps=np.where(enough, 0, shares[:, None]).sum(axis=0)[None],
        )
        lost = self._lost(state.model, free)
        if len(whole):
            scores[whole] = lost - self._lost(state.model, self._whole(free, whole))
        for share in dict.fromkeys(state.gpus):
            fitting = shared[classes.milli[shared] <= share]
            if len(fitting):
                found = lost - self._lost(state.model, self._shared(free, share, fitting))
                better = found > scores[fitting]
                scores[fitting[better]] = found[better]
                gpu[fitting[better]] = share
        return Column(np.where(fits, scores - _LEAST * self._leftover.after(state), NONE), gpu)

    def _lost(self, model: str, free: _Free) -> Floats:
        """What can't be used, in thousandths of a GPU: fragments and starved GPUs."""
        work = self._workload
        usable = np.where(free.able >= work.needed, free.gpu[:, None] - free.scraps, 0)
        fragments = free.gpu - (work.weights(model, free.cpu) * usable).sum(axis=1)
        served = np.minimum(_served(free.cpu, work.cpu_per_gpu), _served(free.memory, work.memory_per_gpu))
        lost: Floats = fragments + np.maximum(0.0, free.gpu - served)
        return lost

    def _whole(self, free: _Free, chosen: Integers) -> _Free:
        """What each of the classes, of no or of whole GPUs, leaves free."""
        gpus = self._classes.gpus[chosen]
        able = free.able - gpus[:, None]
        return self._less(free, chosen, able, np.broadcast_to(free.scraps, able.shape))

    def _shared(self, free: _Free, share: int, chosen: Integers) -> _Free:
        """What each of the classes leaves free if its share is cut from a GPU with `share` free."""
        kinds = self._workload.milli
        left = (share - self._classes.milli[chosen])[:, None]
        able = free.able - (share >= kinds) + (left >= kinds)
        scraps = free.scraps - np.where(share >= kinds, 0, share) + np.where(left >= kinds, 0, left)
        return self._less(free, chosen, able, scraps)

    def _less(self, free: _Free, chosen: Integers, able: Integers, scraps: Integers) -> _Free:
        classes = self._classes
        return _Free(
            cpu=free.cpu - classes.cpu[chosen],
            memory=free.memory - classes.memory[chosen],
            gpu=free.gpu - classes.total[chosen],
            able=able,
            scraps=scraps,
        )


def _served(free: Integers, per_gpu: float) -> Floats:
    """How many thousandths of a GPU so much of cores or memory serves."""
    return free / per_gpu if per_gpu else np.full(len(free), np.inf)
