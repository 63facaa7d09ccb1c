"""The page of reasons: what each condition can give, what it means and what to do."""

from collections.abc import Iterator
from itertools import groupby

from isthmus.api.reasons import TABLES, Reason, ReasonTable

_HEAD = """# Conditions and their reasons

<!-- Rendered from operator/isthmus/api/reasons/ by `make generate`. -->

What the conditions of each kind tell, the reasons that they give, and what to do. The message beside a reason names
the case at hand: read it first. `kubectl describe` shows both.
"""


def reasons() -> str:
    """The whole page, Markdown."""
    return "\n".join([_HEAD, *_index(), *(line for table in _sections() for line in table)]) + "\n"


def _index() -> Iterator[str]:
    for kind, tables in groupby(TABLES, lambda table: table.kind):
        links = (f"[{table.subject}](#{_anchor(table)})" for table in tables)
        yield f"- {kind}: {', '.join(links)}"


def _sections() -> Iterator[Iterator[str]]:
    for kind, tables in groupby(TABLES, lambda table: table.kind):
        yield iter(("", f"## {kind}"))
        yield from (_section(table) for table in tables)


def _section(table: ReasonTable) -> Iterator[str]:
    yield from ("", f"### {_title(table)}", "", table.about, "")
    yield from ("| reason | what it means | what to do |", "| --- | --- | --- |")
    yield from (_row(reason) for reason in table.reasons)


def _row(reason: Reason) -> str:
    more = f"[More](../{reason.see})" if reason.see else ""
    cells = (f"`{reason.name}`", reason.meaning, " ".join(filter(None, (reason.mend, more))))
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _title(table: ReasonTable) -> str:
    return table.subject[0].upper() + table.subject[1:]


def _anchor(table: ReasonTable) -> str:
    return table.subject.lower().replace(" ", "-")
