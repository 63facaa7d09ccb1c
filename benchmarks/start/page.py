"""The figures as a table in the documentation. No I/O."""

from collections.abc import Mapping
from typing import Any

from report.page import figures_table, measured_on, placed

NAME = "start.json"

_MEANINGS = {
    "endedJobs": "ComputeJobs that have ended, each with its Dispatch, and its Job and pod in a member",
    "runningJobs": "ComputeJobs that run",
    "nodes": "ComputeNodes",
    "secondsToReady": "start of the process to its readiness, s",
    "secondsToFirstDecision": "start of the process to the Dispatch of a job that waited, s",
    "cpuSecondsToFirstDecision": "processor time of the process until then, s",
    "secondsToQuiet": "start of the process until it has nothing more to do, s",
    "cpuSecondsToQuiet": "processor time of the process until then, s",
    "residentMebibytesWhenQuiet": "resident memory of the process then, MiB",
    "hourJobs": "then: ComputeJobs that came and ended, as many as in an hour",
    "hourHeartbeats": "heartbeats of the members' machines meanwhile",
    "hourSeconds": "within how many seconds",
    "hourCpuSeconds": "processor time of the process for it, s",
    "residentMebibytesAfterHour": "resident memory of the process after it, MiB",
    "peakMebibytes": "the most that it ever was, MiB",
}


def with_figures(page: str, report: Mapping[str, Any]) -> str:
    """The page with the table of the report between its marks. ValueError where it has no such place."""
    return placed(page, NAME, figures_table(report, _MEANINGS), f"{measured_on(report['machine'])}.")
