"""Watches: a collection listed, then followed, each in a thread of its own, with the instant of each event.

They share nothing with the product's own client, so that neither can hide the other's faults.
"""

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Literal
from urllib.parse import urlencode

from demo.identity import Identity

PAUSE_SECONDS = 0.2
AGAIN = frozenset({408, 410, 429})  # answers in the 400s after which asking again helps

Change = Literal["ADDED", "MODIFIED", "DELETED"]
Seen = Callable[[Change, Mapping[str, Any], float], None]
"""Called with what happened, the object, and the monotonic instant (seconds) at which its line was read."""


class WatchRefusedError(RuntimeError):
    """The API server refuses the watch; asking again would not help."""


class Watch:
    """Follows one collection until it is stopped; a lost connection is taken up where it broke."""

    def __init__(self, identity: Identity, path: str, seen: Seen, *, selector: str = "") -> None:
        """Starts at once; `selector` is a label selector."""
        self._identity = identity
        self._path = path
        self._query = {"labelSelector": selector} if selector else {}
        self._seen = seen
        self._version = ""  # where to go on; empty: list first
        self._stopped = threading.Event()
        self._connection: http.client.HTTPConnection | None = None
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=f"watch {path}", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raises what has ended the watch, if anything has."""
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Ends it, whatever it waits for."""
        self._stopped.set()
        connection = self._connection
        if connection is not None and connection.sock is not None:
            with suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    def join(self, seconds: float) -> bool:
        """Waits for the end of its thread, at most so long; whether it has ended."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                if not self._version:
                    self._list()
                self._follow()
            except (OSError, http.client.HTTPException, json.JSONDecodeError):
                self._stopped.wait(PAUSE_SECONDS)
            except Exception as error:  # noqa: BLE001 - it is raised again where the demo waits
                self._failure = error
                break
        if self._connection is not None:
            self._connection.close()

    def _list(self) -> None:
        with self._open({}) as response:
            at = time.monotonic()
            answer = json.loads(response.read())
        for item in answer["items"]:
            self._seen("ADDED", item, at)
        self._version = answer["metadata"]["resourceVersion"]

    def _follow(self) -> None:
        query = {"watch": "true", "allowWatchBookmarks": "true", "resourceVersion": self._version}
        with self._open(query) as response:
            while line := response.readline():
                at = time.monotonic()
                event = json.loads(line)
                if event["type"] == "ERROR":  # too old, as a rule: list anew
                    self._version = ""
                    return
                self._version = event["object"]["metadata"]["resourceVersion"]
                if event["type"] != "BOOKMARK":
                    self._seen(event["type"], event["object"], at)

    def _open(self, query: Mapping[str, str]) -> http.client.HTTPResponse:
        if self._connection is not None:
            self._connection.close()
        self._connection = self._identity.connection()
        path = f"{self._path}?{urlencode({**self._query, **query})}"
        self._connection.request("GET", path, headers={"Accept": "application/json"})
        response = self._connection.getresponse()
        if response.status == http.client.OK:
            return response
        with response:
            told = f"GET {path}: {response.status} {response.read().decode()[:400]}"
        if 400 <= response.status < 500 and response.status not in AGAIN:
            raise WatchRefusedError(told)
        self._version = ""
        raise http.client.HTTPException(told)
