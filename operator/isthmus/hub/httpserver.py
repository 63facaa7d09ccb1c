"""The hub's HTTP endpoints for the platform: /healthz, /readyz and /metrics."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Self

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from isthmus.errors import HubError

from .address import Address

logger = structlog.get_logger(__name__)

Lines = Callable[[], Iterable[str]]
# Metrics walk through all jobs, in the event loop's thread; whoever asks more often is told the same again, unless
# /readyz says something else by now: the two never contradict each other.
METRICS_SECONDS = 1.0


class HttpServer:
    """Serves until closed. `unwell` and `unready` answer with a line for each reason, and with none where all is well.

    No route reads a body, and none says anything about a job, a tenant or a credential.
    """

    def __init__(self, runner: web.AppRunner) -> None:
        self._runner = runner
        host, port = runner.addresses[0][:2]
        self.address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    @classmethod
    async def start(cls, address: Address, *, unwell: Lines, unready: Lines, registry: CollectorRegistry) -> Self:
        """Listen from now on. HubError where the address can't be had."""
        clock = asyncio.get_running_loop().time
        told: dict[str, tuple[float, list[str], bytes]] = {}

        async def metrics(request: web.Request) -> web.Response:
            try:
                encode, content_type = choose_encoder(request.headers.get("Accept", ""))
            except ValueError:  # a version that is no number
                encode, content_type = choose_encoder("")
            reasons = list(unready())
            at, before, body = told.get(content_type, (float("-inf"), [], b""))
            if clock() - at >= METRICS_SECONDS or before != reasons:
                body = encode(registry)
                told[content_type] = clock(), reasons, body
            return web.Response(body=body, headers={"Content-Type": content_type})

        app = web.Application()
        app.router.add_get("/healthz", _verdict(unwell, 500))
        app.router.add_get("/readyz", _verdict(unready, 503))
        app.router.add_get("/metrics", metrics)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, address.host, address.port).start()
        except OSError as error:
            await runner.cleanup()
            raise HubError(
                f"the hub can't listen on {address.host or ''}:{address.port}: {error.strerror or error}",
                "choose another --http-address",
            ) from error
        server = cls(runner)
        logger.info("serving health, readiness and metrics", address=server.address)
        return server

    async def close(self) -> None:
        """Stop listening, and drop what is open."""
        await self._runner.cleanup()


def _verdict(lines: Lines, status: int) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(_: web.Request) -> web.Response:
        found = list(lines())
        return web.Response(text="".join(f"{line}\n" for line in found) or "ok\n", status=status if found else 200)

    return answer
