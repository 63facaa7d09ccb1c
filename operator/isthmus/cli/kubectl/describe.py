"""`describe`: all that is worth knowing of a node or a job, on one page."""

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isthmus.cli.table import terminal_columns

from .complaint import Complaint, line_of
from .flags import Flags, with_flags
from .jobsheet import job_sheet
from .kinds import NODES, Kind, objects_named
from .nodesheet import node_sheet
from .proposing import kinds, of_kind
from .sheet import Sheet, sheet_lines

if TYPE_CHECKING:
    from isthmus.clusters.client import Client

_SheetOf = Callable[[Mapping[str, Any], Sequence[Mapping[str, Any]], datetime], Sheet]


@with_flags
def describe(
    flags: Flags,
    kind: Annotated[
        str, typer.Argument(metavar="KIND", autocompletion=kinds, help="node or job; or node/NAME, job/NAME.")
    ],
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", autocompletion=of_kind, help="Which.")] = None,
) -> None:
    """Show nodes or jobs in full, with their conditions and latest events."""
    found, given = objects_named([kind, *(names or ())])
    if not given:
        raise Complaint(f"which {found.singular}? Write describe {found.words[1]} NAME")
    if asyncio.run(_describe(flags, found, given)):
        raise typer.Exit(1)


async def _describe(flags: Flags, kind: Kind, names: tuple[str, ...]) -> bool:
    from .connection import connected, credentials_of, namespace_of
    from .query import Query

    credentials = credentials_of(flags)
    namespace = namespace_of(credentials, flags) if kind.namespaced else None
    sheet_of: _SheetOf = node_sheet if kind is NODES else job_sheet
    async with connected(credentials, flags, name="hub") as client:
        objects, refused = await Query(kind, namespace, names).objects(client)
        for place, obj in enumerate(objects):
            if place:
                print("\n")
            sheet = sheet_of(obj, await _events(client, obj), datetime.now(UTC))
            for line in sheet_lines(sheet, terminal_columns(sys.stdout)):
                print(line)
    for error in refused:
        print(line_of(error), file=sys.stderr)
    return bool(refused)


async def _events(client: "Client", obj: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The object's events, those of nodes in the namespace default; none where they may not be read."""
    from isthmus.clusters.errors import Forbidden
    from isthmus.clusters.resources import EVENTS

    metadata = obj["metadata"]
    try:
        fields = f"involvedObject.uid={metadata['uid']}"
        found: list[dict[str, Any]] = (
            await client.list(EVENTS, metadata.get("namespace") or "default", fields=fields)
        ).items
    except Forbidden:
        return []
    return found
