"""Every reading that was ever told of a shard, by a watch of its own, and which pods each was the first to settle."""

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from tests.cluster.federation.podrecorder import Run

from demo.identity import Identity
from demo.watching import Watch
from testbed import Cluster


@dataclass(frozen=True, slots=True)
class Told:
    """A reading as it stood in the status of its Dispatch."""

    sequence: int
    observed_at: str
    state: str
    final: bool
    estimated: bool
    total: dict[str, int]
    settled: dict[str, int]
    settling: frozenset[str]

    @classmethod
    def of(cls, status: Mapping[str, Any]) -> Self:
        """Read the status of a Dispatch, which has a reading."""
        reading = status["reading"]
        total, settled = ({each["meter"]: each["quantity"] for each in reading.get(part, ())} for part in _PARTS)
        return cls(
            sequence=reading["sequence"],
            observed_at=reading["observedAt"],
            state=status.get("state", ""),
            final=reading.get("final", False),
            estimated=reading.get("estimated", False),
            total=total,
            settled=settled,
            settling=frozenset(reading.get("settling", ())),
        )


_PARTS = ("total", "settled")


class ReadingRecorder:
    """Follows the Dispatches of the hub from when it is made until it is closed."""

    def __init__(self, hub: Cluster) -> None:
        self._lock = threading.Lock()
        self._told: dict[str, list[Told]] = defaultdict(list)
        identity = Identity.read(hub.kubeconfig())
        self._watch = Watch(identity, "/apis/isthmus.dev/v1alpha1/dispatches", self._seen)

    def _seen(self, _change: str, dispatch: Mapping[str, Any], _at: float) -> None:
        status = dispatch.get("status", {})
        if "reading" not in status:
            return
        told = Told.of(status)
        with self._lock:
            all_told = self._told[dispatch["metadata"]["name"]]
            if not all_told or all_told[-1] != told:
                all_told.append(told)

    def account(self, dispatch: str, runs: Iterable[Run]) -> str:
        """What was told of the shard and when, and of each of its pods which readings settled it, for people.

        A pod that none settled is not counted, or only as long as it ran; one that two did is counted twice.
        """
        self._watch.check()
        with self._lock:
            told = list(self._told[dispatch])
        lines = [f"readings of {dispatch}:"]
        lines += [
            f"  {each.sequence} at {each.observed_at} {each.state}"
            f"{' final' if each.final else ''}{' estimated' if each.estimated else ''}:"
            f" total {each.total}, settled {each.settled}, settling {len(each.settling)}"
            for each in told
        ]
        lines.append("pods (uid, index, phase, start, end, seconds, in settled of readings):")
        lines += [
            f"  {run.time.uid} {run.index} {run.time.phase} {run.time.started} {run.time.ended} {run.time.seconds}"
            f" {_settled_by(run.time.uid, told) or 'none'}"
            for run in sorted(runs, key=lambda run: (run.index, str(run.time.started)))
        ]
        return "\n".join(lines)

    def close(self) -> None:
        """Stop following."""
        self._watch.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _settled_by(uid: str, told: Iterable[Told]) -> list[int]:
    """Sequences of the readings that took the pod into `settling`, where the one before did not have it there."""
    found, before = [], False
    for each in told:
        if uid in each.settling and not before:
            found.append(each.sequence)
        before = uid in each.settling
    return found
