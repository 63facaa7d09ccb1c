"""The figures, as they are written and as they are told. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """What the hub's process has used up to an instant: seconds of processor time, MiB resident now and at most."""

    cpu_seconds: float
    resident_mebibytes: float
    peak_mebibytes: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds are counted from the start of the process, processor time too unless said otherwise."""

    finished: int
    in_members: int
    """How many of the finished jobs have their Job and pod in their member still."""
    running: int
    nodes: int
    events: int
    heartbeats: int
    seconds_to_ready: float
    seconds_to_decision: float
    seconds_to_quiet: float
    at_decision: Usage
    at_quiet: Usage
    seconds_of_events: float
    after_events: Usage
    machine: Mapping[str, object]

    def report(self) -> dict[str, object]:
        """The figures as they are written."""
        return {
            "finishedJobs": self.finished,
            "finishedJobsInMembers": self.in_members,
            "runningJobs": self.running,
            "nodes": self.nodes,
            "secondsToReady": round(self.seconds_to_ready, 1),
            "secondsToFirstDecision": round(self.seconds_to_decision, 1),
            "secondsToQuiet": round(self.seconds_to_quiet, 1),
            "atFirstDecision": _used(self.at_decision),
            "whenQuiet": _used(self.at_quiet),
            "hourOfEvents": {
                "jobs": self.events,
                "heartbeats": self.heartbeats,
                "seconds": round(self.seconds_of_events, 1),
                "cpuSeconds": round(self.after_events.cpu_seconds - self.at_quiet.cpu_seconds, 1),
            },
            "afterAnHourOfEvents": _used(self.after_events),
            "machine": dict(self.machine),
        }


def _used(usage: Usage) -> dict[str, float]:
    return {
        "cpuSeconds": round(usage.cpu_seconds, 1),
        "residentMebibytes": round(usage.resident_mebibytes, 1),
        "peakMebibytes": round(usage.peak_mebibytes, 1),
    }
