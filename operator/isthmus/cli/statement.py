"""`isthmus statement`: the statement of an account or a node, read from the ledger while the hub goes on writing."""

import json
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TextIO

import typer

from isthmus.api.instants import instant
from isthmus.errors import LedgerError
from isthmus.settlement.csvfile import csv_rows
from isthmus.settlement.jsonfile import statement_json
from isthmus.settlement.statement import Statement
from isthmus.settlement.tariff import Meter

from .currency import currency_code
from .ending import fail

LEDGER_VARIABLE = "ISTHMUS_LEDGER"
_TABLE_WIDTH = 120


class Form(StrEnum):
    """How a statement is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def period_bound(text: str) -> datetime:
    """An instant, or a day, which means its first instant in UTC. Raises BadParameter for what is neither."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        try:
            return instant(text)
        except ValueError as error:
            raise typer.BadParameter(
                f"{error}; write a day such as 2026-11-01 or an instant such as 2026-11-01T08:00:00Z"
            ) from None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def statement(
    *,
    ledger: Annotated[
        str, typer.Option(envvar=LEDGER_VARIABLE, metavar="URL", help="The ledger, such as sqlite:////data/ledger.db.")
    ],
    start: Annotated[
        datetime, typer.Option(parser=period_bound, metavar="TIME", help="First instant or day of the period (UTC).")
    ],
    end: Annotated[
        datetime, typer.Option(parser=period_bound, metavar="TIME", help="First instant or day after the period.")
    ],
    currency: Annotated[
        str, typer.Option(parser=currency_code, metavar="CODE", help="Currency to bill in, such as CNY.")
    ],
    account: Annotated[str | None, typer.Option(metavar="NAME", help="What this account owes.")] = None,
    node: Annotated[str | None, typer.Option(metavar="NAME", help="What this node has earned.")] = None,
    form: Annotated[Form, typer.Option("-o", "--format", help="How to write it.")] = Form.TABLE,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", dir_okay=False, help="Write to this file, not to the terminal.")
    ] = None,
) -> None:
    """Show what an account owes, or a node has earned, in a period.

    A line counts where its interval ends in the period. CSV and JSON hold every line; the table sums them.
    """
    if (account is None) == (node is None):
        raise typer.BadParameter("give exactly one of --account and --node")
    if start >= end:
        raise typer.BadParameter("--start must be before --end")
    # Only here, so that a wrong option is told at once.
    from isthmus.ledger import Ledger

    try:
        with Ledger.open(ledger, read_only=True) as opened:
            found = opened.statement(account=account, node=node, start=start, end=end, currency=currency)
            late = opened.unbilled_late_time(account=account, node=node, start=start, end=end)
        if output is None:
            _write(found, late, form, sys.stdout)
        else:
            with output.open("w", encoding="utf-8", newline="") as file:
                _write(found, late, form, file)
    except LedgerError as error:
        fail("statement", str(error))
    except BrokenPipeError:
        raise
    except OSError as error:
        fail("statement", f"can't write {output}: {error.strerror}; name a file that this user can write")


def _write(found: Statement, late: Mapping[tuple[Meter, str], int], form: Form, file: TextIO) -> None:
    if form is Form.CSV:
        file.writelines(csv_rows(found))
    elif form is Form.JSON:
        json.dump(statement_json(found), file, indent=2, ensure_ascii=False)
        file.write("\n")
    else:
        from rich.console import Console

        from .statement_table import statement_table

        width = None if file.isatty() else _TABLE_WIDTH
        Console(file=file, width=width, highlight=False).print(statement_table(found, late))
