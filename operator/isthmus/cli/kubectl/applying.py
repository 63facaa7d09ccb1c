"""One object put into a cluster, and what that changed."""

from typing import TYPE_CHECKING, Any

from isthmus.clusters.errors import NotFound

from .memberobjects import Applied

if TYPE_CHECKING:
    from isthmus.clusters.client import Client

MANAGER = "kubectl-isthmus"
_BOOKS = frozenset({"managedFields", "resourceVersion", "generation"})


async def present(client: "Client", wanted: Applied) -> dict[str, Any] | None:
    """The object as it is there."""
    try:
        found: dict[str, Any] = await client.get(wanted.resource, wanted.name, wanted.namespace)
    except NotFound:
        return None
    return found


async def apply(client: "Client", wanted: Applied, *, dry_run: bool = False) -> str:
    """Server-side apply; what became of the object, in a word: created, configured or unchanged.

    With `dry_run` nothing is written: an object that is there is said to be so.
    """
    before = await present(client, wanted)
    if dry_run:
        return "would be created" if before is None else "is there, and would be applied"
    after: dict[str, Any] = await client.apply(wanted.resource, wanted.manifest, wanted.namespace, manager=MANAGER)
    return outcome(before, after)


def outcome(before: dict[str, Any] | None, after: dict[str, Any]) -> str:
    """What a write did. That the API server keeps other books on who owns which field is no change."""
    if before is None:
        return "created"
    return "unchanged" if _content(before) == _content(after) else "configured"


def _content(obj: dict[str, Any]) -> dict[str, Any]:
    metadata = {key: value for key, value in obj["metadata"].items() if key not in _BOOKS}
    return {**obj, "metadata": metadata}
