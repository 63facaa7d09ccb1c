"""The operator's writes, as they come, by a cluster's audit log: moments at which to kill its process."""

import json
from collections import deque
from typing import Any

from testbed import Cluster, wait_for

Write = tuple[str, str, str]
"""Verb, resource and subresource."""


class Writes:
    """Those from now on, each told once."""

    def __init__(self, cluster: Cluster) -> None:
        self._path = cluster.audit_log
        self._offset = self._path.stat().st_size
        self._entries: deque[dict[str, Any]] = deque()

    def seen(self, what: Write, name: str = "") -> bool:
        """Whether such a write has come, of an object of that name where one is given, since the last that was told."""
        self._read()
        while self._entries:
            entry = self._entries.popleft()
            reference = entry.get("objectRef", {})
            write = (entry["verb"], reference.get("resource"), reference.get("subresource", ""))
            by_operator = entry["user"]["username"].endswith(":isthmus")
            if by_operator and write == what and name in ("", reference.get("name")):
                return True
        return False

    def wait(self, what: Write, seconds: float, name: str = "") -> None:
        """Wait until such a write is seen, and return within moments of it."""
        wait_for(lambda: self.seen(what, name), seconds, f"the hub to {what} {name}", interval_seconds=0.002)

    def _read(self) -> None:
        with self._path.open("rb") as log:
            log.seek(self._offset)
            text = log.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._offset += len(whole)
        self._entries.extend(map(json.loads, whole.splitlines()))
