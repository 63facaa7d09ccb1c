"""The figures as tables in the documentation. No I/O."""

from collections.abc import Mapping
from typing import Any

from report.page import figures_table, measured_on, placed, table

NAME = "burst.json"

_MEANINGS = {
    "jobs": "jobs in the burst, one pod each",
    "jobsPerSecond": "jobs a second, from the first create call to the last member Job seen",
    "p50Milliseconds": "create call to member Job in the burst, median, ms",
    "p99Milliseconds": "the same, 99th percentile",
    "unloadedP50Milliseconds": "create call to member Job, one job a second on an idle system, median, ms",
    "completionsPerSecond": "jobs a second, from the first create call to the last job seen Succeeded",
    "hubWritesPerJob": "writes to the hub's API a job, over its life",
    "hubWritesPerJobUntilDispatched": "of these, until its member Job exists",
    "memberWritesPerJob": "writes to the member's API a job, over its life",
    "cpuSeconds": "processor time of the hub's process for the burst, s",
    "peakMebibytes": "most resident memory of the hub's process, MiB",
}


def with_figures(page: str, report: Mapping[str, Any]) -> str:
    """The page with the tables of the report between its marks. ValueError where it has no such place."""
    where, spent = f"{measured_on(report['machine'])}.", _spent(report["processorMillisecondsPerJob"])
    return placed(page, NAME, figures_table(report, _MEANINGS), where, spent)


def _spent(programs: Mapping[str, Mapping[str, float]]) -> str:
    """Whose processor time a job takes, with its sum."""
    rows = [(name, each["untilDispatched"], each["overLife"]) for name, each in programs.items()]
    rows.append(("together", round(sum(row[1] for row in rows), 1), round(sum(row[2] for row in rows), 1)))
    return table(("processor time a job, ms", "until its member Job exists", "over its life"), rows)
