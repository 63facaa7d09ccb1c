import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from tests.unit.clusters.authorities import CertificateAuthority
from tests.unit.clusters.servers import answering, client_of, connected, json_answer, serving
from tests.waiting import eventually

from isthmus.clusters import (
    PODS,
    Client,
    TimedOut,
    TLSFailure,
    UnexpectedAnswer,
    Unreachable,
)
from isthmus.clusters.identity import FixedIdentity, Identity
from isthmus.clusters.tls import ClientCertificate, TLSSettings

POD = {"metadata": {"name": "p"}}


def _context(folder: Path, pair: tuple[bytes, bytes], client_authority: bytes | None = None) -> ssl.SSLContext:
    (folder / "server.crt").write_bytes(pair[0])
    (folder / "server.key").write_bytes(pair[1])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    if client_authority is not None:
        context.load_verify_locations(cadata=client_authority.decode())
        context.verify_mode = ssl.CERT_REQUIRED
    return context


@asynccontextmanager
async def _over_tls(context: ssl.SSLContext, settings: TLSSettings, identity: Identity) -> AsyncIterator[Client]:
    handler, _ = answering(json_answer(POD))
    async with (
        serving(handler, context) as port,
        await connected(f"https://127.0.0.1:{port}", tls=settings, source=FixedIdentity(identity)) as client,
    ):
        yield client


@pytest.mark.parametrize(
    ("names", "days", "trusted", "words"),
    [
        pytest.param(["127.0.0.1"], 1, False, "unable to get local issuer", id="another authority"),
        pytest.param(["127.0.0.1"], -1, True, "certificate has expired", id="expired"),
        pytest.param(["api.example.org"], 1, True, "127.0.0.1", id="another host"),
    ],
)
async def test_a_certificate_that_is_not_accepted(
    tmp_path: Path, authority: CertificateAuthority, names: list[str], days: int, trusted: bool, words: str
) -> None:
    """An unknown authority, an expired certificate and a foreign name are each told in OpenSSL's words."""
    pair = authority.sign(*names, valid_for=timedelta(days=days))
    trust = authority if trusted else CertificateAuthority()
    async with _over_tls(_context(tmp_path, pair), TLSSettings(ca=trust.pem), Identity()) as client:
        with pytest.raises(TLSFailure, match=words):
            await client.get(PODS, "p", "a")


@pytest.mark.parametrize(
    ("names", "server_name", "verify"),
    [
        pytest.param(["127.0.0.1"], None, True, id="trusted"),
        pytest.param(["api.example.org"], "api.example.org", True, id="tls-server-name"),
        pytest.param(["someone-else"], None, False, id="not verified"),
    ],
)
async def test_a_certificate_that_is_accepted(
    tmp_path: Path, authority: CertificateAuthority, names: list[str], server_name: str | None, verify: bool
) -> None:
    """Trust, another name to check against, and no check at all work as the kubeconfig says."""
    settings = TLSSettings(ca=authority.pem if verify else None, verify=verify, server_name=server_name)
    async with _over_tls(_context(tmp_path, authority.sign(*names)), settings, Identity()) as client:
        assert await client.get(PODS, "p", "a") == POD


async def test_our_own_certificate_may_be_refused(tmp_path: Path, authority: CertificateAuthority) -> None:
    """A server that wants a certificate takes ours, and refuses another authority's."""
    context = _context(tmp_path, authority.sign("127.0.0.1"), authority.pem)
    settings = TLSSettings(ca=authority.pem)
    async with _over_tls(context, settings, Identity(certificate=ClientCertificate(*authority.sign("me")))) as client:
        assert await client.get(PODS, "p", "a") == POD
    stranger = Identity(certificate=ClientCertificate(*CertificateAuthority().sign("me")))
    async with _over_tls(context, settings, stranger) as client:
        # With TLS 1.3 the refusal comes after the handshake, often as no more than a closed connection.
        with pytest.raises((TLSFailure, Unreachable)):
            await client.get(PODS, "p", "a")


async def test_the_wrong_scheme_is_told(tmp_path: Path, authority: CertificateAuthority) -> None:
    """Https to a plain port is a TLS error; http to a TLS port is no Kubernetes API."""
    handler, _ = answering(json_answer(POD))
    async with serving(handler) as port, await connected(f"https://127.0.0.1:{port}") as client:
        with pytest.raises(TLSFailure):
            await client.get(PODS, "p", "a")
    context = _context(tmp_path, authority.sign("127.0.0.1"))
    async with serving(handler, context) as port, await connected(f"http://127.0.0.1:{port}") as client:
        with pytest.raises((UnexpectedAnswer, Unreachable)):
            await client.get(PODS, "p", "a")


async def test_nobody_there() -> None:
    """A refused connection, an unknown host and a URL that is none are told as what they are."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with await connected(f"http://127.0.0.1:{unused.getsockname()[1]}") as client:
            with pytest.raises(Unreachable, match=r"north: GET .*Connect call failed|refused"):
                await client.get(PODS, "p", "a")
    async with await connected("http://no-such-host.invalid") as client:
        with pytest.raises(Unreachable, match=r"no-such-host\.invalid"):
            await client.get(PODS, "p", "a")


async def test_a_server_that_hangs() -> None:
    """A server that takes the request and never answers, or stops within its answer, times out."""
    release = asyncio.Event()

    async def silent(_: web.BaseRequest) -> web.StreamResponse:
        await release.wait()
        return web.Response()

    async def half(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        await response.write(b'{"metadata"')
        await release.wait()
        return response

    for handler in (silent, half):
        async with client_of(handler, timeout_seconds=0.2) as client:
            with pytest.raises(TimedOut, match="did not answer in time"):
                await client.get(PODS, "p", "a")
            release.set()
        release.clear()


async def test_a_connection_that_breaks() -> None:
    """A connection that is cut before or within the answer is Unreachable."""

    async def cut(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async def cut_within(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        await response.write(b'{"metadata"')
        assert request.transport is not None
        request.transport.abort()
        return response

    for handler in (cut, cut_within):
        async with client_of(handler) as client:
            with pytest.raises(Unreachable):
                await client.get(PODS, "p", "a")


async def test_a_client_that_was_closed() -> None:
    """After `close` every call fails with an error of the tree."""
    async with client_of(answering(json_answer(POD))[0]) as client:
        await client.close()
        with pytest.raises(Unreachable):
            await client.get(PODS, "p", "a")


async def test_hanging_name_servers_hold_up_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """While many clients wait for names that do not resolve, the thread pool that all share stays free."""
    release = threading.Event()
    hanging: set[int] = set()

    def hang(*_: object, **__: object) -> list[object]:
        hanging.add(threading.get_ident())
        release.wait(30)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr("socket.getaddrinfo", hang)
    async with AsyncExitStack() as stack:
        stack.callback(release.set)
        clients = [
            await stack.enter_async_context(await connected(f"http://slow-{number}.example.org"))
            for number in range(40)
        ]
        waiting = [asyncio.create_task(client.get(PODS, "p", "a")) for client in clients]
        await eventually(lambda: len(hanging) == len(clients), "every client's name to hang")
        assert await asyncio.to_thread(lambda: "free") == "free"
        release.set()
        answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(answer) for answer in answers} == {Unreachable}
