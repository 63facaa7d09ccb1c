"""The hub's query API: what an object's status has no room for, under the caller's own rights."""

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from isthmus.api.names import QUERY_API_VERSION, QUERY_GROUP

from .complaint import Complaint

if TYPE_CHECKING:
    from isthmus.clusters.client import Client

_FOREVER = 30 * 86_400.0


def _path(namespace: str, name: str, subresource: str) -> str:
    place = f"namespaces/{quote(namespace, safe='')}/computejobs/{quote(name, safe='')}"
    return f"/apis/{QUERY_API_VERSION}/{place}/{subresource}"


async def explanation(client: "Client", namespace: str, name: str) -> tuple[dict[str, Any] | None, str]:
    """The whole explanation, or None and why there is none."""
    from isthmus.clusters.errors import Forbidden, NotFound, ServerFailure, UnexpectedAnswer

    try:
        body = await client.raw("GET", _path(namespace, name, "explanation"))
        found: dict[str, Any] = msgspec.json.decode(body, type=dict[str, Any])
    except (UnexpectedAnswer, ServerFailure, NotFound, Forbidden, msgspec.MsgspecError) as error:
        return None, _unserved(error)
    return found, ""


async def accounts(client: "Client") -> list[dict[str, Any]]:
    """Where the accounts stand. Raises Complaint where that is not served."""
    from isthmus.clusters.errors import NotFound, ServerFailure, UnexpectedAnswer

    try:
        body = await client.raw("GET", f"/apis/{QUERY_API_VERSION}/accounts")
        found: dict[str, Any] = msgspec.json.decode(body, type=dict[str, Any])
    except (UnexpectedAnswer, ServerFailure, NotFound, msgspec.MsgspecError) as error:
        raise Complaint(f"accounts can't be told: {_unserved(error)}") from None
    return list(found.get("items") or ())


async def log(
    client: "Client", namespace: str, name: str, params: Mapping[str, str], *, silence_seconds: float | None
) -> AsyncIterator[bytes]:
    """A pod's log as it comes; `silence_seconds` None waits for more without an end."""
    from isthmus.clusters.errors import NotFound, ServerFailure, UnexpectedAnswer

    try:
        async with client.stream(
            _path(namespace, name, "log"), params, accept="text/plain, */*", idle_seconds=silence_seconds or _FOREVER
        ) as chunks:
            async for chunk in chunks:
                yield chunk
    except (UnexpectedAnswer, ServerFailure, NotFound) as error:
        if isinstance(error, NotFound) and error.details.get("name"):
            raise  # the API is served, and the job, pod or container is not there
        raise Complaint(f"there are no logs: {_unserved(error)}") from None


def _unserved(error: Exception) -> str:
    from isthmus.clusters.errors import Forbidden, NotFound, ServerFailure

    if isinstance(error, Forbidden):
        return f"the query API refuses it ({error.message})"
    if isinstance(error, ServerFailure):
        return f"the hub's query API ({QUERY_GROUP}) says: {error.message}"
    if isinstance(error, NotFound) and error.details.get("name"):
        return f"the query API does not know it ({error.message})"
    return f"the hub does not serve its query API ({QUERY_GROUP})"
