"""`isthmus check-hub`: whether a hub works, as `helm test` asks."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .ending import fail

if TYPE_CHECKING:
    from isthmus.clusters import Credentials

_PAUSE_SECONDS = 0.5
_ANSWER_SECONDS = 5.0
_LONGEST_ANSWER = 4096


def check_hub(
    *,
    url: Annotated[str, typer.Option(metavar="URL", help="Where the hub tells of its health: its --http-address.")],
    kubeconfig: Annotated[
        Path | None,
        typer.Option(envvar="KUBECONFIG", help="The hub cluster's kubeconfig; without it, the pod's ServiceAccount."),
    ] = None,
    context: Annotated[str | None, typer.Option(help="The kubeconfig's context; the current one by default.")] = None,
    query: Annotated[bool, typer.Option(help="Ask also whether the query API is served.")] = False,
    timeout: Annotated[float, typer.Option(min=0, help="Seconds that the hub has to become ready.")] = 30,
) -> None:
    """Check that a hub is ready and that its cluster serves its kinds; exit code 1 with the reason where not."""
    from isthmus.clusters import ClusterError, Credentials

    try:
        credentials = Credentials.from_kubeconfig_path(kubeconfig, context) if kubeconfig else Credentials.in_cluster()
        wrong = asyncio.run(_wrong(url, credentials, timeout=timeout, query=query))
    except (ClusterError, OSError, ValueError) as error:
        wrong = str(error)
    if wrong:
        fail("check-hub", wrong)
    print("the hub is ready")


async def _wrong(url: str, credentials: "Credentials", *, timeout: float, query: bool) -> str:  # noqa: ASYNC109 - to try
    """What is wrong once `timeout` seconds are over; empty as soon as nothing is."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + timeout
    while True:
        wrong = await _health(url) or await _served(credentials, query=query)
        if not wrong or clock() >= deadline:
            return wrong
        await asyncio.sleep(_PAUSE_SECONDS)


async def _health(url: str) -> str:
    """What /readyz says is wrong."""
    import aiohttp

    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_ANSWER_SECONDS)) as session,
            session.get(f"{url.rstrip('/')}/readyz") as response,
        ):
            body = (await response.content.read(_LONGEST_ANSWER)).decode(errors="replace").strip()
            return "" if response.status == 200 else f"{url} answers {response.status}: {body or response.reason}"
    except TimeoutError:
        return f"{url} did not answer within {_ANSWER_SECONDS:.0f} s"
    except (aiohttp.ClientError, OSError) as error:
        return f"{url} does not answer: {error}; is the hub running?"


async def _served(credentials: "Credentials", *, query: bool) -> str:
    """What the cluster's API lacks."""
    from isthmus.api.kinds import KINDS
    from isthmus.api.names import API_VERSION, QUERY_API_VERSION
    from isthmus.clusters import Client, ClusterError

    groups = {API_VERSION: {kind.plural for kind in KINDS}}
    if query:
        groups[QUERY_API_VERSION] = set()
    async with await Client.connect(credentials, name="the hub cluster") as client:
        for group, plurals in groups.items():
            try:
                answer = await client.probe(f"/apis/{group}")
            except ClusterError as error:
                return f"{group} is not served: {error}"
            missing = plurals - {resource["name"] for resource in answer.get("resources", ())}
            if missing:
                return f"{group} lacks {', '.join(sorted(missing))}: install the CustomResourceDefinitions"
    return ""
