"""What completion proposes for kinds and names: those that the hub has, asked for in the time that a person waits."""

import asyncio
from dataclasses import fields, replace

import typer

from .flags import Flags
from .kinds import JOBS, NODES, WORDS, Kind, kind_of

_SECONDS = "3s"


def kinds(incomplete: str) -> list[str]:
    """The kinds."""
    return [word for word in WORDS if word.startswith(incomplete)]


def jobs(ctx: typer.Context, incomplete: str) -> list[str]:
    """Jobs of the namespace."""
    return _names(ctx, JOBS, incomplete)


def nodes(ctx: typer.Context, incomplete: str) -> list[str]:
    """All nodes."""
    return _names(ctx, NODES, incomplete)


def of_kind(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of the kind that was written before."""
    from isthmus.errors import IsthmusError

    try:
        return _names(ctx, kind_of(str(ctx.params.get("kind") or "")), incomplete)
    except IsthmusError:
        return []


def _names(ctx: typer.Context, kind: Kind, incomplete: str) -> list[str]:
    from isthmus.clusters.errors import ClusterError
    from isthmus.errors import IsthmusError

    known = {each.name for each in fields(Flags)}
    said = [ctx.params, ctx.find_root().params]  # no command is run yet, nor what comes before it
    after, before = (Flags(**{name: each[name] for name in known if each.get(name)}) for each in said)
    flags = replace(after.over(before), request_timeout=_SECONDS)
    try:
        found = asyncio.run(_ask(flags, kind))
    except (ClusterError, IsthmusError, OSError):
        return []
    return [name for name in found if name.startswith(incomplete)]


async def _ask(flags: Flags, kind: Kind) -> list[str]:
    from .connection import connected, credentials_of, namespace_of
    from .query import Query
    from .servertable import table_of

    credentials = credentials_of(flags)
    namespace = namespace_of(credentials, flags) if kind.namespaced else None
    async with connected(credentials, flags, name="hub") as client:
        pages, _ = await Query(kind, namespace).tables(client)
    return [row[0] for row in table_of(pages, kind, wide=False, across=False).rows]
