"""What is likely to come: the requests that make up most of a workload, each with its share."""

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np

from .classes import Floats, Integers, PodClass
from .machines import WHOLE

COVERAGE = 0.95  # of the pods; the rest are too rare to keep room for


def typical(pods: Mapping[PodClass, int], coverage: float = COVERAGE) -> dict[PodClass, float]:
    """The commonest requests, memory apart, that make up at least `coverage` of the pods; their shares sum to one."""
    counts: Counter[PodClass] = Counter()
    for pod, number in pods.items():
        counts[PodClass(pod.cpu_milli, 0, pod.gpus, pod.gpu_milli, tuple(sorted(set(pod.models))))] += number
    chosen: dict[PodClass, int] = {}
    wanted = coverage * counts.total()
    for pod, number in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if sum(chosen.values()) >= wanted:
            break
        chosen[pod] = number
    whole = sum(chosen.values())
    return {pod: number / whole for pod, number in chosen.items()}


class Workload:
    """Typical pods as arrays: kinds of GPU request, and how much of the workload asks for each.

    A kind is `needed` GPUs with at least `milli` free on each. `cpu_per_gpu` and `memory_per_gpu` are what the
    workload's GPU pods ask for beside a thousandth of a GPU, on average: millicores and MiB. `steps` are the millicores
    that they ask for, the fewest first.
    """

    def __init__(self, pods: Mapping[PodClass, int]) -> None:
        shares = {pod: share for pod, share in typical(pods).items() if pod.gpus}
        kinds = sorted({(pod.gpus, pod.gpu_milli) for pod in shares})
        self.needed: Integers = np.array([gpus for gpus, _ in kinds], dtype=np.int64)
        self.milli: Integers = np.array([milli for _, milli in kinds], dtype=np.int64)
        self._kinds = {kind: number for number, kind in enumerate(kinds)}
        self._shares = shares
        self.steps: Integers = np.unique(np.array([pod.cpu_milli for pod in shares], dtype=np.int64))
        self._tables: dict[str, Floats] = {}
        gpus = sum(pod.gpu_total * number for pod, number in pods.items()) or WHOLE
        self.cpu_per_gpu = _of_gpu_pods((pod.cpu_milli * number, pod) for pod, number in pods.items()) / gpus
        self.memory_per_gpu = _of_gpu_pods((pod.memory_mib * number, pod) for pod, number in pods.items()) / gpus

    def weights(self, model: str, cpu: Integers) -> Floats:
        """By free millicores and kind: the share of all pods that are of the kind and find GPU model and cores."""
        table = self._tables.get(model)
        if table is None:
            table = self._tables[model] = self._table(model)
        rows: Floats = table[self.steps.searchsorted(cpu, side="right")]
        return rows

    def _table(self, model: str) -> Floats:
        table = np.zeros((len(self.steps) + 1, len(self._kinds)))
        for pod, share in self._shares.items():
            if not pod.models or model in pod.models:
                table[self.steps.searchsorted(pod.cpu_milli) + 1 :, self._kinds[pod.gpus, pod.gpu_milli]] += share
        return table


def _of_gpu_pods(amounts: Iterable[tuple[int, PodClass]]) -> int:
    return sum(amount for amount, pod in amounts if pod.gpus)
