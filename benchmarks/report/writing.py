"""Writes what a benchmark measured: a file of figures, and from it the tables in a page of the documentation."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"


def write(
    report: Mapping[str, Any],
    result: Path,
    name: str,
    with_figures: Callable[[str, Mapping[str, Any]], str],
    page: str = "performance.md",
) -> None:
    """Write the report to `result`, and its tables into the page where that is the file of that name that it quotes."""
    result.parent.mkdir(parents=True, exist_ok=True)
    result.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    if result == RESULTS / name:
        path = ROOT / "docs" / page
        path.write_text(with_figures(path.read_text(encoding="utf-8"), report), encoding="utf-8")
