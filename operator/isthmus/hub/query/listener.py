"""One port that is listened on from start to end, under a TLS context that may be exchanged meanwhile."""

import asyncio
import errno
import socket
import ssl
from typing import Any

from aiohttp import web

from isthmus.clusters.tls import as_file

from .certificate import Issued

BACKLOG = 128
# A kernel without IPv6, or without an address of it.
_NO_IPV6 = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)


def context_of(issued: Issued, authority: str | None) -> ssl.SSLContext:
    """A context that serves with the certificate, and asks clients for one that `authority` (PEM) has signed.

    A client need not show any; one of another authority fails the handshake. Raises ssl.SSLError where `authority`
    can't be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Without tickets no connection comes back that was verified by a former context.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    with as_file(issued.certificate) as certificate, as_file(issued.key) as key:
        context.load_cert_chain(certificate, key)
    if authority is not None:
        context.load_verify_locations(cadata=authority)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


class Listener:
    """Each context has a site of its own over one socket; the last takes all new connections."""

    def __init__(self, runner: web.AppRunner, host: str | None, port: int) -> None:
        self._runner = runner
        self._host = host
        self._port = port
        self._socket: socket.socket | None = None
        self._site: web.SockSite | None = None

    @property
    def port(self) -> int:
        """The port that is listened on, which was chosen by the system where 0 was asked for."""
        return int(self._socket.getsockname()[1]) if self._socket is not None else self._port

    async def open(self) -> None:
        """Take the port. OSError where it can't be had."""
        if self._host is None:
            self._socket = _listening_everywhere(self._port)
            return
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, *_, address = found[0]
        self._socket = _listening(family, address)

    async def use(self, context: ssl.SSLContext) -> None:
        """Have new connections made under the context; those that are there go on."""
        if self._socket is None:
            raise RuntimeError("the port is not open")
        before = self._site
        self._site = web.SockSite(self._runner, self._socket.dup(), ssl_context=context, backlog=BACKLOG)
        await self._site.start()
        if before is not None:
            await before.stop()

    def close(self) -> None:
        """Give the port back; sites end with their runner."""
        if self._socket is not None:
            self._socket.close()


def _listening_everywhere(port: int) -> socket.socket:
    """On all addresses of the machine, of both kinds: a cluster may have the one, the other or both."""
    try:
        return _listening(socket.AF_INET6, ("::", port))
    except OSError as error:
        if error.errno not in _NO_IPV6:
            raise
        return _listening(socket.AF_INET, ("0.0.0.0", port))  # noqa: S104 - what was asked for


def _listening(family: int, address: tuple[Any, ...]) -> socket.socket:
    taken = socket.socket(family, socket.SOCK_STREAM)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            taken.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        taken.bind(address)
        taken.listen(BACKLOG)
    except BaseException:
        taken.close()
        raise
    return taken
