"""From when to when a pod is metered (policy Running)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from isthmus.api.core import ContainerStatus, Pod

ENDED_PHASES = frozenset({"Succeeded", "Failed"})
_DISRUPTION = "DisruptionTarget"
# Runtimes that never started a container report the epoch for it; clocks of machines are off, but not by a day.
_CLOCK_TOLERANCE = timedelta(days=1)
# Finish times are whole seconds of the machine's clock, and news of them takes a while: a live pod is counted up to a
# little before now, so that it is never counted past an end that is not yet known here.
LIVE_LAG = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Interval:
    """Half-open, [start, end). `ended`: the pod is terminal and `end` is final. `estimated`: nobody saw the end."""

    start: datetime
    end: datetime
    ended: bool
    estimated: bool = False

    @property
    def seconds(self) -> int:
        """Whole seconds, rounded down."""
        return max(0, (self.end - self.start) // timedelta(seconds=1))


def pod_interval(
    pod: Pod,
    *,
    now: datetime,
    machine_heartbeat: datetime | None = None,
    first_start: datetime | None = None,
) -> Interval | None:
    """The metered interval of a pod as it is now; None where none of its containers ever started.

    Starts with the earliest start of any container or init container ever seen: `first_start` is what the caller
    remembers, since a pod's status keeps only the last two runs of a container. Gaps between restarts are inside.

    Ends, for a terminal pod, with the latest finish; where a container was never seen to finish, with the time the pod
    was marked for disruption; else with the machine's last heartbeat, as an estimate. `machine_heartbeat` is that of a
    machine that is not heard any more, None for one that is: a pod there that is not terminal is metered only so far,
    until the machine is back or the pod's end is known. Other live pods are metered up to LIVE_LAG before `now`.
    """
    statuses = [*pod.status.container_statuses, *pod.status.init_container_statuses]
    start = _start(pod, statuses, first_start)
    if start is None:
        return None
    if pod.status.phase not in ENDED_PHASES:
        sure = now - LIVE_LAG
        heard = sure if machine_heartbeat is None else min(sure, machine_heartbeat)
        return Interval(start, max(start, heard), ended=False)
    finishes = [time for status in statuses for time in _finishes(status) if time >= start]
    latest = max(finishes, default=start)
    if finishes and all(_finished(status) for status in statuses):
        return Interval(start, latest, ended=True)
    disrupted = next(
        (c.last_transition_time for c in pod.status.conditions if c.type == _DISRUPTION and c.status == "True"), None
    )
    if disrupted is not None:
        return Interval(start, max(latest, disrupted), ended=True)
    # The last thing anyone is known to have heard of it.
    transitions = [c.last_transition_time for c in pod.status.conditions if c.last_transition_time is not None]
    heard = machine_heartbeat or max((t for t in transitions if t <= now), default=start)
    return Interval(start, max(latest, heard), ended=True, estimated=True)


def _start(pod: Pod, statuses: list[ContainerStatus], first_start: datetime | None) -> datetime | None:
    created = pod.metadata.creation_timestamp
    starts = [time for status in statuses for time in _starts(status)]
    if created is not None:
        starts = [time for time in starts if time >= created - _CLOCK_TOLERANCE]
    return min([*starts, first_start] if first_start is not None else starts, default=None)


def _starts(status: ContainerStatus) -> Iterator[datetime]:
    running = status.state.running
    for run in (running, status.state.terminated, status.last_state.terminated):
        if run is not None and run.started_at is not None:
            yield run.started_at


def _finishes(status: ContainerStatus) -> Iterator[datetime]:
    for run in (status.state.terminated, status.last_state.terminated):
        if run is not None and run.finished_at is not None:
            yield run.finished_at


def _finished(status: ContainerStatus) -> bool:
    """Whether it is known when the container stopped, or that it waits to start: then it does not run."""
    if status.state.terminated is not None:
        return status.state.terminated.finished_at is not None
    return status.state.running is None
