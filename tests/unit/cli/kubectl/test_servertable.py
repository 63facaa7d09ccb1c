from typing import Any

import pytest

from isthmus.cli.kubectl.kinds import JOBS, NODES
from isthmus.cli.kubectl.servertable import decode, include, page_of, table_of
from isthmus.clusters import UnexpectedAnswer


def page(*rows: Any, columns: bool = True, **object_: Any) -> dict[str, Any]:
    """A Table with a name, a column that only -o wide shows, and a count."""
    definitions = [{"name": "Name", "priority": 0}, {"name": "Hidden", "priority": 1}, {"name": "GPUs", "priority": 0}]
    found = [{"cells": list(row), "object": object_ or None} for row in rows]
    return {"kind": "Table", "columnDefinitions": definitions if columns else None, "rows": found}


def test_rows_of_all_pages_stand_under_the_columns_of_the_first() -> None:
    """Columns of low priority are left out, and what the server knows nothing of is empty."""
    pages = [page_of(page(("a", "x", 1))), page_of(page(("b", "y", None), columns=False))]
    table = table_of(pages, JOBS, wide=False, across=False)
    assert (table.headings, list(table.rows)) == (("NAME", "GPUS"), [("a", "1"), ("b", "")])


def test_across_namespaces_each_row_says_its_own() -> None:
    """The namespace comes from the object that comes along, and stands first."""
    pages = [page_of(page(("a", "x", 1), metadata={"namespace": "team-a", "name": "a"}))]
    table = table_of(pages, JOBS, wide=False, across=True)
    assert (table.headings, list(table.rows)) == (("NAMESPACE", "NAME", "GPUS"), [("team-a", "a", "1")])


def test_wide_shows_all_that_is_known() -> None:
    """Columns of low priority are shown, and after them those that are made of the object."""
    accelerators = [{"model": "A100", "free": 3, "total": 4}]
    node: dict[str, Any] = {
        "spec": {"schedulingState": "Cordoned", "identity": {"code": "CN-1"}},
        "status": {"profile": {"machines": 2, "free": {"cpu": "8"}, "accelerators": accelerators}},
    }
    table = table_of([page_of(page(("a", "x", 1), **node))], NODES, wide=True, across=False)
    assert table.headings[:4] == ("NAME", "HIDDEN", "GPUS", "STATE")
    assert dict(zip(table.headings, table.rows[0], strict=True)) == {
        "NAME": "a",
        "HIDDEN": "x",
        "GPUS": "1",
        "STATE": "Cordoned",
        "CODE": "CN-1",
        "MACHINES": "2",
        "CPU-FREE": "8",
        "MEMORY-FREE": "<none>",
        "ACCELERATORS": "3/4 A100",
        "VERSION": "<none>",
    }


@pytest.mark.parametrize(
    ("wide", "across", "word"), [(True, True, "Object"), (False, True, "Metadata"), (False, False, "None")]
)
def test_no_more_is_asked_for_than_is_shown(wide: bool, across: bool, word: str) -> None:
    """Whole objects come along only where columns are made of them."""
    assert include(wide=wide, across=across) == word


@pytest.mark.parametrize("data", [b"{}", b"no json", b'{"kind": "ComputeJobList", "items": []}'])
def test_what_is_no_table(data: bytes) -> None:
    """An answer of another form is told as such."""
    with pytest.raises(UnexpectedAnswer, match=r"table|Table"):
        decode(data)
