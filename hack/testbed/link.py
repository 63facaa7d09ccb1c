"""A TCP relay in front of an API server, to be cut and healed like a network between two places."""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Coroutine
from typing import Any, Literal

CHUNK = 64 * 1024
START_SECONDS = 10

Fault = Literal["drop", "refuse"]


class Link:
    """Relays a loopback port of its own to `target_port`.

    Cut with "drop", bytes vanish from both sides' view: connections stay open, new ones are taken, nothing comes
    through, and once healed whatever was on its way arrives, as TCP would deliver it. Cut with "refuse",
    connections are reset and new ones refused.
    """

    def __init__(self, target_port: int) -> None:
        """Starts relaying at once, in a thread of its own."""
        self._target_port = target_port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"link-{target_port}", daemon=True)
        self._thread.start()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.port = 0
        self._call(self._listen())

    @property
    def server(self) -> str:
        """The address of the API server behind it."""
        return f"https://127.0.0.1:{self.port}"

    def cut(self, fault: Fault = "drop") -> None:
        """Lets nothing through from now on."""
        self._call(self._cut(fault))

    def heal(self) -> None:
        """Lets everything through again."""
        self._call(self._heal())

    def close(self) -> None:
        """Ends the relay and its connections."""
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_SECONDS)
        self._loop.close()

    def _call(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(START_SECONDS)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _cut(self, fault: Fault) -> None:
        self._flowing.clear()
        if fault == "refuse":
            self._close_server()
            for writer in list(self._writers):
                _reset(writer)

    async def _heal(self) -> None:
        self._flowing.set()
        if self._server is None:
            await self._listen()

    async def _end(self) -> None:
        self._close_server()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _close_server(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine of a server runs in a task
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            with contextlib.suppress(OSError):
                await self._flowing.wait()
                target_reader, target = await asyncio.open_connection("127.0.0.1", self._target_port)
                self._writers.add(target)
                try:
                    async with asyncio.TaskGroup() as group:
                        group.create_task(self._pump(reader, target))
                        group.create_task(self._pump(target_reader, writer))
                finally:
                    self._writers.discard(target)
                    target.transport.abort()
        except asyncio.CancelledError:
            pass
        finally:
            self._writers.discard(writer)
            self._tasks.discard(task)
            writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
        with contextlib.suppress(OSError, RuntimeError):
            await self._flowing.wait()
            writer.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Closes so that the other side sees a reset, not an orderly end."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
