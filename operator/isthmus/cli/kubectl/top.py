"""`top`: the fleet, live on a terminal, once elsewhere."""

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .complaint import Complaint, line_of
from .duration import seconds_of
from .flags import Flags, with_flags
from .fleet import Fleet, JobLine, fleet_of
from .kinds import JOBS, NODES

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from isthmus.cli.table import Table
    from isthmus.clusters.client import Client

    from .servertable import ServerTable

_SHORTEST = 0.2


class What(StrEnum):
    """What is shown."""

    FLEET = "fleet"
    ACCOUNTS = "accounts"


_WIDTH_ELSEWHERE = 120


@with_flags
def top(
    flags: Flags,
    what: Annotated[
        What, typer.Argument(metavar="WHAT", help="fleet: nodes and jobs; accounts: their shares and quotas.")
    ] = What.FLEET,
    *,
    interval: Annotated[str, typer.Option(metavar="TIME", help="How often it looks again.")] = "2s",
    once: Annotated[bool, typer.Option("--once", help="Show it once, on a terminal too.")] = False,
) -> None:
    """Watch nodes fill and jobs run, or accounts, until Ctrl-C. With --namespace, jobs of that one alone.

    Where the output is no terminal it is shown once.
    """
    seconds = seconds_of(interval)
    if seconds is None or seconds < _SHORTEST:
        raise Complaint(f"--interval {interval!r}: write a time of at least {_SHORTEST:g}s, such as 2s")
    with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C is how it is left
        asyncio.run(_top(flags, what, None if once or not sys.stdout.isatty() else seconds))


async def _top(flags: Flags, what: What, seconds: float | None) -> None:
    from rich.console import Console
    from rich.live import Live

    from isthmus.cli.table import show

    from .connection import connected, credentials_of

    credentials = credentials_of(flags)
    async with connected(credentials, flags, name="hub") as client:
        if seconds is None and what is What.ACCOUNTS:
            show(await _accounts(client))
            return
        if seconds is None:
            console = Console(width=None if sys.stdout.isatty() else _WIDTH_ELSEWHERE, highlight=False)
            console.print(_screen(console, await read(client, flags.namespace), whole=True))
            return
        console = Console(highlight=False)
        first = await _shown(client, what, flags.namespace, console)
        with Live(first, console=console, screen=True, auto_refresh=False) as live:
            while True:
                await asyncio.sleep(seconds)
                live.update(await _again(client, what, flags.namespace, console), refresh=True)


async def _accounts(client: "Client") -> "Table":
    from .accountlist import account_table
    from .queryapi import accounts

    return account_table(await accounts(client))


async def _shown(client: "Client", what: What, namespace: str | None, console: "Console") -> "RenderableType":
    from rich.text import Text

    from isthmus.cli.table import folded

    if what is What.FLEET:
        return _screen(console, await read(client, namespace))
    rows = list(folded(await _accounts(client), console.width))
    return Text("\n".join(rows[: console.height - 1]), no_wrap=True)


async def _again(client: "Client", what: What, namespace: str | None, console: "Console") -> "RenderableType":
    """The next screen, or what kept it from being made."""
    from rich.text import Text

    from isthmus.clusters.errors import ClusterError

    try:
        return await _shown(client, what, namespace, console)
    except ClusterError as error:
        return Text(line_of(error), style="red")
    except Complaint as error:
        return Text(str(error), style="red")


def _screen(console: "Console", fleet: Fleet, *, whole: bool = False) -> "RenderableType":
    from .fleetview import screen

    now = f"{datetime.now(UTC):%H:%M:%S}Z"
    return screen(fleet, columns=console.width, rows=None if whole else console.height - 1, at=now)


async def read(client: "Client", namespace: str | None) -> Fleet:
    """The fleet as it is now. Whoever may not see nodes sees jobs alone."""
    from isthmus.clusters.errors import Forbidden

    from .query import Query

    query = Query(JOBS, namespace)
    (pages, _), nodes = await asyncio.gather(query.tables(client), _nodes(client, Forbidden))
    return fleet_of(nodes, job_lines(pages, namespace))


async def _nodes(client: "Client", forbidden: type[Exception]) -> list[dict[str, Any]]:
    from .query import Query

    try:
        return (await Query(NODES, None).objects(client))[0]
    except forbidden:
        return []


def job_lines(pages: Sequence["ServerTable"], namespace: str | None) -> list[JobLine]:
    """The rows of the server's own table, by its headings."""
    from .servertable import table_of

    table = table_of(pages, JOBS, wide=False, across=namespace is None)
    places = {heading: place for place, heading in enumerate(table.headings)}

    def cell(row: Sequence[str], heading: str) -> str:
        return row[places[heading]] if heading in places else ""

    return [
        JobLine(
            namespace=cell(row, "NAMESPACE") or namespace or "",
            name=cell(row, "NAME"),
            phase=cell(row, "PHASE"),
            nodes=cell(row, "NODES"),
            done=cell(row, "DONE"),
            gpus=cell(row, "GPUS"),
            cost=cell(row, "COST"),
            age=cell(row, "AGE"),
        )
        for row in table.rows
    ]
