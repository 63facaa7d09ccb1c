"""Servers on a loopback port that answer as the tests want, and clients of them."""

import random
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from isthmus.clusters import Client, Credentials, Traffic
from isthmus.clusters.identity import FixedIdentity, Identity, bearer

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The port of a server that answers every request by `handler`."""
    runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


async def connected(
    server: str,
    timeout_seconds: float = 5.0,
    concurrency: int = 64,
    traffic: Traffic | None = None,
    **settings: Any,
) -> Client:
    """A client of the server called north, with the token `t` unless `settings` of its credentials say otherwise."""
    credentials = Credentials(server=server, **{"source": FixedIdentity(Identity(bearer("t"))), **settings})
    return await Client.connect(
        credentials,
        name="north",
        timeout_seconds=timeout_seconds,
        concurrency=concurrency,
        traffic=traffic,
        rng=random.Random(1),  # noqa: S311 - jitter
    )


@asynccontextmanager
async def client_of(handler: Handler, **settings: Any) -> AsyncIterator[Client]:
    """A client of a server that answers by `handler`."""
    async with serving(handler) as port, await connected(f"http://127.0.0.1:{port}", **settings) as client:
        yield client


def answering(*answers: Callable[[], web.StreamResponse]) -> tuple[Handler, list[web.BaseRequest]]:
    """A handler that gives these answers one after the other, the last one ever again, and the requests it saw."""
    seen: list[web.BaseRequest] = []

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        seen.append(request)
        return answers[min(len(seen), len(answers)) - 1]()

    return handle, seen


def json_answer(body: Any, status: int = 200, **headers: str) -> Callable[[], web.Response]:
    """An answer in JSON; underscores in the headers' names stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda: web.json_response(body, status=status, headers=named)


def status_answer(code: int, reason: str, **headers: str) -> Callable[[], web.Response]:
    """A refusal as the API server gives it."""
    return json_answer({"kind": "Status", "code": code, "reason": reason, "message": "words"}, code, **headers)
