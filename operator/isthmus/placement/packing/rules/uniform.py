"""Any machine with room, and any of its GPUs: what every other rule is measured against."""

import numpy as np

from isthmus.placement.packing.classes import PodClasses
from isthmus.placement.packing.columns import ANY, NONE, Column
from isthmus.placement.packing.machines import State


class Uniform:
    """Each machine with room is as good as any other."""

    chance = True

    def __init__(self, classes: PodClasses) -> None:
        self._classes = classes

    @property
    def classes(self) -> PodClasses:
        """The classes that it judges."""
        return self._classes

    def column(self, state: State) -> Column:
        """Nought for every class that has room."""
        scores = np.where(self._classes.fits(state), 0.0, NONE)
        return Column(scores, np.full(len(scores), ANY, dtype=np.int16))
