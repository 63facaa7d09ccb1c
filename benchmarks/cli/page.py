"""The figures as a table in the documentation. No I/O."""

from collections.abc import Mapping
from typing import Any

from report.page import measured_on, placed, table

NAME = "cli.json"
_WORDS = {
    "start": "`kubectl isthmus completion bash`: the program alone, no cluster",
    "getJobs": "`kubectl isthmus get jobs`",
    "getJobsEverywhere": "`kubectl isthmus get jobs -A`",
    "getJobsWide": "`kubectl isthmus get jobs -o wide`",
    "getJobsJson": "`kubectl isthmus get jobs -o json`",
    "explain": "`kubectl isthmus explain JOB`",
    "top": "`kubectl isthmus top`, not on a terminal",
}


def with_figures(page: str, report: Mapping[str, Any]) -> str:
    """The page with the table of the report between its marks. ValueError where it has no such place."""
    kinds = ("medianMilliseconds", "leastMilliseconds", "mostMilliseconds", "processorMilliseconds")
    rows = [
        (words, *(each[kind] for kind in kinds))
        for key, words in _WORDS.items()
        if (each := report["commands"].get(key))
    ]
    said = f"Over {report['jobs']} ComputeJobs, each command {report['runs']} times."
    titles = ("command", "median, ms", "least", "most", "processor time")
    return placed(page, NAME, table(titles, rows), f"{said} {measured_on(report['machine'])}.")
