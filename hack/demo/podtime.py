"""Resource-time of the members' pods, summed here by other code than the product's, to check its ledger against.

A pod counts from the earliest start of a container to the latest end of one, in whole seconds, with what its
containers request: the demo's pods have plain containers only, and another kind of pod is refused, not guessed at.
"""

import dataclasses
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from fractions import Fraction
from math import ceil
from typing import Any

from demo.accelerators import RESOURCE
from isthmus.api.names import LABEL_DISPATCH

MEBIBYTE = 1 << 20
_UNITS = {
    "": Fraction(1),
    "m": Fraction(1, 1000),
    "k": Fraction(10**3),
    "M": Fraction(10**6),
    "G": Fraction(10**9),
    "Ki": Fraction(1 << 10),
    "Mi": Fraction(MEBIBYTE),
    "Gi": Fraction(1 << 30),
}


@dataclasses.dataclass(frozen=True, slots=True)
class PodTime:
    """What is known of one pod; `dispatch` names its Job, and `machine` is empty until it is bound."""

    uid: str
    member: str
    dispatch: str
    machine: str
    phase: str
    millicores: int
    mebibytes: int
    gpus: int
    started: datetime | None
    ended: datetime | None

    @property
    def seconds(self) -> int:
        """Whole seconds that it ran; 0 while it has not ended."""
        if self.started is None or self.ended is None:
            return 0
        return int((self.ended - self.started).total_seconds())


class PodTimes:
    """The pods of all members, kept after they are deleted; from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pods: dict[str, PodTime] = {}

    def seen(self, member: str, pod: Mapping[str, Any]) -> None:
        """Takes in a state of a pod; an instant that was seen once is not lost when a later state lacks it."""
        new = read_pod(member, pod)
        with self._lock:
            old = self._pods.get(new.uid)
            if old is not None:
                new = dataclasses.replace(
                    new,
                    machine=new.machine or old.machine,
                    started=min(filter(None, (old.started, new.started)), default=None),
                    ended=max(filter(None, (old.ended, new.ended)), default=None),
                )
            self._pods[new.uid] = new

    def all(self) -> tuple[PodTime, ...]:
        """Every pod that was ever seen."""
        with self._lock:
            return tuple(self._pods.values())


def read_pod(member: str, pod: Mapping[str, Any]) -> PodTime:
    """The pod's figures. Raises ValueError for a pod with more than plain containers."""
    spec, status = pod["spec"], pod.get("status", {})
    if spec.get("initContainers") or spec.get("overhead") or spec.get("resources"):
        raise ValueError(f"pod {pod['metadata']['name']} has more than plain containers")
    requests = [container["resources"]["requests"] for container in spec["containers"]]
    states = [entry.get("state", {}) for entry in status.get("containerStatuses", ())]
    ended = [state["terminated"] for state in states if "terminated" in state]
    begun = [*ended, *(state["running"] for state in states if "running" in state)]
    return PodTime(
        uid=pod["metadata"]["uid"],
        member=member,
        dispatch=pod["metadata"].get("labels", {}).get(LABEL_DISPATCH, ""),
        machine=spec.get("nodeName", ""),
        phase=status.get("phase", "Pending"),
        millicores=int(1000 * _sum(requests, "cpu")),
        mebibytes=ceil(_sum(requests, "memory") / MEBIBYTE),
        gpus=int(_sum(requests, RESOURCE)),
        started=_earliest(state.get("startedAt") for state in begun),
        # Only when all of them have ended has the pod.
        ended=_latest(state.get("finishedAt") for state in ended) if len(ended) == len(requests) else None,
    )


def resource_seconds(pods: Iterable[PodTime]) -> dict[str, int]:
    """Resource-time by meter, in the meters' whole units."""
    sums: Counter[str] = Counter()
    for pod in pods:
        sums["MillicoreSeconds"] += pod.millicores * pod.seconds
        sums["MebibyteSeconds"] += pod.mebibytes * pod.seconds
        sums["MilliGPUSeconds"] += 1000 * pod.gpus * pod.seconds
    return dict(sums)


def _sum(requests: Iterable[Mapping[str, str]], resource: str) -> Fraction:
    return sum((_quantity(request.get(resource, "0")) for request in requests), Fraction(0))


def _quantity(text: str) -> Fraction:
    digits = text.rstrip("mkMGKi")
    return Fraction(digits) * _UNITS[text[len(digits) :]]


def _instants(texts: Iterable[str | None]) -> list[datetime]:
    return [datetime.fromisoformat(text) for text in texts if text]


def _earliest(texts: Iterable[str | None]) -> datetime | None:
    return min(_instants(texts), default=None)


def _latest(texts: Iterable[str | None]) -> datetime | None:
    return max(_instants(texts), default=None)
