"""Keeps the APIService telling the aggregator which authority the serving certificate is from."""

import asyncio
import base64
from collections.abc import Callable
from typing import Protocol

import structlog

from isthmus.api.core import Manifest
from isthmus.clusters import APISERVICES, ClusterError, Forbidden, NotFound, Resource

from .refusals import GROUP, VERSION

logger = structlog.get_logger(__name__)

NAME = f"{VERSION}.{GROUP}"
LOOK_SECONDS = 10.0
RETRY_SECONDS = 2.0


class ApiServices(Protocol):
    """The hub's API, as far as the APIService goes."""

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> Manifest:
        """The object."""
        ...

    async def patch(self, resource: Resource, name: str, namespace: str | None, body: Manifest) -> Manifest:
        """Patch the object."""
        ...


class Registration:
    """Looks every ten seconds: whoever applies the APIService anew, as an upgrade does, may take the bundle away."""

    def __init__(self, hub: ApiServices, bundle: Callable[[], bytes]) -> None:
        self._hub = hub
        self._bundle = bundle
        self.problem = ""
        """Why the aggregator can't find us, as last seen; empty where it can."""

    async def run(self) -> None:
        """Keep it right until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(RETRY_SECONDS if self.problem else LOOK_SECONDS)

    async def look(self) -> None:
        """Look once, and put it right where it is not."""
        try:
            await self._settle()
        except NotFound:
            self._troubled(f"APIService {NAME} is not there: apply it, as the chart does with query.enabled")
        except Forbidden as error:
            self._troubled(f"the hub may not get and patch APIService {NAME}: {error.message}")
        except ClusterError as error:
            self._troubled(f"APIService {NAME} can't be written: {error}")
        else:
            self.problem = ""

    async def _settle(self) -> None:
        found = (await self._hub.get(APISERVICES, NAME)).get("spec") or {}
        bundle = base64.b64encode(self._bundle()).decode()
        if found.get("caBundle") != bundle or found.get("insecureSkipTLSVerify"):
            spec = {"caBundle": bundle, "insecureSkipTLSVerify": None}
            await self._hub.patch(APISERVICES, NAME, None, {"spec": spec})
            logger.info("query API registered", api_service=NAME)

    def _troubled(self, problem: str) -> None:
        if problem != self.problem:
            logger.warning("the query API can't be registered", problem=problem)
        self.problem = problem
