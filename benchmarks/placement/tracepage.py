"""The figures of `placement.trace` as a table in docs/simulator.md. No I/O."""

from collections.abc import Mapping
from typing import Any

from report.page import measured_on, placed, table

NAME = "trace.json"


def with_figures(page: str, report: Mapping[str, Any]) -> str:
    """The page with the table of the report between its marks. ValueError where it has no such place."""
    rows = [
        (
            run["trace"],
            f"`{run['policy']}`",
            run["members"],
            f"**{run['median']:.2f}**",
            _published(run),
            f"{run['least']:.2f} to {run['most']:.2f}",
            f"{run['seconds']} ({run['processorSeconds']})",
        )
        for run in report["runs"]
    ]
    titles = ("trace", "policy", "members", "median, %", "published, %", "range", "seconds (of a processor)")
    said = (
        f"Load {report['load']}, seeds {report['firstSeed']} to {report['firstSeed'] + report['seeds'] - 1}; "
        f"the seconds are for all of them. {measured_on(report['machine'])}."
    )
    return placed(page, NAME, table(titles, rows), said)


def _published(run: Mapping[str, Any]) -> str:
    return "" if run["published"] is None else f"{run['published']:.2f}"
