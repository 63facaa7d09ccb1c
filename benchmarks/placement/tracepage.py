"""The figures of `placement.trace` as a table in docs/simulator.md. No I/O."""

from collections.abc import Mapping
from typing import Any

from burst.page import placed

NAME = "trace.json"


def with_figures(page: str, report: Mapping[str, Any]) -> str:
    """The page with the table of the report between its marks. ValueError where it has no such place."""
    rows = [
        f"| {run['trace']} | `{run['policy']}` | {run['members']} | **{run['median']:.2f}** | {_published(run)} "
        f"| {run['least']:.2f} to {run['most']:.2f} | {run['seconds']} ({run['processorSeconds']}) |"
        for run in report["runs"]
    ]
    head = [
        "| trace | policy | members | median, % | published, % | range | seconds (of a processor) |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    machine = report["machine"]
    said = (
        f"Load {report['load']}, seeds {report['firstSeed']} to {report['firstSeed'] + report['seeds'] - 1}; "
        f"the seconds are for all of them. "
        f"Measured on: {machine['cpu']}, {machine['cores']} cores, {machine['memoryMebibytes']} MiB, "
        f"Python {machine['python']}; load average before it {machine['loadAverageBefore']}."
    )
    return placed(page, NAME, "\n".join(["", *head, *rows, "", said, ""]))


def _published(run: Mapping[str, Any]) -> str:
    return "" if run["published"] is None else f"{run['published']:.2f}"
