"""The figures of `placement.hints` as a table in docs/placement.md. No I/O."""

from collections.abc import Mapping
from typing import Any

from report.page import placed, table

NAME = "hints.json"


def with_figures(page: str, report: Mapping[str, Any]) -> str:
    """The page with the table of the report between its marks. ValueError where it has no such place."""
    rows = [
        (
            run["trace"],
            run["pods"],
            f"**{run['hinted']['median']:.2f}** ({_range(run['hinted'])})",
            f"{run['bestFit']['median']:.2f} ({_range(run['bestFit'])})",
            f"{run['simulator']['median']:.2f}",
        )
        for run in report["runs"]
    ]
    titles = (
        "trace",
        "its pods of whole GPUs or none",
        "the machine in mind, %",
        "best fit, %",
        "the simulator's rule, %",
    )
    said = (
        f"Medians (and ranges) of seeds {report['firstSeed']} to {report['firstSeed'] + report['seeds'] - 1} "
        f"at load {report['load']}."
    )
    return placed(page, NAME, table(titles, rows), said)


def _range(found: Mapping[str, Any]) -> str:
    return f"{min(found['allocation']):.2f} to {max(found['allocation']):.2f}"
