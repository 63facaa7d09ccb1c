import json
from pathlib import Path

import pytest

from isthmus.api.quantities import CPU, MEMORY
from placement import batches
from placement.instances import GPU, Size, instance
from placement.page import NAME, with_figures

ROOT = Path(__file__).resolve().parents[3]
SMALL = Size(jobs=120, nodes=12, classes=8, load=0.75)


def test_the_page_says_what_was_measured() -> None:
    """The tables in the documentation are those of the file that the benchmark wrote."""
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    report = json.loads((ROOT / "benchmarks" / "results" / NAME).read_text(encoding="utf-8"))
    assert with_figures(page, report) == page
    assert with_figures(page, {**report, "repeats": 77}) != page


def test_an_instance_follows_from_its_seed() -> None:
    """The same seed draws the same fleet and jobs, another draws others."""
    assert instance(SMALL, 1) == instance(SMALL, 1)
    assert instance(SMALL, 1) != instance(SMALL, 2)


@pytest.mark.parametrize("load", [0.75, 1.1])
def test_an_instance_has_its_load(load: float) -> None:
    """What is free of each resource and model is what is asked for over the load, to within a machine or two."""
    one = instance(Size(jobs=2000, nodes=100, classes=50, load=load), 3)
    shapes = [shape for node in one.snapshot.nodes if node.profile for shape in node.profile.shapes]
    asked = sum(demand.request.get(GPU, 0) for demand in one.demands)
    free = sum(shape.free.get(GPU, 0) * shape.count for shape in shapes)
    assert asked / free == pytest.approx(load, rel=0.05)
    for name in (CPU, MEMORY):
        plain = sum(demand.request[name] for demand in one.demands if not demand.models)
        room = sum(shape.free[name] * shape.count for shape in shapes if not shape.taints)
        assert plain / room == pytest.approx(load, rel=0.05)


def test_a_small_batch_is_measured_whole() -> None:
    """The benchmark's own run, on a small instance: near the bound, and no worse than the greedy pass."""
    figures = batches.measured(SMALL, seeds=2, repeats=1)
    assert 0 <= figures["gapPercent"] <= figures["largestGapPercent"] < 12
    assert figures["gapPercent"] <= figures["greedyGapPercent"]
    assert figures["unplaced"] <= figures["greedyUnplaced"]
    assert figures["warmMilliseconds"]["processor"] > 0


def test_accounts_are_measured_alike_and_apart() -> None:
    """Shapes of jobs are classes where no offer selects accounts, and shapes times accounts where one does."""
    figures = batches.shared(Size(jobs=400, nodes=6, classes=4, load=0.75, accounts=3), repeats=1)
    assert (figures["alike"]["classes"], figures["toldApart"]["classes"]) == (4, 12)
    assert figures["toldApart"]["coldMilliseconds"]["processor"] > 0
