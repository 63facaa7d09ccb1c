"""How fast a member stops pods, measured whenever it stops many of one shard. Pure."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from isthmus.api.core import Pod

FEWEST = 20
"""Stops of fewer pods say more of their grace period than of the member."""

Stop = tuple[datetime, datetime]
"""When a pod's deletion was asked for, and when its last container ended."""


def stops_of(pods: Iterable[Pod]) -> Iterable[tuple[str, Stop]]:
    """The pods that something stopped, by UID, as far as both instants are known."""
    for pod in pods:
        due = pod.metadata.deletion_timestamp
        ends = [s.state.terminated.finished_at for s in pod.status.container_statuses if s.state.terminated is not None]
        end = max((each for each in ends if each is not None), default=None)
        if due is not None and end is not None:
            asked = due - timedelta(seconds=pod.metadata.deletion_grace_period_seconds or 0)
            if asked <= end:  # it was stopped by that, and had not ended before
                yield pod.metadata.uid, (asked, end)


def stop_rate(stops: Collection[Stop]) -> int | None:
    """Pods in a second, at least 1, over one shard's stops; None where they were too few."""
    if len(stops) < FEWEST:
        return None
    seconds = (max(end for _, end in stops) - min(asked for asked, _ in stops)).total_seconds()
    return max(int(len(stops) / max(seconds, 1.0)), 1)
