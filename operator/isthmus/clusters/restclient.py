"""The client's lower half: paths in, bytes out, over one session to a cluster; every request is counted."""

import random
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from types import TracebackType
from typing import Self

from .credentials import Credentials
from .errors import ClusterError
from .limiter import Limiter
from .traffic import Traffic
from .transport import Request, Transport

# So many requests under way at once, or in a second, are a burst.
BUSY_REQUESTS = 8
BUSY_PER_SECOND = 50.0


class RestClient:
    """One session. It knows no kinds: `Client` makes requests of verbs and objects of answers."""

    def __init__(self, transport: Transport, name: str, traffic: Traffic | None = None) -> None:
        self.name = name
        self.traffic = traffic or Traffic()
        self._transport = transport

    @property
    def requests(self) -> Counter[str]:
        """How often each verb was asked for."""
        return self.traffic.requests

    @classmethod
    async def connect(
        cls,
        credentials: Credentials,
        *,
        name: str,
        qps: float = 0,
        concurrency: int = 64,
        timeout_seconds: float = 15,
        rng: random.Random | None = None,
        traffic: Traffic | None = None,
    ) -> Self:
        """A client of the cluster; nothing is sent yet, but a credential plugin is run. `name` leads its messages.

        At most `qps` requests a second (0: no limit) and `concurrency` at once; watches count for neither. All of them
        are counted in `traffic`, which may be that of an earlier connection.
        InvalidCredentials where a plugin or token file gives none.
        """
        await credentials.source.identity()
        transport = Transport(
            credentials,
            name=name,
            limiter=Limiter(qps, concurrency),
            timeout_seconds=timeout_seconds,
            rng=rng or random.Random(),  # noqa: S311 - jitter, not a secret
        )
        return cls(transport, name, traffic)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def busy(self) -> bool:
        """Whether more requests are made, or wait for their turn or their answer, than outside of a burst."""
        return self._transport.in_flight > BUSY_REQUESTS or self._transport.per_second > BUSY_PER_SECOND

    async def close(self) -> None:
        """Give up the connections; every later call fails."""
        await self._transport.close()

    def server_time(self) -> datetime | None:
        """A lower bound of the cluster's own time of day, in UTC, from its last answer; None before the first."""
        return self._transport.clock.now()

    async def raw(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str = "application/json",
        accept: str | None = None,
    ) -> bytes:
        """Any request; the body of its 2xx answer as it came, in the form that `accept` names."""
        request = Request(
            method, path, params or {}, body, content_type, repeatable=method == "GET", json=False, accept=accept
        )
        return await self._send("raw", request)

    @asynccontextmanager
    async def stream(
        self, path: str, params: Mapping[str, str], *, accept: str, idle_seconds: float
    ) -> AsyncIterator[AsyncGenerator[bytes, None]]:
        """The body of the 2xx answer to a GET, chunk by chunk as it comes; TimedOut after `idle_seconds` of silence."""
        request = Request("GET", path, params, json=False, accept=accept)
        self.requests["stream"] += 1
        async with self._transport.stream(request, idle_seconds=idle_seconds) as stream, aclosing(stream) as chunks:
            yield chunks

    async def _send(self, verb: str, request: Request) -> bytes:
        self.requests[verb] += 1
        try:
            return await self._transport.send(request)
        except ClusterError as error:
            self.traffic.failed(verb, error)
            raise
