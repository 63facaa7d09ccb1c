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

import numpy as np

from isthmus.placement.packing.classes import Integers, PodClass, PodClasses
from isthmus.placement.packing.columns import ANY, NONE, Column
from isthmus.placement.packing.losses import Free, Losses
from isthmus.placement.packing.machines import Machine, State
from isthmus.placement.packing.workload import Workload

from .bestfit import Leftover

_LEAST = 1e-3  # thousandths of a GPU: losses that differ by less are the same, and what is left over decides


class Fragmentation:
    """The less is lost, the better; the score is minus what is lost, in thousandths of a GPU."""

    chance = False

    def __init__(
        self, classes: PodClasses, machines: Sequence[Machine], workload: Mapping[PodClass, int] | None = None
    ) -> None:
        """`workload` is what is likely to come, by how many; without it, one pod of each class."""
        self._classes = classes
        self._losses = Losses(Workload(dict.fromkeys(classes.classes, 1) if workload is None else workload))
        self._leftover = Leftover(classes, machines)

    @property
    def classes(self) -> PodClasses:
        """The classes that it judges."""
        return self._classes

    def column(self, state: State) -> Column:
        """Minus the loss by class, on the GPU where a share loses least."""
        classes = self._classes
        fits = classes.fits(state)
        whole, shared = np.flatnonzero(fits & ~classes.shared), np.flatnonzero(fits & classes.shared)
        shares = np.array(sorted(set(state.gpus)), dtype=np.int64)
        rows, columns = np.nonzero(shares[:, None] >= classes.milli[shared])
        lost = self._losses.lost(state.model, self._after(state, whole, shares[rows], shared[columns]))
        gained = lost[0] - lost[1:]
        scores, gpu = np.full(len(classes), NONE), np.full(len(classes), ANY, dtype=np.int16)
        scores[whole] = gained[: len(whole)]
        if len(shared):
            cut = np.full((len(shares), len(shared)), NONE)
            cut[rows, columns] = gained[len(whole) :]
            scores[shared], gpu[shared] = cut.max(axis=0), shares[cut.argmax(axis=0)]
        return Column(np.where(fits, scores - _LEAST * self._leftover.after(state), NONE), gpu)

    def _after(self, state: State, whole: Integers, cut: Integers, shared: Integers) -> Free:
        """What is free on the machine: first as it is, then with one pod, of each class in `whole` and in `shared`.

        Those of `whole` are of no or of whole GPUs; those of `shared` go on a GPU of which so much as `cut` is free.
        """
        classes, kinds = self._classes, self._losses.workload.milli
        gpus = np.array(state.gpus, dtype=np.int64)[:, None]
        able = (gpus >= kinds).sum(axis=0)
        scraps = np.where(gpus >= kinds, 0, gpus).sum(axis=0)
        before, after = cut[:, None], (cut - classes.milli[shared])[:, None]
        pods = np.concatenate((whole, shared))
        less = np.concatenate((able - classes.gpus[whole, None], able - (before >= kinds) + (after >= kinds)))
        more = scraps - np.where(before >= kinds, 0, before) + np.where(after >= kinds, 0, after)
        return Free(
            cpu=np.concatenate(((state.cpu,), state.cpu - classes.cpu[pods])),
            memory=np.concatenate(((state.memory,), state.memory - classes.memory[pods])),
            gpu=np.concatenate(((gpus.sum(),), gpus.sum() - classes.total[pods])),
            able=np.concatenate((able[None], less)),
            scraps=np.concatenate((np.broadcast_to(scraps, (1 + len(whole), len(kinds))), more)),
        )
