"""Without a host the query API is reached by IPv4 and by IPv6, whichever the machine has."""

import errno
import socket
from typing import Any

import pytest
from aiohttp import web

from isthmus.hub.query.listener import Listener


async def open_listener(host: str | None, port: int = 0) -> Listener:
    """One that listens; its runner serves nothing yet."""
    listener = Listener(web.AppRunner(web.Application()), host, port)
    await listener.open()
    return listener


def reached(host: str, port: int) -> bool:
    """Whether somebody takes a connection there."""
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError:
        return False
    return True


def has_ipv6() -> bool:
    """Whether this machine has a loopback address of IPv6."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as tried:
            tried.bind(("::1", 0))
    except OSError:
        return False
    return True


async def test_no_host_is_every_address() -> None:
    """One port takes connections of both kinds."""
    listener = await open_listener(None)
    try:
        assert reached("127.0.0.1", listener.port)
        assert reached("::1", listener.port) == has_ipv6()
    finally:
        listener.close()


@pytest.mark.parametrize("code", [errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL], ids=["no such family", "no address"])
async def test_without_ipv6_it_is_every_address_of_ipv4(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """A kernel without IPv6 serves IPv4."""

    class OldKernel(socket.socket):
        def __init__(self, family: int = -1, *arguments: Any, **named: Any) -> None:
            if family == socket.AF_INET6:
                raise OSError(code, "no IPv6")
            super().__init__(family, *arguments, **named)

    monkeypatch.setattr("isthmus.hub.query.listener.socket.socket", OldKernel)
    listener = await open_listener(None)
    try:
        assert reached("127.0.0.1", listener.port)
    finally:
        listener.close()


async def test_a_port_that_is_taken_is_told() -> None:
    """It never falls back to the half of the addresses that is left."""
    first = await open_listener(None)
    try:
        with pytest.raises(OSError, match="in use") as refused:
            await open_listener(None, first.port)
        assert refused.value.errno == errno.EADDRINUSE
    finally:
        first.close()


async def test_a_host_is_that_alone() -> None:
    """A host that is named is listened on, in its own family."""
    listener = await open_listener("127.0.0.1")
    try:
        assert reached("127.0.0.1", listener.port)
        assert not reached("::1", listener.port)
    finally:
        listener.close()
