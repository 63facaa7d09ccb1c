import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from tests.unit.clusters.authorities import CertificateAuthority
from tests.unit.clusters.servers import answering, connected, json_answer, serving

from isthmus.clusters import PODS, ServerFailure, TLSFailure, Unreachable
from isthmus.clusters.tls import TLSSettings

POD = {"metadata": {"name": "p"}}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()


@asynccontextmanager
async def _proxy(answer: bytes, target_port: int) -> AsyncIterator[tuple[str, list[bytes]]]:
    """An HTTP proxy that leads every CONNECT to one port if it answers 200, and the heads of the requests it saw."""
    heads: list[bytes] = []
    relays: set[asyncio.Task[None]] = set()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 " + answer + b"\r\n\r\n")
        await writer.drain()
        if answer.startswith(b"200"):
            target_reader, target = await asyncio.open_connection("127.0.0.1", target_port)
            await asyncio.gather(_pump(reader, target), _pump(target_reader, writer))
        writer.transport.abort()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        relays.add(asyncio.create_task(relay(reader, writer)))

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        yield f"http://user:pass@127.0.0.1:{server.sockets[0].getsockname()[1]}", heads
        await asyncio.gather(*relays)  # their connections end with the client's


def _context(folder: Path, pair: tuple[bytes, bytes]) -> ssl.SSLContext:
    (folder / "server.crt").write_bytes(pair[0])
    (folder / "server.key").write_bytes(pair[1])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    return context


async def test_a_proxy_leads_to_the_server(tmp_path: Path, authority: CertificateAuthority) -> None:
    """Behind a proxy the server's own certificate is checked, and the proxy gets its own credentials, not ours."""
    context = _context(tmp_path, authority.sign("api.example.org"))
    handler, seen = answering(json_answer(POD))
    async with serving(handler, context) as port, _proxy(b"200 OK", port) as (proxy, heads):
        settings = TLSSettings(ca=authority.pem)
        async with await connected("https://api.example.org:6443", proxy=proxy, tls=settings) as client:
            assert await client.get(PODS, "p", "a") == POD
        assert heads[0].startswith(b"CONNECT api.example.org:6443 HTTP/1.1")
        assert b"Proxy-Authorization: Basic" in heads[0]
        assert b"Bearer" not in heads[0]
        assert seen[0].headers["Authorization"] == "Bearer t"
        async with await connected("https://other.example.org", proxy=proxy, tls=settings) as client:
            with pytest.raises(TLSFailure, match=r"other\.example\.org"):
                await client.get(PODS, "p", "a")


@pytest.mark.parametrize("answer", [b"407 Proxy Authentication Required", b"502 Bad Gateway"])
async def test_a_proxy_that_does_not_lead_there(answer: bytes) -> None:
    """What the proxy itself refuses is no answer of the cluster's."""
    async with _proxy(answer, 0) as (proxy, _), await connected("https://api.example.org", proxy=proxy) as client:
        with pytest.raises((Unreachable, ServerFailure), match=answer[4:].decode()):
            await client.get(PODS, "p", "a")
