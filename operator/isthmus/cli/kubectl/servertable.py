"""The API server's own tables: the columns that `kubectl get` shows, for less than the objects would cost."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Struct, field

from isthmus.cli.table import Table

from .kinds import Kind

ACCEPT = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


class _Column(Struct):
    name: str
    priority: int = 0


class _Row(Struct):
    cells: list[Any]
    object: dict[str, Any] | None = None


class _Metadata(Struct, rename="camel"):
    continue_: str = field(default="", name="continue")
    resource_version: str = ""


class ServerTable(Struct, rename="camel"):
    """A page of rows. Later rows of a watch come without columns."""

    kind: str = ""
    metadata: _Metadata = field(default_factory=_Metadata)
    column_definitions: list[_Column] | None = None
    rows: list[_Row] | None = None


_DECODER = msgspec.json.Decoder(ServerTable)


def decode(data: bytes) -> ServerTable:
    """A page as it came. UnexpectedAnswer where it is no Table."""
    from isthmus.clusters.errors import UnexpectedAnswer

    try:
        found = _DECODER.decode(data)
    except msgspec.MsgspecError as error:
        raise UnexpectedAnswer(f"the API server's table can't be read: {error}") from None
    if found.kind != "Table":
        raise UnexpectedAnswer(
            f"the API server answered with a {found.kind or 'nameless kind'} where a Table was asked"
        )
    return found


def page_of(value: object) -> ServerTable:
    """A page that was decoded already. UnexpectedAnswer where it is no Table."""
    return decode(msgspec.json.encode(value))


def include(*, wide: bool, across: bool) -> str:
    """How much of each object must come along: all of it for what only we know to show, nothing where we can."""
    return "Object" if wide else "Metadata" if across else "None"


def table_of(pages: Iterable[ServerTable], kind: Kind, *, wide: bool, across: bool) -> Table:
    """All rows under the headings of the first page that has any."""
    columns: Sequence[_Column] = ()
    rows: list[tuple[str, ...]] = []
    shown: list[int] = []
    for page in pages:
        if not columns and page.column_definitions:
            columns = page.column_definitions
            shown = [index for index, column in enumerate(columns) if wide or column.priority == 0]
        rows += [_cells(row, shown, kind, wide=wide, across=across) for row in page.rows or ()]
    headings = [columns[index].name.upper() for index in shown]
    return Table((*(["NAMESPACE"] if across else []), *headings, *((h for h, _ in kind.wide) if wide else ())), rows)


def _cells(row: _Row, shown: Sequence[int], kind: Kind, *, wide: bool, across: bool) -> tuple[str, ...]:
    obj = row.object or {}
    cells = [_text(row.cells[index]) for index in shown]
    before = [str((obj.get("metadata") or {}).get("namespace", ""))] if across else []
    return (*before, *cells, *((column(obj) for _, column in kind.wide) if wide else ()))


def _text(cell: object) -> str:
    return "" if cell is None else str(cell)
