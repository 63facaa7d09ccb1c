"""A statement as CSV (RFC 4180): one row a line, and the rounding as a row of its own.

The column `amount` sums to the statement's total. Text that others chose is guarded against being taken for a formula
by a spreadsheet: where it could be, an apostrophe stands before it, and an apostrophe that was there is doubled, so
taking one leading apostrophe away gives the original back.
"""

import csv
import io
from collections.abc import Callable, Iterator
from decimal import Decimal

from isthmus.api.instants import instant_text

from .lines import Line
from .money import plain
from .statement import Statement

# What spreadsheets begin a formula with, in its wide forms too (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n", "'")


def guarded(text: str) -> str:
    """The text, with an apostrophe before it where a spreadsheet could take it for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def _amount(value: Decimal | None) -> str:
    return "" if value is None else plain(value)


_COLUMNS: dict[str, Callable[[Line], str]] = {
    "identityCode": lambda line: guarded(line.usage.identity.code if line.usage.identity else ""),
    "identityIssuer": lambda line: guarded(line.usage.identity.issuer if line.usage.identity else ""),
    "identityScheme": lambda line: guarded(line.usage.identity.scheme if line.usage.identity else ""),
    "account": lambda line: guarded(line.usage.account),
    "node": lambda line: guarded(line.usage.node),
    "jobNamespace": lambda line: guarded(line.usage.job.namespace),
    "jobName": lambda line: guarded(line.usage.job.name),
    "jobUid": lambda line: guarded(line.usage.job.uid),
    "dispatchUid": lambda line: guarded(line.usage.dispatch_uid),
    "attempt": lambda line: str(line.usage.attempt),
    "sequence": lambda line: str(line.usage.sequence),
    "intervalStart": lambda line: instant_text(line.usage.start),
    "intervalEnd": lambda line: instant_text(line.usage.end),
    "estimated": lambda line: "true" if line.usage.estimated else "false",
    "meter": lambda line: line.usage.meter,
    "model": lambda line: guarded(line.usage.model),
    "quantity": lambda line: str(line.usage.quantity),
    "pricingQuantity": lambda line: plain(line.pricing_quantity),
    "unit": lambda line: line.unit,
    "unitPrice": lambda line: _amount(line.unit_price),
    "amount": lambda line: _amount(line.amount),
    "unpricedReason": lambda line: line.unpriced_reason or "",
    "tariffVersion": lambda line: guarded(line.tariff_version),
    "tariffDigest": lambda line: line.tariff_digest,
}

COLUMNS = ("lineType", "periodStart", "periodEnd", "currency", *_COLUMNS)
"""`lineType` is Usage or Rounding; a Rounding row fills only the first four and `amount`."""


def csv_rows(statement: Statement) -> Iterator[str]:
    """The header and each row as CSV text that ends in CRLF, one at a time."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    yield _taken(buffer)
    period = {
        "periodStart": instant_text(statement.start),
        "periodEnd": instant_text(statement.end),
        "currency": statement.currency,
    }
    for line in statement.lines:
        writer.writerow({"lineType": "Usage", **period} | {name: text(line) for name, text in _COLUMNS.items()})
        yield _taken(buffer)
    if statement.adjustment:
        writer.writerow({"lineType": "Rounding", **period, "amount": plain(statement.adjustment)})
        yield _taken(buffer)


def statement_csv(statement: Statement) -> str:
    """The whole CSV text."""
    return "".join(csv_rows(statement))


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
