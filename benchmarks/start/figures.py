"""The figures, as they are written. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """What the hub's process has used since its start: seconds of processor time, MiB resident now and at most."""

    cpu_seconds: float
    resident_mebibytes: float
    peak_mebibytes: float


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds are counted from the start of the process."""

    seconds_to_ready: float
    seconds_to_decision: float
    at_decision: Usage
    seconds_to_quiet: float
    at_quiet: Usage


@dataclass(frozen=True, slots=True)
class Hour:
    """As many events as within an hour, in fewer seconds."""

    jobs: int
    heartbeats: int
    seconds: float
    before: Usage
    after: Usage


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one run."""

    ended: int
    running: int
    nodes: int
    start: Start
    hour: Hour
    machine: Mapping[str, object]

    def report(self) -> dict[str, object]:
        """The figures as they are written."""
        start, hour = self.start, self.hour
        return {
            "endedJobs": self.ended,
            "runningJobs": self.running,
            "nodes": self.nodes,
            "secondsToReady": round(start.seconds_to_ready, 1),
            "secondsToFirstDecision": round(start.seconds_to_decision, 1),
            "cpuSecondsToFirstDecision": round(start.at_decision.cpu_seconds, 1),
            "secondsToQuiet": round(start.seconds_to_quiet, 1),
            "cpuSecondsToQuiet": round(start.at_quiet.cpu_seconds, 1),
            "residentMebibytesWhenQuiet": round(start.at_quiet.resident_mebibytes, 1),
            "hourJobs": hour.jobs,
            "hourHeartbeats": hour.heartbeats,
            "hourSeconds": round(hour.seconds, 1),
            "hourCpuSeconds": round(hour.after.cpu_seconds - hour.before.cpu_seconds, 1),
            "residentMebibytesAfterHour": round(hour.after.resident_mebibytes, 1),
            "peakMebibytes": round(hour.after.peak_mebibytes, 1),
            "machine": dict(self.machine),
        }
