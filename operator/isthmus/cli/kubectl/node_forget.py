"""`node forget`: the operator's word that nothing runs on a lost node any more."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from isthmus.api import instants
from isthmus.api.names import ANNOTATION_FORGET

from .complaint import Complaint
from .flags import Flags, with_flags
from .kinds import NODES, condition, named
from .proposing import nodes


@with_flags
def forget(
    flags: Flags,
    name: Annotated[str, typer.Argument(metavar="NAME", autocompletion=nodes, help="The node.")],
    *,
    before: Annotated[
        str | None,
        typer.Option(metavar="INSTANT", help="What it was sent before then has stopped, RFC 3339; now if not given."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="You know that nothing runs there any more.")] = False,
) -> None:
    """Give up what a node that can't be reached was sent, so that it runs elsewhere.

    It is your word that counts: if the work does run on there, it runs twice.
    """
    asyncio.run(_forget(flags, named(name, NODES), before, yes=yes))


async def _forget(flags: Flags, name: str, before: str | None, *, yes: bool) -> None:
    from isthmus.clusters.resources import COMPUTENODES

    from .connection import connected, credentials_of

    async with connected(credentials_of(flags), flags, name="hub") as client:
        node: dict[str, Any] = await client.get(COMPUTENODES, name)
        now = max(datetime.now(UTC), client.server_time() or datetime.now(UTC))
        instant = word(node, instant_of(before, now))
        jobs = (node.get("status") or {}).get("jobs", 0)
        if not yes:
            raise Complaint(
                f"{jobs} shards stand on computenode/{name}, and nobody can see whether they have stopped; if you know "
                "that they have, say so with --yes: if not, they run twice"
            )
        await client.patch(COMPUTENODES, name, None, {"metadata": {"annotations": {ANNOTATION_FORGET: instant}}})
        later = datetime.fromisoformat(instant) > now
        print(
            f"computenode/{name}: what it was sent before {instant} counts as stopped"
            + (" from then on" if later else "")
        )


def instant_of(text: str | None, now: datetime) -> datetime:
    """The instant that is meant, to the second. Complaint where the text is none."""
    if text is None:
        return now.replace(microsecond=0)
    try:
        return instants.instant(text)
    except ValueError:
        raise Complaint(f"--before {text!r} is no instant; write one such as {now:%Y-%m-%dT%H:%M:%SZ}") from None


def word(node: Mapping[str, Any], instant: datetime) -> str:
    """The annotation's value. Complaint where the hub would not heed it."""
    name = node["metadata"]["name"]
    reachable = condition(node, "Reachable")
    if reachable.get("status") != "False":
        said = reachable.get("reason", "not looked at yet")
        raise Complaint(
            f"computenode/{name} is not known to be out of reach ({said}); drain it instead, or delete what runs there"
        )
    since = datetime.fromisoformat(reachable["lastTransitionTime"])
    if instant < since:
        raise Complaint(
            f"computenode/{name} has been silent only since {since:%Y-%m-%dT%H:%M:%SZ}; name an instant after that"
        )
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"
