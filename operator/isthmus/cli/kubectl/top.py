"""`top`: the fleet, live on a terminal, once elsewhere."""

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .complaint import Complaint, line_of
from .duration import seconds_of
from .flags import Flags, with_flags
from .fleet import Fleet, JobLine, fleet_of
from .kinds import JOBS, NODES

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from isthmus.clusters.client import Client

    from .servertable import ServerTable

_SHORTEST = 0.2
_WIDTH_ELSEWHERE = 120


@with_flags
def top(
    flags: Flags,
    *,
    interval: Annotated[str, typer.Option(metavar="TIME", help="How often it looks again.")] = "2s",
    once: Annotated[bool, typer.Option("--once", help="Show it once, on a terminal too.")] = False,
) -> None:
    """Watch nodes fill and jobs run, until Ctrl-C. With --namespace, jobs of that one alone.

    Where the output is no terminal it is shown once.
    """
    seconds = seconds_of(interval)
    if seconds is None or seconds < _SHORTEST:
        raise Complaint(f"--interval {interval!r}: write a time of at least {_SHORTEST:g}s, such as 2s")
    with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C is how it is left
        asyncio.run(_top(flags, None if once or not sys.stdout.isatty() else seconds))


async def _top(flags: Flags, seconds: float | None) -> None:
    from rich.console import Console
    from rich.live import Live

    from .connection import connected, credentials_of

    credentials = credentials_of(flags)
    async with connected(credentials, flags, name="hub") as client:
        fleet = await read(client, flags.namespace)
        if seconds is None:
            console = Console(width=None if sys.stdout.isatty() else _WIDTH_ELSEWHERE, highlight=False)
            console.print(_screen(console, fleet, whole=True))
            return
        console = Console(highlight=False)
        with Live(_screen(console, fleet), console=console, screen=True, auto_refresh=False) as live:
            while True:
                await asyncio.sleep(seconds)
                live.update(await _again(client, flags.namespace, console), refresh=True)


async def _again(client: "Client", namespace: str | None, console: "Console") -> "RenderableType":
    """The next screen, or what kept it from being made."""
    from rich.text import Text

    from isthmus.clusters.errors import ClusterError

    try:
        return _screen(console, await read(client, namespace))
    except ClusterError as error:
        return Text(line_of(error), style="red")


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
