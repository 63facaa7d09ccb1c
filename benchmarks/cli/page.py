"""The figures as a table in the documentation. No I/O."""

from collections.abc import Mapping
from typing import Any

from burst.page import measured_on, placed

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
    rows = [
        f"| {words} | {each['medianMilliseconds']} | {each['leastMilliseconds']} | {each['mostMilliseconds']} "
        f"| {each['processorMilliseconds']} |"
        for key, words in _WORDS.items()
        if (each := report["commands"].get(key))
    ]
    head = ["| command | median, ms | least | most | processor time |", "| --- | --- | --- | --- | --- |"]
    where = measured_on(report["machine"])
    said = f"Over {report['jobs']} ComputeJobs, each command {report['runs']} times. Measured on: {where}."
    return placed(page, NAME, "\n".join(["", *head, *rows, "", said, ""]))
