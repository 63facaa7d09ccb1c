"""A statement as a table for a terminal: by node or account, meter and model, in hours."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from isthmus.api.instants import instant_text
from isthmus.settlement.lines import UNITS, Line, pricing_quantity
from isthmus.settlement.money import ROUNDING, plain
from isthmus.settlement.statement import MeterSum, Statement, meter_sums
from isthmus.settlement.tariff import Meter

_HOUR = Decimal(3600)
_SHOWN = Decimal(1).scaleb(-4)


def statement_table(statement: Statement, late: Mapping[tuple[Meter, str], int]) -> RenderableType:
    """The sums and, below, the total with what it leaves out. Sums are shown to four decimals, and kept exact.

    `late` is the resource-time that was recorded and is not billed.
    """
    by_node = statement.node is None
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("NODE" if by_node else "ACCOUNT", overflow="fold")
    table.add_column("MODEL", overflow="fold")
    for heading in ("QUANTITY", "UNIT", f"AMOUNT {statement.currency}"):
        table.add_column(heading, justify="left" if heading == "UNIT" else "right", no_wrap=True)
    for name, lines in _grouped(statement.lines, by_node=by_node):
        for each in meter_sums(lines):
            table.add_row(Text(name), Text(each.model), *_figures(each))
    return Group(*_heading(statement), table, *_ending(statement), *_unbilled(late))


def _heading(statement: Statement) -> list[Text]:
    named = [f"account {statement.account}"] if statement.account is not None else []
    named += [f"node {statement.node}"] if statement.node is not None else []
    party = ", ".join(named or ["all accounts"])
    return [Text(f"{party}, {instant_text(statement.start)} up to {instant_text(statement.end)}"), Text()]


def _ending(statement: Statement) -> list[Text]:
    rounding = f", of it {plain(statement.adjustment)} by rounding" if statement.adjustment else ""
    total = f"total {statement.currency} {statement.total:f} over {_counted(len(statement.lines))}{rounding}"
    ending = [Text(), Text(total, style="bold")]
    if statement.unpriced:
        reasons = sorted({line.unpriced_reason for line in statement.lines if line.unpriced_reason})
        count = "1 line is" if statement.unpriced == 1 else f"{statement.unpriced} lines are"
        text = f"{count} Unpriced ({', '.join(reasons)}): the total is not all that is owed"
        ending.append(Text(text, style="yellow"))
    return ending


def _unbilled(late: Mapping[tuple[Meter, str], int]) -> list[Text]:
    sums = [f"{_hours(pricing_quantity(meter, late[meter, model]))} {_unit(UNITS[meter][0])}" for meter, model in late]
    text = f"not billed: {', '.join(sums)} that came to light after the work had been given to another node"
    return [Text(text)] if sums else []


def _figures(each: MeterSum) -> tuple[str, str, str]:
    amount = "Unpriced" if each.amount is None else f"{each.amount.quantize(_SHOWN, context=ROUNDING):f}"
    return _hours(each.pricing_quantity), _unit(each.unit), amount


def _hours(seconds: Decimal) -> str:
    return f"{ROUNDING.divide(seconds, _HOUR).quantize(_SHOWN, context=ROUNDING):f}"


def _unit(unit: str) -> str:
    return unit.replace("-second", "-h")


def _counted(lines: int) -> str:
    return "1 line" if lines == 1 else f"{lines} lines"


def _grouped(lines: Iterable[Line], *, by_node: bool) -> list[tuple[str, list[Line]]]:
    groups: dict[str, list[Line]] = {}
    for line in lines:
        groups.setdefault(line.usage.node if by_node else line.usage.account, []).append(line)
    return sorted(groups.items())
