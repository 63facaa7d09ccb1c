"""The hub as a process: one event loop for kopf and everything else, until it is told to stop."""

import asyncio
import contextlib
import signal
import sys
from asyncio.sslproto import SSLProtocol
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import kopf
import kubernetes.config
import structlog
from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector

from isthmus.clusters import ClusterError, Credentials
from isthmus.errors import IsthmusError
from isthmus.garbage import collect_seldom

from .figures import Figures
from .handlers import registry_of
from .httpserver import HttpServer
from .hub import Hub
from .instruments import Instruments
from .opening import open_hub
from .settings import HubSettings
from .standing import Standing

logger = structlog.get_logger(__name__)

# An API server stores objects nested 10,000 levels deep; under Python's own limit of 1,000 a single ComputeJob like
# that could not be read, nor any list that it stands in, and the hub would neither go on nor start. Copying takes
# several frames a level; the template is refused before anything else looks into it.
RECURSION_LIMIT = 100_000

# What asyncio sets aside for reading from each TLS connection; by itself 256 KiB. The hub has some five connections to
# each member, nearly always idle: of a hundred members that alone would be 125 MiB. A TLS record holds 16 KiB.
TLS_BUFFER_BYTES = 32 * 1024

# Between tries to begin; whoever mends what is wrong waits for the next one.
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 10.0


def _login(path: Path, context: str | None) -> kopf.ConnectionInfo:
    """Kopf's own connection to the hub, by the same kubeconfig as ours."""
    configuration = kubernetes.client.Configuration()
    kubernetes.config.load_kube_config(  # type: ignore[no-untyped-call]  # the package ships no types
        str(path), context, configuration, persist_config=False
    )
    header = configuration.get_api_key_with_prefix("authorization") or configuration.get_api_key_with_prefix(
        "BearerToken"
    )
    scheme, _, token = header.partition(" ") if header else ("", "", "")
    return kopf.ConnectionInfo(
        server=configuration.host,
        ca_path=configuration.ssl_ca_cert,
        insecure=not configuration.verify_ssl,
        certificate_path=configuration.cert_file,
        private_key_path=configuration.key_file,
        scheme=scheme or None,
        token=token or None,
    )


async def serve(settings: HubSettings) -> None:
    """Run the hub until SIGTERM or SIGINT. Raises ClusterError, LedgerError, HubError where it can't begin.

    Where it serves HTTP something watches over it and reads there why it can't begin: it then tries again and again.
    """
    sys.setrecursionlimit(RECURSION_LIMIT)
    collect_seldom()
    SSLProtocol.max_size = TLS_BUFFER_BYTES
    asked_to_stop = asyncio.Event()
    serving = asyncio.create_task(_serve(settings), name="serve")

    def stop() -> None:
        asked_to_stop.set()
        serving.cancel()

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)  # kopf's own handler takes its place
    try:
        await serving
    except asyncio.CancelledError:
        if not asked_to_stop.is_set():
            raise
    finally:
        serving.cancel()
        await asyncio.wait({serving})


async def _serve(settings: HubSettings) -> None:
    if settings.kubeconfig is None:
        credentials, login = Credentials.in_cluster(), None
    else:
        credentials = Credentials.from_kubeconfig_path(settings.kubeconfig, settings.context)
        login = _login(settings.kubeconfig, settings.context)
    standing, registry = Standing(), CollectorRegistry()
    instruments = Instruments(registry)

    async def operate() -> None:
        standing.hub = hub = await open_hub(settings, credentials, instruments)
        await _operate(hub, login)

    if settings.http is None:
        await operate()
        return
    registry.register(Figures(standing))
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    server = await HttpServer.start(settings.http, unwell=standing.ended, unready=standing.reasons, registry=registry)
    try:
        await _persist(operate, standing)
    finally:
        await server.close()


async def _persist(operate: Callable[[], Awaitable[None]], standing: Standing) -> None:
    """Try to begin until that works; why it does not is logged when it changes."""
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            await operate()
        except (ClusterError, IsthmusError) as error:
            if standing.hub is not None and standing.hub.began:
                raise
            if standing.hindered(error):
                logger.error("the hub can't begin, trying again", error=str(error))  # noqa: TRY400 - it is no surprise
        else:
            return
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


async def _operate(hub: Hub, login: kopf.ConnectionInfo | None) -> None:
    """Run one hub until it is told to stop."""
    ready = asyncio.Event()
    running = asyncio.create_task(hub.run(ready), name="hub")

    told_to_stop = asyncio.Event()

    async def close() -> None:
        told_to_stop.set()
        running.cancel()
        await asyncio.wait({running})

    try:
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not running.done():
            operator = asyncio.create_task(
                kopf.operator(
                    # kopf would take it from the user's name, and a container's numeric user has none.
                    identity=cast("Any", "isthmus-hub"),
                    registry=registry_of(hub, login, close),
                    standalone=True,
                    clusterwide=True,
                ),
                name="kopf",
            )
            hub.tasks.append(operator)
            await asyncio.wait({running, operator}, return_when=asyncio.FIRST_COMPLETED)
            if not told_to_stop.is_set():
                operator.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await operator
        if running.done() and not running.cancelled():
            _raise_cause(running)
    finally:
        running.cancel()
        await asyncio.wait({running})


def _raise_cause(ended: asyncio.Task[None]) -> None:
    """Raise what a task ended with; of a group, the first error that is meant for people."""
    try:
        ended.result()
    except BaseExceptionGroup as group:
        told = group.subgroup((IsthmusError, ClusterError))
        cause: BaseException = group if told is None else told
        while isinstance(cause, BaseExceptionGroup):
            cause = cause.exceptions[0]
        raise cause from None
