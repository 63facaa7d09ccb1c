"""Best fit: the machine on which least is left over.

As the baseline of that name in Weng et al., "Beware of Fragmentation: Scheduling GPU-Sharing Workloads with
Fragmentation Gradient Descent" (USENIX ATC'23): what is left of cores and of GPUs, each measured by the largest machine
and counted alike, in whole percent as a kube-scheduler's plugin scores; on the machine, the GPU with the least room.
"""

from collections.abc import Sequence

import numpy as np

from isthmus.placement.packing.classes import Floats, PodClasses
from isthmus.placement.packing.columns import ANY, NONE, Column
from isthmus.placement.packing.machines import WHOLE, Machine, State


class Leftover:
    """What a pod leaves free on a machine, as a share of the fleet's largest machine: 0 nothing, 1 all of it."""

    def __init__(self, classes: PodClasses, machines: Sequence[Machine]) -> None:
        self._classes = classes
        self._cpu = max([machine.cpu_milli for machine in machines], default=0) or 1
        self._gpu = max([machine.gpus * WHOLE for machine in machines], default=0) or 1

    def after(self, state: State) -> Floats:
        """By class, once a pod of it is on a machine in this state; of no meaning where it has no room."""
        cpu = (state.cpu - self._classes.cpu) / self._cpu
        gpu = (sum(state.gpus) - self._classes.total) / self._gpu
        left: Floats = (cpu + gpu) / 2
        return left


class BestFit:
    """The less is left over, the better."""

    chance = False

    def __init__(self, classes: PodClasses, machines: Sequence[Machine]) -> None:
        self._classes = classes
        self._leftover = Leftover(classes, machines)

    @property
    def classes(self) -> PodClasses:
        """The classes that it judges."""
        return self._classes

    def column(self, state: State) -> Column:
        """0 to 100, in whole numbers."""
        fits = self._classes.fits(state)
        scores = np.where(fits, np.floor(100 * (1 - self._leftover.after(state))), NONE)
        gpu = np.full(len(scores), ANY, dtype=np.int16)
        if state.gpus:
            shares = np.array(state.gpus, dtype=np.int16)
            least = shares[np.searchsorted(shares, self._classes.milli).clip(max=len(shares) - 1)]
            gpu = np.where(fits & self._classes.shared, least, gpu)
        return Column(scores, gpu)
