"""HTTP to one cluster: one session, its limits, who we are, and which failures are tried again."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp import ClientResponse, ClientSession, ClientTimeout
from multidict import CIMultiDict
from yarl import URL

from isthmus import __version__

from .connections import Connections
from .credentials import Credentials
from .errors import ApiError, ServerFailure, TooManyRequests, Unauthorized, UnexpectedAnswer, Unreachable, error_of
from .failures import failure
from .identity import Identity
from .limiter import Limiter
from .serverclock import ServerClock
from .tls import context_for

_ATTEMPTS = 5
_LONGEST_PAUSE = 10.0
_FIRST_PAUSE = 0.25
# A page of 500 objects is a few megabytes; nobody's memory shall be filled by one answer.
_LARGEST_BODY = 512 * 1024 * 1024
_NETWORK_ERRORS = (aiohttp.ClientError, TimeoutError, OSError)


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `repeatable`: carrying it out twice does no harm. `json`: its answer must be JSON.

    `accept` is the form that is asked for, where it is not plain JSON.
    """

    method: str
    path: str
    params: Mapping[str, str]
    body: bytes | None = None
    content_type: str = "application/json"
    repeatable: bool = False
    json: bool = True
    accept: str | None = None


class Transport:
    """Made inside a running event loop; closed with `close`. `name` leads the messages of its errors."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        name: str,
        limiter: Limiter,
        timeout_seconds: float,
        rng: random.Random,
    ) -> None:
        self.clock = ServerClock()
        self._credentials = credentials
        self._name = name
        self._limiter = limiter
        self._timeout = timeout_seconds
        self._rng = rng
        self._session = ClientSession(
            connector=Connections(name),
            headers={"User-Agent": f"isthmus/{__version__}", "Accept": "application/json"},
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    @property
    def in_flight(self) -> int:
        """Requests under way, watches apart."""
        return self._limiter.in_flight

    @property
    def per_second(self) -> float:
        """Requests a second, of late, watches apart."""
        return self._limiter.per_second

    async def send(self, request: Request) -> bytes:
        """The body of a 2xx answer; ClusterError otherwise.

        An answer of 429, or of 503 with Retry-After where the request is repeatable, is waited for and tried again
        within the time limit; so is a 401 once, where the credentials can be renewed.
        """
        loop = asyncio.get_running_loop()
        attempt, deadline = 1, loop.time() + self._timeout
        while True:
            try:
                async with self._limiter.slot():
                    return await self._exchange(request)
            except (TooManyRequests, ServerFailure) as error:
                pause = self._pause(request, error, attempt)
                if pause is None or loop.time() + pause > deadline:
                    raise
            await asyncio.sleep(pause)
            attempt += 1

    @asynccontextmanager
    async def stream(
        self, request: Request, *, idle_seconds: float | None, patient: bool = False
    ) -> AsyncIterator[AsyncGenerator[bytes, None]]:
        """The body of a 2xx answer, chunk by chunk, without an end in time but for `idle_seconds` of silence.

        `patient`: the answer itself may take any time to begin.
        """
        await self._limiter.pace()
        try:
            async with asyncio.timeout(None if patient else self._timeout):
                response = await self._open(request, ClientTimeout(total=None, sock_read=idle_seconds))
        except TimeoutError as error:
            raise failure(error, about=self.about(request), server=self._credentials.server) from error
        async with response:
            yield self._chunks(request, response)

    def about(self, request: Request) -> str:
        """The cluster and the request in a few words, for messages."""
        return f"{self._name}: {request.method} {request.path}"

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def _exchange(self, request: Request) -> bytes:
        async with await self._open(request, ClientTimeout(total=self._timeout)) as response:
            return await self._body(request, response)

    async def _body(self, request: Request, response: ClientResponse) -> bytes:
        length = response.content_length
        if length is not None and length <= _LARGEST_BODY and "Content-Encoding" not in response.headers:
            try:
                return await response.read()
            except _NETWORK_ERRORS as error:
                raise failure(error, about=self.about(request), server=self._credentials.server) from error
        chunks: list[bytes] = []
        size = 0
        async for chunk in self._chunks(request, response):
            chunks.append(chunk)
            size += len(chunk)
            if size > _LARGEST_BODY:
                raise UnexpectedAnswer(f"{self.about(request)}: the answer is larger than {_LARGEST_BODY} bytes")
        return b"".join(chunks)

    async def _chunks(self, request: Request, response: ClientResponse) -> AsyncGenerator[bytes, None]:
        chunks = response.content.iter_any()
        while True:
            try:
                chunk = await anext(chunks, b"")
            except _NETWORK_ERRORS as error:
                raise failure(error, about=self.about(request), server=self._credentials.server) from error
            if not chunk:
                return
            yield chunk

    async def _open(self, request: Request, limits: ClientTimeout) -> ClientResponse:
        """The 2xx response to one attempt, or to a second one with renewed credentials where the first got 401."""
        source = self._credentials.source
        identity = await source.identity()
        try:
            return await self._attempt(request, identity, limits)
        except Unauthorized:
            if not await source.renew(identity):
                raise
        return await self._attempt(request, await source.identity(), limits)

    async def _attempt(self, request: Request, identity: Identity, limits: ClientTimeout) -> ClientResponse:
        if self._session.closed:
            raise Unreachable(f"{self.about(request)}: the client is closed")
        headers: CIMultiDict[str] = CIMultiDict(self._credentials.headers)
        headers.extend(identity.headers)
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        if request.accept is not None:
            headers["Accept"] = request.accept
        try:
            response = await self._session.request(
                request.method,
                URL(self._credentials.server + request.path, encoded=True),
                params=request.params,
                data=request.body,
                headers=headers,
                ssl=context_for(self._credentials.tls, identity.certificate),
                server_hostname=self._credentials.tls.server_name,
                proxy=self._credentials.proxy,
                allow_redirects=False,
                timeout=limits,
            )
        except _NETWORK_ERRORS as error:
            raise failure(error, about=self.about(request), server=self._credentials.server) from error
        self.clock.answered(response.headers.get("Date"))
        if 200 <= response.status < 300 and (not request.json or response.content_type == "application/json"):
            return response
        async with response:
            raise await self._refusal(request, response)

    async def _refusal(self, request: Request, response: ClientResponse) -> ApiError | UnexpectedAnswer:
        if response.status < 400:
            return UnexpectedAnswer(
                f"{self.about(request)}: HTTP {response.status} of type {response.content_type}, where a Kubernetes "
                "API answers JSON; check the server's address"
            )
        body = await self._body(request, response)
        return error_of(response.status, body, retry_after=_retry_after(response), about=self.about(request))

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
