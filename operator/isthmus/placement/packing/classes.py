"""What pods ask of a machine; equal pods form a class, and every machine is judged once for each class."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .machines import WHOLE, State

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, order=True)
class PodClass:
    """The request of one pod: millicores, MiB, and `gpus` GPUs of `gpu_milli` thousandths each.

    A share of a GPU (`gpu_milli` below 1000) is of one GPU. `models` are the GPU models that will do; none means any.
    Raises ValueError for a request that means nothing.
    """

    cpu_milli: int
    memory_mib: int
    gpus: int = 0
    gpu_milli: int = 0
    models: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if min(self.cpu_milli, self.memory_mib, self.gpus, self.gpu_milli) < 0:
            raise ValueError("a request can't be negative")
        if self.gpu_milli > WHOLE:
            raise ValueError(f"{self.gpu_milli} thousandths are more than a GPU has; ask for several GPUs")
        if bool(self.gpus) != bool(self.gpu_milli):
            raise ValueError(f"{self.gpus} GPUs of {self.gpu_milli} thousandths each: either both are 0 or none is")
        if self.gpus > 1 and self.gpu_milli < WHOLE:
            raise ValueError(f"{self.gpus} GPUs of {self.gpu_milli} thousandths each: a share is of one GPU")

    @property
    def gpu_total(self) -> int:
        """All it asks for, in thousandths of a GPU."""
        return self.gpus * self.gpu_milli


class PodClasses:
    """The classes as arrays, one entry for each, in their order."""

    def __init__(self, classes: Sequence[PodClass]) -> None:
        self.classes = tuple(classes)
        self.cpu: Integers = np.array([c.cpu_milli for c in classes], dtype=np.int64)
        self.memory: Integers = np.array([c.memory_mib for c in classes], dtype=np.int64)
        self.gpus: Integers = np.array([c.gpus for c in classes], dtype=np.int64)
        self.milli: Integers = np.array([c.gpu_milli for c in classes], dtype=np.int64)
        self.total: Integers = self.gpus * self.milli
        self.shared: Booleans = (self.gpus == 1) & (self.milli < WHOLE)
        self._admitted: dict[str, Booleans] = {}

    def __len__(self) -> int:
        return len(self.classes)

    def admitted(self, model: str) -> Booleans:
        """Which classes may use GPUs of the model; those without GPUs may go anywhere."""
        known = self._admitted.get(model)
        if known is None:
            known = np.array([not c.gpus or not c.models or model in c.models for c in self.classes], dtype=np.bool_)
            self._admitted[model] = known
        return known

    def fits(self, state: State) -> Booleans:
        """Which classes have room for one pod on a machine in this state."""
        most = state.gpus[-1] if state.gpus else 0
        whole = state.gpus.count(WHOLE)
        room = np.where(self.shared, self.milli <= most, self.gpus <= whole)
        fits: Booleans = (self.cpu <= state.cpu) & (self.memory <= state.memory) & room & self.admitted(state.model)
        return fits
