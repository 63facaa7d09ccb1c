import json
from pathlib import Path

import pytest

from burst.page import NAME, with_figures
from report.page import marks, placed

ROOT = Path(__file__).resolve().parents[3]
BEGIN, END = marks(NAME)


def test_the_page_says_what_was_measured() -> None:
    """The table in the documentation is the one of the file that the benchmark wrote."""
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    report = json.loads((ROOT / "benchmarks" / "results" / "burst.json").read_text(encoding="utf-8"))
    assert with_figures(page, report) == page
    assert with_figures(page, {**report, "jobs": 7}) != page


@pytest.mark.parametrize("page", ["", BEGIN, f"{END} only"])
def test_a_page_without_its_place(page: str) -> None:
    """A page that lost its marks is refused, not overwritten."""
    with pytest.raises(ValueError, match="the page has no"):
        placed(page, NAME, "")
