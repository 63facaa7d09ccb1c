"""Tables of the pages that repeat what the code says."""

import re

from tests.unit.docs.pages import Table, page

from isthmus.api.computejob import Phase
from isthmus.capacity import AcceleratorTable
from isthmus.capacity.families import FAMILIES
from isthmus.placement.objectives import OBJECTIVES
from isthmus.settlement.csvfile import COLUMNS
from isthmus.settlement.lines import UNITS


def _table(name: str, first: str) -> Table:
    (found,) = [table for table in page(name).tables() if table.header[0] == first]
    return found


def _words(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_phases() -> None:
    """docs/jobs.md explains every phase, in the order of the code."""
    assert [_words(row[0]) for row in _table("docs/jobs.md", "phase").rows] == [[phase.value] for phase in Phase]


def test_weights_of_the_scores() -> None:
    """docs/placement.md tells the weights of each score under each objective."""
    table = _table("docs/placement.md", "part")
    told = {
        objective: {word: int(row[column]) for row in table.rows if row[column] for word in _words(row[0])}
        for column, objective in enumerate(table.header)
        if objective in OBJECTIVES
    }
    assert told == {name: dict(weights) for name, weights in OBJECTIVES.items()}


def test_meters() -> None:
    """docs/billing.md explains every meter."""
    assert {word for row in _table("docs/billing.md", "meter").rows for word in _words(row[0])} == set(UNITS)


def test_columns_of_the_csv() -> None:
    """docs/billing.md explains every column of the CSV, in their order."""
    rows = _table("docs/billing.md", "column").rows
    assert tuple(word for row in rows for word in _words(row[0])) == COLUMNS


_EXAMPLES = {"<profile>": "1g.5gb", "<model>": "910", "<compute>": "cpx", "<n>": "4", "<…>": "1"}


def test_accelerators() -> None:
    """docs/gpus.md lists every vendor, each with resources that are read as that vendor's accelerators."""
    table, rows = AcceleratorTable.default(), _table("docs/gpus.md", "vendor").rows
    vendors = list(dict.fromkeys(family.vendor for family in FAMILIES))
    assert [row[0].split()[0] for row in rows] == [vendor.split()[0] for vendor in vendors]
    for row in rows:
        resources = [word for word in _words(row[1]) if "/" in word]
        assert resources, row
        for resource in resources:
            name = re.sub("<[^>]*>", lambda found: _EXAMPLES[found[0]], resource)
            accelerator = table.classify(name, {})
            assert accelerator is not None, name
            assert row[0].startswith(accelerator.vendor), name
