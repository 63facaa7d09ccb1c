"""A table as kubectl prints it: a row a line, columns three spaces apart; folded on a terminal that is too narrow."""

import io
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

from .escaping import printable, width

GAP = 3


@dataclass(frozen=True, slots=True)
class Table:
    """Headings and rows, every row as long as the headings."""

    headings: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def widths(table: Table, *, headings: bool = True, at_least: Sequence[int] = ()) -> tuple[int, ...]:
    """How wide each column is; empty where there is no row."""
    rows = [*([table.headings] if headings else []), *table.rows]
    if not table.rows:
        return ()
    least = at_least or [0] * len(table.headings)
    return tuple(max(least[i], *(width(printable(row[i])) for row in rows)) for i in range(len(table.headings)))


def lines(table: Table, *, headings: bool = True, at_least: Sequence[int] = ()) -> Iterator[str]:
    """Each row on a line, as wide as it is; columns no narrower than `at_least`, so that they stand below others."""
    wide_as = widths(table, headings=headings, at_least=at_least)
    for row in [*([table.headings] if headings else []), *table.rows] if wide_as else ():
        cells = [printable(cell) for cell in row]
        padded = [cell + " " * (wide - width(cell)) for cell, wide in zip(cells, wide_as, strict=True)]
        yield (" " * GAP).join(padded).rstrip()


def folded(table: Table, columns: int, *, headings: bool = True) -> Iterator[str]:
    """The rows within `columns`: cells that don't fit go on in the lines below."""
    from rich.console import Console
    from rich.table import Table as Grid
    from rich.text import Text

    grid = Grid(box=None, pad_edge=False, padding=(0, 1, 0, 0), show_header=headings)
    for heading in table.headings:
        grid.add_column(Text(heading), overflow="fold")
    for row in table.rows:
        grid.add_row(*(Text(printable(cell)) for cell in row))
    console = Console(file=io.StringIO(), width=columns, color_system=None, legacy_windows=False)
    with console.capture() as capture:
        console.print(grid)
    yield from (line.rstrip() for line in capture.get().splitlines())


def show(table: Table, file: TextIO | None = None, *, headings: bool = True) -> None:
    """Print the table: folded on a terminal that it is too wide for, else a row a line."""
    file = file or sys.stdout
    found = list(lines(table, headings=headings))
    columns = terminal_columns(file)
    if columns is not None and any(width(line) > columns for line in found):
        found = list(folded(table, columns, headings=headings))
    file.writelines(f"{line}\n" for line in found)


def terminal_columns(file: TextIO) -> int | None:
    """How wide the terminal is that the file leads to; None where it leads to none."""
    try:
        if not file.isatty():
            return None
        return os.get_terminal_size(file.fileno()).columns or None
    except (OSError, ValueError):
        return None
