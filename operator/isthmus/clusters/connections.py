"""The connections of one client: made with TCP keep-alive, and dropped at once where they are of no more use."""

import socket
from typing import Any

from aiohttp import TCPConnector

from .resolver import OwnThreadResolver

# A dead peer is noticed by the kernel after idle + count * interval seconds, even where no data is due.
_KEEPALIVE = {"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 4}
_UNUSED_SECONDS = 60
_DNS_CACHE_SECONDS = 60


class Connections(TCPConnector):
    """Any number of connections: watches hold one each, and the limiter bounds the other requests.

    One that can't be used again (a watch that was left, a request that timed out) is cut without TLS's farewell: a
    dead peer would never answer it, and a live one loses nothing.
    """

    def __init__(self, name: str) -> None:
        self._own_resolver = OwnThreadResolver(name)
        super().__init__(
            limit=0,
            keepalive_timeout=_UNUSED_SECONDS,
            socket_factory=_socket,
            resolver=self._own_resolver,
            ttl_dns_cache=_DNS_CACHE_SECONDS,
        )

    def _release(self, key: Any, protocol: Any, *, should_close: bool = False) -> None:
        if should_close or protocol.should_close:
            protocol.abort()
        super()._release(key, protocol, should_close=should_close)

    async def close(self, *, abort_ssl: bool = True) -> None:
        """Cut every connection and give up its names' threads."""
        await super().close(abort_ssl=abort_ssl)
        await self._own_resolver.close()


def _socket(info: Any) -> socket.socket:
    family, kind, protocol, _, _ = info
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _KEEPALIVE.items():
        if hasattr(socket, option):
            made.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    return made
