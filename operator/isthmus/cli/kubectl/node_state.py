"""`node cordon`, `uncordon` and `drain`: what a node takes."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .complaint import Complaint
from .duration import seconds_of
from .flags import Flags, with_flags
from .kinds import JOBS, NODES, named
from .proposing import nodes

if TYPE_CHECKING:
    from isthmus.clusters.client import Client

_NAMES = typer.Argument(metavar="NAME", autocompletion=nodes, help="The nodes.")
_PAUSE = 0.5


@with_flags
def cordon(flags: Flags, names: Annotated[list[str], _NAMES]) -> None:
    """Place no new work on nodes; what stands there goes on."""
    asyncio.run(_set(flags, names, "Cordoned", "cordoned"))


@with_flags
def uncordon(flags: Flags, names: Annotated[list[str], _NAMES]) -> None:
    """Open nodes to work again, after a cordon or a drain."""
    asyncio.run(_set(flags, names, "Active", "uncordoned"))


@with_flags
def drain(
    flags: Flags,
    names: Annotated[list[str], _NAMES],
    *,
    wait: Annotated[bool, typer.Option(help="Wait until nothing stands there any more.")] = True,
    timeout: Annotated[str, typer.Option(metavar="TIME", help="For how long to wait; 0 is without an end.")] = "0",
) -> None:
    """Move work away from nodes and place none there.

    Work that can't be run in part stays until its end if something of it is done. Ctrl-C ends the waiting, not the
    drain.
    """
    seconds = seconds_of(timeout)
    if seconds is None:
        raise Complaint(f"--timeout {timeout!r}: write a time such as 10m")
    if not asyncio.run(_drain(flags, names, wait=wait, seconds=seconds)):
        raise typer.Exit(1)


async def _set(flags: Flags, names: Sequence[str], state: str, word: str) -> None:
    from .connection import connected, credentials_of

    async with connected(credentials_of(flags), flags, name="hub") as client:
        for name in [named(each, NODES) for each in names]:
            print(f"computenode/{name} {await _put(client, name, state, word)}", flush=True)


async def _put(client: "Client", name: str, state: str, word: str) -> str:
    """Set the node's state; the word, with `already` where it was so."""
    from isthmus.clusters.resources import COMPUTENODES

    node: dict[str, Any] = await client.get(COMPUTENODES, name)
    if node["spec"].get("schedulingState", "Active") == state:
        return f"already {word}"
    await client.patch(COMPUTENODES, name, None, {"spec": {"schedulingState": state}})
    return word


async def _drain(flags: Flags, names: Sequence[str], *, wait: bool, seconds: float) -> bool:
    from .connection import connected, credentials_of

    names = [named(each, NODES) for each in names]
    async with connected(credentials_of(flags), flags, name="hub") as client:
        for name in names:
            print(f"computenode/{name} {await _put(client, name, 'Drained', 'is being drained')}", flush=True)
        if not wait:
            return True
        try:
            async with asyncio.timeout(seconds or None):
                for name in names:
                    await _until_empty(client, name)
        except TimeoutError:
            raise Complaint(f"work still stands there after {seconds:g} s; the nodes stay Drained") from None
    return True


async def _until_empty(client: "Client", name: str) -> None:
    from isthmus.clusters.resources import COMPUTENODES

    told = 0
    while True:
        node: dict[str, Any] = await client.get(COMPUTENODES, name)
        if node["spec"].get("schedulingState") != "Drained":
            raise Complaint(f"computenode/{name} was set to {node['spec'].get('schedulingState')} meanwhile")
        status = node.get("status") or {}
        left = status.get("jobs", 0)
        if status.get("observedGeneration", 0) >= node["metadata"]["generation"]:
            if not left:
                print(f"computenode/{name} drained", flush=True)
                return
            if left != told:
                shards = "1 shard" if left == 1 else f"{left} shards"
                print(
                    f"computenode/{name}: {shards} still there (see kubectl isthmus get {JOBS.words[0]} -A)", flush=True
                )
                told = left
        await asyncio.sleep(_PAUSE)
