import http.client
import json
import queue
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from demo.identity import Identity
from demo.watching import Watch, WatchRefusedError

DEADLINE_SECONDS = 10.0

Answer = tuple[int, list[dict[str, Any]]]


def thing(name: str, version: int) -> dict[str, Any]:
    """An object."""
    return {"metadata": {"name": name, "resourceVersion": str(version)}}


def listed(version: int, *names: str) -> Answer:
    """A list of objects."""
    return 200, [{"metadata": {"resourceVersion": str(version)}, "items": [thing(name, version) for name in names]}]


def event(kind: str, name: str, version: int) -> dict[str, Any]:
    """One event of a watch."""
    return {"type": kind, "object": thing(name, version)}


class Scripted(ThreadingHTTPServer):
    """Answers requests one after another from a script, then keeps them waiting; remembers what was asked."""

    daemon_threads = True

    def __init__(self, script: list[Answer]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = script
        self.asked: list[str] = []
        self.ended = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    server: Scripted

    def do_GET(self) -> None:
        """The next answer of the script."""
        self.server.asked.append(self.path)
        if not self.server.script:
            self.server.ended.wait(DEADLINE_SECONDS)
            return
        code, lines = self.server.script.pop(0)
        self.send_response(code)
        self.end_headers()
        for line in lines:
            self.wfile.write(json.dumps(line).encode() + b"\n")

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - its name in the base class
        """Says nothing."""


class PlainIdentity(Identity):
    """An identity whose connections are not encrypted."""

    def connection(self) -> http.client.HTTPConnection:
        """A connection to the scripted server."""
        return http.client.HTTPConnection(self.server)


@contextmanager
def watched(*script: Answer) -> Iterator[tuple[Watch, "queue.Queue[tuple[str, str]]", list[str]]]:
    """A watch on the scripted server, what it told, and what it asked for."""
    told: queue.Queue[tuple[str, str]] = queue.Queue()

    def seen(change: str, item: Mapping[str, Any], at: float) -> None:
        assert at > 0
        told.put((change, item["metadata"]["name"]))

    with Scripted(list(script)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        identity = PlainIdentity(f"127.0.0.1:{server.server_port}", "", "", "")
        watch = Watch(identity, "/things", seen, selector="isthmus.dev/hub")
        try:
            yield watch, told, server.asked
        finally:
            watch.stop()
            server.ended.set()
            server.shutdown()
            thread.join()


def told_in_order(told: "queue.Queue[tuple[str, str]]", count: int) -> list[tuple[str, str]]:
    """The first changes."""
    return [told.get(timeout=DEADLINE_SECONDS) for _ in range(count)]


def test_a_list_and_what_follows_are_told() -> None:
    """Listed objects are told as added, then events in their order; bookmarks only move the version on."""
    bookmark = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "9"}}}
    events = [event("ADDED", "b", 6), event("MODIFIED", "a", 7), event("DELETED", "b", 8), bookmark]
    with watched(listed(5, "a"), (200, events), (200, [event("MODIFIED", "a", 10)])) as (_, told, asked):
        changes = [("ADDED", "a"), ("ADDED", "b"), ("MODIFIED", "a"), ("DELETED", "b"), ("MODIFIED", "a")]
        assert told_in_order(told, 5) == changes
        assert asked[0] == "/things?labelSelector=isthmus.dev%2Fhub"
        assert asked[1].endswith("watch=true&allowWatchBookmarks=true&resourceVersion=5")
        assert asked[2].endswith("resourceVersion=9")


@pytest.mark.parametrize(
    "gone",
    [(200, [{"type": "ERROR", "object": {"code": 410}}]), (410, []), (500, [])],
    ids=["expired within", "expired at once", "server fault"],
)
def test_a_watch_that_can_not_go_on_lists_again(gone: Answer) -> None:
    """After an expired version, or a server's fault, the collection is listed anew."""
    with watched(listed(5, "a"), gone, listed(20, "a", "b")) as (watch, told, asked):
        assert told_in_order(told, 3) == [("ADDED", "a"), ("ADDED", "a"), ("ADDED", "b")]
        assert "watch" not in asked[2]
        watch.check()


def test_a_refusal_is_raised_where_the_demo_waits() -> None:
    """403 ends the watch, and check says with which words."""
    with watched((403, [{"message": "pods is forbidden"}])) as (watch, _, _):
        watch.join(DEADLINE_SECONDS)
        with pytest.raises(WatchRefusedError, match=r"403 .*pods is forbidden"):
            watch.check()


def test_a_watch_that_waits_is_ended_by_stop() -> None:
    """Stop does not wait for the server to say something."""
    with watched(listed(5)) as (watch, _, asked):
        while len(asked) < 2:
            watch.join(0.01)
        watch.stop()
        assert watch.join(DEADLINE_SECONDS)
