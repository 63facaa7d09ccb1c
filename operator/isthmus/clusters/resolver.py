"""Names to addresses, in threads of one client's own: a member whose DNS hangs must not hold up another's."""

import socket
from asyncio import get_running_loop
from concurrent.futures import ThreadPoolExecutor

from aiohttp.abc import AbstractResolver, ResolveResult


class OwnThreadResolver(AbstractResolver):
    """The system's resolver in at most two threads, which are started when first a name is asked for."""

    def __init__(self, name: str) -> None:
        self._threads = ThreadPoolExecutor(2, thread_name_prefix=f"dns-{name}")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of the host. OSError where it has none."""
        found = await get_running_loop().run_in_executor(
            self._threads,
            lambda: socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG),
        )
        if not found:
            raise OSError(f"no address for {host}")
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=int(address[1]),
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Let the threads end, without waiting for a name that hangs."""
        self._threads.shutdown(wait=False, cancel_futures=True)
