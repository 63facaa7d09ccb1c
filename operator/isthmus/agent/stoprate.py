"""How fast a member stops pods, measured whenever it stops many of one shard together. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from isthmus.api.core import Pod

_EVICTED = "DisruptionTarget"

FEWEST = 20
"""Stops of fewer pods say more of their grace period than of the member."""

APART_SECONDS = 10.0
"""Deletions further apart than this were not asked for together. Those of one stop come within a second of each other;
a controller that is held up for a while must not seem the faster for it."""


class StopRate(NamedTuple):
    """How fast a member was seen to stop pods."""

    per_second: int
    """Pods in a second, of the slowest burst."""
    pods: int
    """Pods of the largest burst: of more than these it says nothing."""


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


@dataclass(frozen=True, slots=True)
class Burst:
    """Pods that were stopped together, from when the first deletion was asked for to when the last of them ended."""

    begin: datetime
    end: datetime
    pods: int

    @property
    def rate(self) -> int:
        """Pods in a second, at least 1."""
        return max(int(self.pods / max((self.end - self.begin).total_seconds(), 1.0)), 1)

    def meets(self, other: "Burst") -> bool:
        """Whether the member was about both at the same time, or about one right after the other.

        A controller sends the first few of its deletions at once: the small bursts of shards that it stops in turn
        would each seem far faster than all of them together.
        """
        apart = timedelta(seconds=APART_SECONDS)
        return self.begin <= other.end + apart and other.begin <= self.end + apart

    def joined(self, other: "Burst") -> "Burst":
        """Both as one."""
        return Burst(min(self.begin, other.begin), max(self.end, other.end), self.pods + other.pods)


def bursts_of(stops: Iterable[Stop]) -> list[Burst]:
    """The bursts among one shard's stops that were large enough to tell something."""
    return [
        Burst(burst[0][0], max(end for _, end in burst), len(burst))
        for burst in _asked_together(stops)
        if len(burst) >= FEWEST
    ]


def _asked_together(stops: Iterable[Stop]) -> Iterator[list[Stop]]:
    burst: list[Stop] = []
    for stop in sorted(stops):
        if burst and (stop[0] - burst[-1][0]).total_seconds() > APART_SECONDS:
            yield burst
            burst = []
        burst.append(stop)
    yield burst
