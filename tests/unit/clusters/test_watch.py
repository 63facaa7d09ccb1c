import asyncio
import json
from contextlib import aclosing
from typing import Any

import pytest
from aiohttp import web
from tests.unit.clusters.servers import Handler, client_of, status_answer

from isthmus.api.core import Pod
from isthmus.clusters import PODS, Expired, TimedOut, UnexpectedAnswer, Unreachable, WatchEvent
from isthmus.clusters import client as client_module
from isthmus.clusters.lines import LineSplitter


def _line(kind: str, version: int, **fields: Any) -> bytes:
    metadata = {"name": f"p{version}", "namespace": "a", "resourceVersion": str(version)}
    return json.dumps({"type": kind, "object": {"metadata": metadata, **fields}}).encode() + b"\n"


def _streaming(*chunks: bytes, then: asyncio.Event | None = None) -> Handler:
    """A server that sends these chunks one by one and ends, or waits for `then`."""

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
        if then is not None:
            await then.wait()
        return response

    return handler


async def _events(handler: Handler, **settings: Any) -> list[WatchEvent[Pod]]:
    async with client_of(handler) as client:
        return [event async for event in client.watch(PODS, "a", resource_version="1", type=Pod, **settings)]


async def test_lines_cut_anywhere_are_events() -> None:
    """Events come out whole and in order, however the stream is cut, until the server ends it."""
    stream = b"".join(_line("ADDED", version) for version in range(2, 40)) + _line("BOOKMARK", 50)
    chunks = [stream[start : start + 97] for start in range(0, len(stream), 97)]
    events = await _events(_streaming(*chunks))
    assert [event.resource_version for event in events] == [*map(str, range(2, 40)), "50"]
    assert [event.kind for event in events[-2:]] == ["ADDED", "BOOKMARK"]


async def test_a_line_of_many_megabytes() -> None:
    """An object may be far larger than what is read at once."""
    events = await _events(_streaming(_line("ADDED", 2, data="x" * 20_000_000), _line("DELETED", 3)))
    assert [event.kind for event in events] == ["ADDED", "DELETED"]


async def test_the_watch_asks_for_what_it_needs() -> None:
    """The request names the version, asks for bookmarks, and says how long it shall last."""
    queries = []

    async def handler(request: web.BaseRequest) -> web.Response:
        queries.append(dict(request.query))
        return web.Response(content_type="application/json")

    assert await _events(handler, labels="a=b", timeout_seconds=7.4) == []
    assert queries == [
        {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": "1",
            "timeoutSeconds": "7",
            "labelSelector": "a=b",
        }
    ]


async def test_a_silent_watch_is_noticed() -> None:
    """Where nothing at all comes for the idle time, the link counts as dead."""
    over = asyncio.Event()
    async with client_of(_streaming(_line("ADDED", 2), then=over)) as client:
        async with aclosing(client.watch(PODS, resource_version="1", idle_seconds=0.2)) as stream:
            assert (await anext(stream)).kind == "ADDED"
            with pytest.raises(TimedOut):
                await anext(stream)
        over.set()


async def test_a_watch_that_is_not_accepted_in_time() -> None:
    """A server that takes the request but sends no header is given up after the request timeout, not the idle time."""
    over = asyncio.Event()

    async def handler(_: web.BaseRequest) -> web.StreamResponse:
        await over.wait()
        return web.Response()

    async with client_of(handler, timeout_seconds=0.2) as client:
        with pytest.raises(TimedOut):
            await anext(client.watch(PODS, resource_version="1", idle_seconds=60))
        over.set()


async def test_opened_is_told_before_the_first_event() -> None:
    """The caller learns that the watch stands though nothing happens in the cluster."""
    over = asyncio.Event()
    opened = asyncio.Event()
    async with client_of(_streaming(then=over)) as client:

        async def follow() -> None:
            async for _ in client.watch(PODS, resource_version="1", opened=opened.set):
                pass

        task = asyncio.create_task(follow())
        await opened.wait()
        over.set()
        await task


async def test_a_version_that_is_gone() -> None:
    """410 is Expired, as an HTTP status and as an event of the stream."""
    with pytest.raises(Expired):
        await _events(_answer_410)
    line = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}}
    with pytest.raises(Expired, match="north: watch of pods: too old"):
        await _events(_streaming(json.dumps(line).encode() + b"\n"))


async def _answer_410(_: web.BaseRequest) -> web.Response:
    return status_answer(410, "Expired")()


async def test_a_watch_that_breaks() -> None:
    """A connection cut in the middle of a line gives the whole events before it, then Unreachable."""

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        await response.write(_line("ADDED", 2) + b'{"type":"ADD')
        await asyncio.sleep(0)
        assert request.transport is not None
        request.transport.abort()
        return response

    async with client_of(handler) as client, aclosing(client.watch(PODS, resource_version="1")) as stream:
        assert (await anext(stream)).resource_version == "2"
        with pytest.raises(Unreachable):
            await anext(stream)


async def test_an_endless_line_ends_the_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that never ends its line is no Kubernetes API, and does not fill our memory."""
    monkeypatch.setattr(client_module, "LineSplitter", lambda: LineSplitter(longest=1000))
    with pytest.raises(UnexpectedAnswer, match="without a newline"):
        await _events(_streaming(b"x" * 2000))
