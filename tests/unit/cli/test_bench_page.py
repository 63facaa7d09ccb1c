import json

from tests.unit.docs.pages import ROOT, page

from cli.page import NAME, with_figures

REPORT = {
    "jobs": 1000,
    "runs": 9,
    "commands": {
        "getJobs": {
            "medianMilliseconds": 640,
            "leastMilliseconds": 600,
            "mostMilliseconds": 700,
            "processorMilliseconds": 500,
            "lines": 1001,
        }
    },
    "machine": {
        "cpu": "AMD EPYC",
        "cores": 2,
        "memoryMebibytes": 24105,
        "python": "3.11.7",
        "kubernetes": "v1.36.3",
        "loadAverageBefore": 0.3,
    },
}


def test_figures_stand_between_their_marks() -> None:
    """Each command that was timed has a row; what stood there before is gone, what stands around stays."""
    before = f"a\n<!-- {NAME}: begin -->\nold\n<!-- {NAME}: end -->\nz\n"
    after = with_figures(before, REPORT)
    assert "| `kubectl isthmus get jobs` | 640 | 600 | 700 | 500 |" in after
    assert "Over 1000 ComputeJobs, each command 9 times. Measured on: AMD EPYC, 2 cores" in after
    assert after.startswith("a\n")
    assert after.endswith("z\n")
    assert "old" not in after


def test_the_page_tells_the_figures_of_the_file() -> None:
    """docs/performance.md says what benchmarks/results/cli.json holds, where there is such a file."""
    path = ROOT / "benchmarks" / "results" / "cli.json"
    text = page("docs/performance.md").text
    assert not path.exists() or with_figures(text, json.loads(path.read_text())) == text
