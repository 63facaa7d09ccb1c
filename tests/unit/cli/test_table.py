import contextlib
import io
import os
import pty
import struct
import termios
from collections.abc import Iterator
from fcntl import ioctl
from typing import TextIO

import pytest

from isthmus.cli.escaping import printable, width
from isthmus.cli.table import Table, folded, lines, show, widths

NODES = Table(("NAME", "READY", "REGION"), [("east", "True", "cn-east-3"), ("a-node-with-a-long-name", "", "苏州")])


@pytest.fixture
def terminal() -> Iterator[tuple[int, TextIO]]:
    """A terminal of 60 columns: its other end, and a file that writes to it."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    with os.fdopen(theirs, "w", encoding="utf-8") as file:
        yield ours, file
    os.close(ours)


def test_columns_stand_three_spaces_apart() -> None:
    """Each column is as wide as its widest cell, wide characters counted twice, and lines have no spaces at the end."""
    assert list(lines(NODES)) == [
        "NAME                      READY   REGION",
        "east                      True    cn-east-3",
        "a-node-with-a-long-name           苏州",
    ]


def test_rows_alone() -> None:
    """Without headings a table of no rows is nothing, and others are not padded for headings."""
    assert list(lines(Table(("NAME",), []), headings=False)) == []
    assert list(lines(Table(("A", "B"), [("x", "y")]), headings=False)) == ["x   y"]


def test_later_rows_stand_below_earlier_ones() -> None:
    """Rows of a watch keep the widths of the table they follow."""
    later = Table(NODES.headings, [("west", "True", "cn-west-1")])
    assert list(lines(later, headings=False, at_least=widths(NODES))) == ["west                      True    cn-west-1"]


@pytest.mark.parametrize("columns", [60, 40, 20])
def test_a_folded_table_is_no_wider_and_loses_nothing(columns: int) -> None:
    """On a narrow terminal cells go on below, and each character of each cell is there."""
    message = "0/3 nodes are available: 2 ModelNotOffered, 1 Cordoned; see kubectl isthmus explain"
    table = Table(("NAME", "MESSAGE"), [("a-job-with-a-long-name-for-sure", message)])
    found = list(folded(table, columns))
    assert all(width(line) <= columns for line in found)
    shown = "".join(found).replace(" ", "")
    assert sorted(shown) == sorted("NAMEMESSAGE" + "a-job-with-a-long-name-for-sure" + message.replace(" ", ""))


def test_elsewhere_than_on_a_terminal_a_row_is_a_line() -> None:
    """A file gets rows however wide they are, so that they can be cut by column."""
    file = io.StringIO()
    show(Table(("NAME", "MESSAGE"), [("x", "word " * 100)]), file)
    assert len(file.getvalue().splitlines()) == 2


def test_a_terminal_of_60_columns(terminal: tuple[int, TextIO]) -> None:
    """On a terminal a table that is too wide is folded to its width."""
    ours, file = terminal
    show(Table(("NAME", "MESSAGE"), [("x", "word " * 30)]), file)
    file.close()
    data = b""
    with contextlib.suppress(OSError):  # what a terminal says whose other end is closed
        while found := os.read(ours, 4096):
            data += found
    shown = data.decode().splitlines()
    assert len(shown) > 2
    assert all(len(line) <= 60 for line in shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("苏州 · 区域", "苏州 · 区域"),
        ("[red]x[/red]", "[red]x[/red]"),
        ("<b>bold</b>", "<b>bold</b>"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("two\nlines\t", "two\\nlines\\t"),
        ("\u202eback", "\\u202eback"),
        ("a\u2028b", "a\\u2028b"),
    ],
)
def test_what_would_move_the_cursor_is_shown_and_not_done(text: str, shown: str) -> None:
    """Markup is literal, and control characters are escapes, in plain and in folded tables."""
    assert printable(text) == shown
    assert list(lines(Table(("A",), [(text,)]), headings=False)) == [shown]
    assert "".join(folded(Table(("A",), [(text,)]), 60, headings=False)) == shown
