"""`get`: nodes or jobs as a table, or as they are."""

import asyncio
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from isthmus.cli.table import Table, lines, show, widths

from .complaint import Complaint, line_of
from .flags import Flags, with_flags
from .kinds import Kind, objects_named
from .output import Form, listed, names_of, without_bookkeeping, write
from .proposing import kinds, of_kind

if TYPE_CHECKING:
    from isthmus.clusters.client import Client

    from .query import Query
    from .servertable import ServerTable

_TABLES = frozenset({Form.TABLE, Form.WIDE})


@with_flags
def get(
    flags: Flags,
    kind: Annotated[
        str, typer.Argument(metavar="KIND", autocompletion=kinds, help="nodes or jobs; or node/NAME, job/NAME.")
    ],
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", autocompletion=of_kind, help="Only these.")
    ] = None,
    *,
    all_namespaces: Annotated[bool, typer.Option("--all-namespaces", "-A", help="Jobs of every namespace.")] = False,
    selector: Annotated[str | None, typer.Option("--selector", "-l", help="Only those with these labels.")] = None,
    form: Annotated[Form, typer.Option("--output", "-o", help="How to write them.")] = Form.TABLE,
    no_headers: Annotated[bool, typer.Option("--no-headers", help="Rows only.")] = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Go on with what changes, until Ctrl-C.")] = False,
) -> None:
    """Show nodes or jobs.

    The columns are those of kubectl get; -o wide adds what only this command knows to show.
    """
    found, given = objects_named([kind, *(names or ())])
    _check(given, selector, form, all_namespaces=all_namespaces, watch=watch)
    failed = asyncio.run(
        _run(flags, found, given, selector, form, all_namespaces=all_namespaces, headings=not no_headers, watch=watch)
    )
    if failed:
        raise typer.Exit(1)


def _check(given: Sequence[str], selector: str | None, form: Form, *, all_namespaces: bool, watch: bool) -> None:
    if given and selector:
        raise Complaint("names and --selector exclude each other")
    if given and all_namespaces:
        raise Complaint("a name can't be looked for in all namespaces; give --namespace")
    if watch and form not in _TABLES:
        raise Complaint("--watch goes with -o table and -o wide")
    if watch and len(given) > 1:
        raise Complaint("--watch takes one name, or none")


async def _run(
    flags: Flags,
    kind: Kind,
    given: tuple[str, ...],
    selector: str | None,
    form: Form,
    *,
    all_namespaces: bool,
    headings: bool,
    watch: bool,
) -> bool:
    """Whether anything went wrong; that has been told."""
    from .connection import connected, credentials_of, namespace_of
    from .query import Query

    credentials = credentials_of(flags)
    namespace = namespace_of(credentials, flags) if kind.namespaced and not all_namespaces else None
    query = Query(kind, namespace, given, selector, wide=form is Form.WIDE)
    async with connected(credentials, flags, name="hub") as client:
        if form not in _TABLES:
            return await _objects(client, query, form)
        return await _table(client, query, headings=headings, watch=watch)


async def _table(client: "Client", query: "Query", *, headings: bool, watch: bool) -> bool:
    from .servertable import table_of

    pages, refused = await query.tables(client)
    table = table_of(pages, query.kind, wide=query.wide, across=query.across)
    if table.rows:
        show(table, headings=headings)
    _tell(refused)
    if watch and not refused:
        await _follow(client, query, pages, table)
    elif not table.rows and not refused:
        print(nothing_found(query.kind, query.namespace), file=sys.stderr)
    return bool(refused)


async def _follow(client: "Client", query: "Query", pages: Sequence["ServerTable"], table: Table) -> None:
    """A row for each change below the table that was shown, until the watch is ended from outside."""
    from isthmus.clusters.errors import Expired

    from .servertable import table_of

    version, columns, wide_as = pages[-1].metadata.resource_version, pages[0].column_definitions, widths(table)
    while True:
        try:
            async for page in query.changes(client, version):
                version = page.metadata.resource_version or version
                columns = page.column_definitions = page.column_definitions or columns  # the first has them
                change = table_of([page], query.kind, wide=query.wide, across=query.across)
                for line in lines(change, headings=not wide_as, at_least=wide_as):
                    print(line, flush=True)
                wide_as = wide_as or widths(change)
        except Expired:
            version = ""


async def _objects(client: "Client", query: "Query", form: Form) -> bool:
    found, refused = await query.objects(client)
    if form is Form.NAME:
        for name in names_of(query.kind, found):
            print(name)
    elif len(query.names) == 1 and found:
        write(without_bookkeeping(found[0]), form)
    elif found or not refused:
        write(listed(found), form)
    _tell(refused)
    return bool(refused)


def _tell(refused: Sequence[Exception]) -> None:
    for error in refused:
        print(line_of(error), file=sys.stderr)


def nothing_found(kind: Kind, namespace: str | None) -> str:
    """The words for an empty list, as kubectl has them."""
    return f"No resources found in {namespace} namespace." if kind.namespaced and namespace else "No resources found"
