"""A page about one object: fields with their values, then parts with a title. Folded where a terminal is narrow."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from isthmus.cli.escaping import printable, width
from isthmus.cli.table import Table, folded, lines

_GAP = 2
_INDENT = 2
_NARROWEST = 20


@dataclass(frozen=True, slots=True)
class Part:
    """A table under a title; nothing is shown where it has no row and no words for that."""

    title: str
    table: Table
    none: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """Fields are pairs of label and value; those without a value are left out."""

    fields: Sequence[tuple[str, str]]
    parts: Sequence[Part] = ()


def sheet_lines(sheet: Sheet, columns: int | None) -> Iterator[str]:
    """The page within `columns`, or as wide as it is."""
    fields = [(label, value) for label, value in sheet.fields if value]
    indent = max((len(label) for label, _ in fields), default=0) + 1 + _GAP
    for label, value in fields:
        head = f"{label}:".ljust(indent)
        yield from _wrapped(head, value, indent, columns)
    for part in sheet.parts:
        if part.table.rows:
            yield f"{part.title}:"
            yield from (" " * _INDENT + line for line in _table(part.table, columns))
        elif part.none:
            yield from _wrapped(f"{part.title}:".ljust(indent), part.none, indent, columns)


def _table(table: Table, columns: int | None) -> list[str]:
    whole = list(lines(table))
    if columns is None or all(width(line) <= columns - _INDENT for line in whole):
        return whole
    return list(folded(table, max(columns - _INDENT, _NARROWEST)))


def _wrapped(head: str, value: str, indent: int, columns: int | None) -> Iterator[str]:
    text = printable(value)
    if columns is None:
        yield head + text
        return
    found = textwrap.wrap(text, max(columns - indent, _NARROWEST), break_on_hyphens=False) or [""]
    yield head + found[0]
    yield from (" " * indent + line for line in found[1:])
