"""The experiment of Weng et al. (USENIX ATC'23): a cluster is offered more than it can hold, and what it takes counts.

The pods of a trace are shuffled, then drawn from again with replacement until the GPUs asked for come to `load` times
the cluster's; of a trace that asks for more than that, the shuffled pods are taken up to it. They arrive one by one,
none leaves, and a pod that fits nowhere is dropped.
"""

from collections.abc import Iterable

import numpy as np

from .classes import Integers
from .members import Members


def arrivals(pods: Integers, gpu_milli: Integers, *, limit: float, random: np.random.Generator) -> Integers:
    """The pods that arrive, in order, by class.

    `pods` are the trace's by class and `gpu_milli` what each class asks for, in thousandths of a GPU, of which
    altogether at most `limit` arrive. Raises ValueError where no pod asks for a GPU: no load would be reached.
    """
    shuffled = random.permutation(pods)
    sums = np.cumsum(gpu_milli[shuffled])
    if not len(sums) or not sums[-1]:
        raise ValueError("no pod asks for a GPU")
    if sums[-1] > limit:
        return shuffled[: np.searchsorted(sums, limit, side="right")]
    total = int(sums[-1])
    more: list[int] = []
    while True:
        pod = int(pods[random.integers(len(pods))])
        total += int(gpu_milli[pod])
        if total > limit:
            return np.concatenate([shuffled, np.array(more, dtype=shuffled.dtype)])
        more.append(pod)


def allocation(members: Members, pods: Iterable[int], gpu_milli: Integers, *, whole: int) -> float:
    """The share of the cluster's `whole` thousandths of a GPU that is in use when all pods have arrived, in percent."""
    placed = 0
    for pod in pods:
        if members.place(pod) is not None:
            placed += int(gpu_milli[pod])
    return 100 * placed / whole
