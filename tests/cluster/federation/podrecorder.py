"""Every pod that ever was in the members, by watches of its own: what ran, when, and for which index."""

import dataclasses
import threading
from collections.abc import Mapping
from typing import Any, Self

from demo.identity import Identity
from demo.podtime import PodTime, PodTimes
from demo.watching import Watch
from isthmus.api.names import ANNOTATION_INDEX, LABEL_HUB
from testbed import Cluster

_LOCAL_INDEX = "batch.kubernetes.io/job-completion-index"


@dataclasses.dataclass(frozen=True, slots=True)
class Run:
    """One pod, with the completion index of the whole job that it ran for: 0 where there are none."""

    time: PodTime
    index: int


class PodRecorder:
    """Follows the pods of ours in all `members`, from when it is made until it is closed; none is ever forgotten."""

    def __init__(self, members: Mapping[str, Cluster]) -> None:
        self._times = PodTimes()
        self._lock = threading.Lock()
        self._indexes: dict[str, int] = {}
        self._watches = [self._watch(name, cluster) for name, cluster in members.items()]

    def _watch(self, member: str, cluster: Cluster) -> Watch:
        def seen(_change: str, pod: Mapping[str, Any], _at: float) -> None:
            with self._lock:
                annotations = pod["metadata"].get("annotations", {})
                index = annotations.get(ANNOTATION_INDEX) or annotations.get(_LOCAL_INDEX, "0")
                self._indexes[pod["metadata"]["uid"]] = int(index)
            self._times.seen(member, pod)

        return Watch(Identity.read(cluster.kubeconfig()), "/api/v1/pods", seen, selector=LABEL_HUB)

    def runs(self) -> list[Run]:
        """All pods so far. Raises what ended a watch, where something did."""
        for watch in self._watches:
            watch.check()
        with self._lock:
            return [Run(time, self._indexes[time.uid]) for time in self._times.all()]

    def close(self) -> None:
        """Stop following."""
        for watch in self._watches:
            watch.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
