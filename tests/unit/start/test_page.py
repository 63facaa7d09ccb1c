import json
from pathlib import Path

from start.page import NAME, with_figures

ROOT = Path(__file__).resolve().parents[3]


def test_the_page_says_what_was_measured() -> None:
    """The table in the documentation is the one of the file that the benchmark wrote."""
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    report = json.loads((ROOT / "benchmarks" / "results" / NAME).read_text(encoding="utf-8"))
    assert with_figures(page, report) == page
    assert with_figures(page, {**report, "endedJobs": 7}) != page
