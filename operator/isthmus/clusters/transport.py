"""HTTP to one cluster: one session, its limits, who we are, and which failures are tried again."""

import asyncio
import random
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import ClientResponse, ClientSession, ClientTimeout, TCPConnector
from multidict import CIMultiDict
from yarl import URL

from isthmus import __version__

from .credentials import Credentials
from .errors import (
    ApiError,
    ClusterError,
    InvalidCredentials,
    ServerFailure,
    TimedOut,
    TLSFailure,
    TooManyRequests,
    Unauthorized,
    Unreachable,
    error_of,
)
from .identity import Identity
from .limiter import Limiter
from .tls import context_for

# A dead peer is noticed by the kernel after idle + count * interval seconds, even where no data is due.
_KEEPALIVE = {"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 4}
_ATTEMPTS = 5
_LONGEST_PAUSE = 10.0
_FIRST_PAUSE = 0.25


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `repeatable`: carrying it out twice does no harm."""

    method: str
    path: str
    params: Mapping[str, str]
    body: bytes | None = None
    content_type: str = "application/json"
    repeatable: bool = False

    @property
    def about(self) -> str:
        """The request in a few words, for messages."""
        return f"{self.method} {self.path}"


class Transport:
    """Made inside a running event loop; closed with `close`."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        name: str,
        limiter: Limiter,
        timeout_seconds: float,
        rng: random.Random,
    ) -> None:
        self._credentials = credentials
        self._name = name
        self._limiter = limiter
        self._timeout = timeout_seconds
        self._rng = rng
        self._base = credentials.server
        self._session = ClientSession(
            # Watches hold a connection each; the limiter bounds the others.
            connector=TCPConnector(limit=0, keepalive_timeout=60, socket_factory=_socket),
            headers={"User-Agent": f"isthmus/{__version__}", "Accept": "application/json"},
            auto_decompress=True,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def send(self, request: Request) -> bytes:
        """The body of a 2xx answer; ClusterError otherwise.

        An answer of 429, or of 503 with Retry-After where the request is repeatable, is waited for and tried again
        within the time limit; so is a 401 once, where the credentials can be renewed.
        """
        deadline = asyncio.get_running_loop().time() + self._timeout
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                async with self._limiter.slot(), self._authenticated(request, self._timeout) as response:
                    return await response.read()
            except (TooManyRequests, ServerFailure) as error:
                pause = self._pause(request, error, attempt)
                if pause is None or asyncio.get_running_loop().time() + pause > deadline:
                    raise
                await asyncio.sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    @asynccontextmanager
    async def stream(self, request: Request, *, idle_seconds: float) -> AsyncIterator[AsyncGenerator[bytes, None]]:
        """The body of a 2xx answer, chunk by chunk, without an end in time but for `idle_seconds` of silence."""
        await self._limiter.pace()
        async with self._authenticated(request, None, idle_seconds) as response:
            yield self._chunks(request, response)

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def _chunks(self, request: Request, response: ClientResponse) -> AsyncGenerator[bytes, None]:
        chunks = response.content.iter_any()
        while True:
            try:
                chunk = await anext(chunks)
            except StopAsyncIteration:
                return
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise self._failure(request, error) from error
            yield chunk

    @asynccontextmanager
    async def _authenticated(
        self, request: Request, total: float | None, idle: float | None = None
    ) -> AsyncIterator[ClientResponse]:
        """One attempt, and a second one with renewed credentials where the first is answered 401."""
        source = self._credentials.source
        identity = await source.identity()
        try:
            async with self._attempt(request, identity, total, idle) as response:
                yield response
                return
        except Unauthorized:
            if not await source.renew(identity):
                raise
        async with self._attempt(request, await source.identity(), total, idle) as response:
            yield response

    @asynccontextmanager
    async def _attempt(
        self, request: Request, identity: Identity, total: float | None, idle: float | None
    ) -> AsyncIterator[ClientResponse]:
        headers: CIMultiDict[str] = CIMultiDict(self._credentials.headers)
        headers.extend(identity.headers)
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        with self._translated(request):
            async with self._session.request(
                request.method,
                URL(self._base + request.path),
                params=request.params,
                data=request.body,
                headers=headers,
                ssl=context_for(self._credentials.tls, identity.certificate),
                server_hostname=self._credentials.tls.server_name,
                proxy=self._credentials.proxy,
                allow_redirects=False,
                timeout=ClientTimeout(total=total, sock_connect=self._timeout, sock_read=idle),
            ) as response:
                if not 200 <= response.status < 300:
                    raise error_of(
                        response.status,
                        await response.read(),
                        retry_after=_retry_after(response),
                        about=f"{self._name}: {request.about}",
                    )
                yield response

    @contextmanager
    def _translated(self, request: Request) -> Iterator[None]:
        try:
            yield
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._failure(request, error) from error

    def _failure(self, request: Request, error: Exception) -> ClusterError:
        about = f"{self._name}: {request.about}"
        server = self._base
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            cause = error.certificate_error
            words = getattr(cause, "verify_message", "") or str(cause)
            return TLSFailure(f"{about}: the certificate of {server} is not accepted: {words}; check its authority")
        if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
            return TLSFailure(f"{about}: TLS with {server} failed: {_words(error)}")
        if isinstance(error, TimeoutError):
            return TimedOut(f"{about}: {server} did not answer in time")
        if isinstance(error, aiohttp.InvalidURL):
            return InvalidCredentials(f"the server {server!r} is no URL")
        return Unreachable(f"{about}: no connection to {server}: {_words(error)}; check its address and the network")

    def _pause(self, request: Request, error: ApiError, attempt: int) -> float | None:
        """Seconds to wait before the next attempt, or None where there is none."""
        if attempt == _ATTEMPTS:
            return None
        if isinstance(error, ServerFailure) and not (
            request.repeatable and error.status == 503 and error.retry_after is not None
        ):
            return None
        asked = error.retry_after if error.retry_after is not None else _FIRST_PAUSE * 2**attempt
        return float(min(asked, _LONGEST_PAUSE) * (1 + self._rng.random() / 4))


def _retry_after(response: ClientResponse) -> float | None:
    """Seconds, as Kubernetes sends them; an HTTP date is not among its forms."""
    try:
        return max(0.0, float(response.headers["Retry-After"]))
    except (KeyError, ValueError):
        return None


def _words(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError) and error.os_error.strerror:
        return error.os_error.strerror
    return str(error) or type(error).__name__


def _socket(info: Any) -> socket.socket:
    family, kind, protocol, _, _ = info
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _KEEPALIVE.items():
        if hasattr(socket, option):
            made.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    return made
