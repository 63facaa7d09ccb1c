"""The query API put together: its certificate, its front proxy's configuration, and the port it is served on."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import structlog
from aiohttp import web

from isthmus.api.core import Manifest
from isthmus.clusters import CONFIGMAPS, ClusterError, Informer, KubernetesApi
from isthmus.errors import HubError
from isthmus.hub.address import Address

from .authorization import Reviews
from .certificate import Issued, ServingAuthority
from .frontproxy import FrontProxy
from .listener import Listener, context_of
from .registration import Registration
from .server import Answer, Gate, Listing, application

logger = structlog.get_logger(__name__)

CONFIGURATION = ("kube-system", "extension-apiserver-authentication")
RENEWAL_SECONDS = 30.0
SHUTDOWN_SECONDS = 2.0


class QueryApi:
    """Serves until cancelled. `service` is its Service's name in `namespace`.

    `answers` are by subresource of ComputeJobs, `listings` by resource; `reviews` is asked whether callers may have
    them.
    """

    def __init__(
        self,
        hub: KubernetesApi,
        answers: Mapping[str, Answer],
        *,
        listings: Mapping[str, Listing],
        reviews: Reviews,
        address: Address,
        service: str,
        namespace: str,
        now: Callable[[], datetime],
    ) -> None:
        self._now = now
        self._names = (f"{service}.{namespace}.svc", f"{service}.{namespace}.svc.cluster.local")
        self._authority = ServingAuthority.create(self._names, now())
        self._issued: Issued = self._authority.issue(now())
        self._proxy: FrontProxy | None = None
        self._gate = Gate()
        self._changed = asyncio.Event()
        self._refusal = "its front proxy's configuration has not been read yet"
        self._address = address
        app = application(self._gate, reviews, answers, listings)
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        self._listener = Listener(self._runner, address.host, address.port)
        self._registration = Registration(hub, lambda: self._authority.bundle)
        namespace_read, name_read = CONFIGURATION
        self._informer: Informer[Any] = Informer(
            hub,
            CONFIGMAPS,
            type=dict,
            namespace=namespace_read,
            fields=f"metadata.name={name_read}",
            on_change=self._configured,
            on_connection=self._linked,
            longest_pause_seconds=5.0,
        )

    @property
    def problem(self) -> str:
        """Why it can't answer anybody, as far as the hub knows; empty where it can."""
        return self._refusal or self._registration.problem

    @property
    def port(self) -> int:
        """The port it is served on."""
        return self._listener.port

    async def run(self) -> None:
        """Serve. Raises HubError where the port can't be had."""
        await self._runner.setup()
        try:
            try:
                await self._listener.open()
            except OSError as error:
                place = f"{self._address.host or '*'}:{self._address.port}"
                raise HubError(
                    f"the query API can't listen on {place}: {error.strerror or error}",
                    "choose another address by --query-address",
                ) from error
            await self._serve()
            logger.info("query API ready", port=self.port)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._informer.run())
                group.create_task(self._registration.run())
                group.create_task(self._renew())
        finally:
            self._listener.close()
            await self._runner.cleanup()

    async def _renew(self) -> None:
        """Serve anew whenever the front proxy's configuration has changed, or the certificate is due."""
        while True:
            try:
                await asyncio.wait_for(self._changed.wait(), RENEWAL_SECONDS)
            except TimeoutError:
                if not self._issued.due(self._now()):
                    continue
                await self._reissue()
            self._changed.clear()
            await self._serve()

    async def _reissue(self) -> None:
        now = self._now()
        if not self._authority.covers(now):
            self._authority = ServingAuthority.create(self._names, now)
            await self._registration.look()
        self._issued = self._authority.issue(now)
        logger.info("serving certificate renewed", not_after=self._issued.not_after.isoformat())

    async def _serve(self) -> None:
        context = context_of(self._issued, self._proxy.ca if self._proxy is not None else None)
        self._gate.open(self._proxy, context)
        await self._listener.use(context)

    def _configured(self, kind: str, _old: Manifest | None, new: Manifest) -> None:
        proxy = None
        if kind == "DELETED":
            self._troubled("the ConfigMap extension-apiserver-authentication is not there")
        else:
            try:
                proxy = FrontProxy.of(new.get("data") or {})
                context_of(self._issued, proxy.ca)
            except ValueError as error:  # ssl.SSLError is an OSError, see below
                self._troubled(str(error))
                proxy = None
            except OSError as error:
                self._troubled(f"the requestheader-client-ca-file is no certificate: {error}")
                proxy = None
            else:
                self._refusal = ""
        if proxy != self._proxy:
            self._proxy = proxy
            self._changed.set()

    def _linked(self, error: ClusterError | None) -> None:
        if error is not None and self._proxy is None:
            self._troubled(f"the ConfigMap extension-apiserver-authentication in kube-system can't be read: {error}")

    def _troubled(self, problem: str) -> None:
        if problem != self._refusal:
            logger.warning("the query API can answer nobody", problem=problem)
        self._refusal = problem
