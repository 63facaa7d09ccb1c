"""How fast a member stops pods, measured whenever it stops many of one shard together. Pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from isthmus.api.core import Pod

_EVICTED = "DisruptionTarget"

FEWEST = 20
"""Stops of fewer pods say more of their grace period than of the member."""

APART_SECONDS = 10.0
"""Deletions further apart than this were not asked for together. Those of one stop come within a second of each other;
a controller that is held up for a while must not seem the faster for it."""

Stop = tuple[datetime, datetime]
"""When a pod's deletion was asked for, and when its last container ended."""


def stops_of(pods: Iterable[Pod]) -> Iterable[tuple[str, Stop]]:
    """The pods that were stopped with their Job, by UID, as far as both instants are known.

    Those that were evicted were not: they go one by one, or as fast as somebody drains their machine.
    """
    for pod in pods:
        due = pod.metadata.deletion_timestamp
        if any(c.type == _EVICTED and c.status == "True" for c in pod.status.conditions):
            continue
        ends = [s.state.terminated.finished_at for s in pod.status.container_statuses if s.state.terminated is not None]
        end = max((each for each in ends if each is not None), default=None)
        if due is not None and end is not None:
            asked = due - timedelta(seconds=pod.metadata.deletion_grace_period_seconds or 0)
            if asked <= end:  # it was stopped by that, and had not ended before
                yield pod.metadata.uid, (asked, end)


def stop_rate(stops: Iterable[Stop]) -> int | None:
    """Pods in a second, at least 1, of the slowest burst among one shard's stops; None where each was too small."""
    return min((_rate(burst) for burst in _bursts(stops) if len(burst) >= FEWEST), default=None)


def _bursts(stops: Iterable[Stop]) -> Iterator[list[Stop]]:
    """The stops that were asked for together, burst by burst."""
    burst: list[Stop] = []
    for stop in sorted(stops):
        if burst and (stop[0] - burst[-1][0]).total_seconds() > APART_SECONDS:
            yield burst
            burst = []
        burst.append(stop)
    yield burst


def _rate(burst: list[Stop]) -> int:
    seconds = (max(end for _, end in burst) - burst[0][0]).total_seconds()
    return max(int(len(burst) / max(seconds, 1.0)), 1)
