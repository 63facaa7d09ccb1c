"""A small raw client of an API server, for set-up and for assertions.

It shares nothing with the product's own client, so that a fault in that one cannot hide itself.
"""

import http.client
import json
import ssl
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 20.0
BUSY_SECONDS = 30.0  # how long a server that names a time to ask again is asked


class ApiError(RuntimeError):
    """The API server refused; `code` is the HTTP status and `body` its whole answer."""

    def __init__(self, method: str, path: str, code: int, body: str) -> None:
        """Keeps what was asked and answered."""
        super().__init__(f"{method} {path}: {code} {body[:400]}")
        self.code = code
        self.body = body


class RestClient:
    """Requests as one identity, from any number of threads; connections are kept open between requests."""

    def __init__(self, server: str, authority: str, pair: tuple[str, str] | None = None) -> None:
        """Speaks to `server` (https://host:port), trusting `authority`, as the owner of `pair` (all PEM)."""
        self._host = urlsplit(server).netloc
        self._idle: list[http.client.HTTPSConnection] = []
        self._lock = threading.Lock()
        self._context = ssl.create_default_context(cadata=authority)
        if pair:
            # The ssl module takes a client certificate from files only.
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder, "client.pem")
                path.touch(mode=0o600)
                path.write_text(pair[0] + pair[1])
                self._context.load_cert_chain(path)

    def get(self, path: str) -> dict[str, Any]:
        """The JSON answer to a GET; raises ApiError for anything but 2xx."""
        return self._json("GET", path)

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Creates an object."""
        return self._json("POST", path, body)

    def patch(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Changes an object by a JSON merge patch."""
        return self._json("PATCH", path, body)

    def delete(self, path: str) -> dict[str, Any]:
        """Deletes an object or, by a collection's path, all of its objects."""
        return self._json("DELETE", path)

    def is_ok(self, path: str) -> bool:
        """Whether a health endpoint answers 200 just now."""
        try:
            return self._request("GET", path, None)[0] == http.client.OK
        except (OSError, http.client.HTTPException):
            return False

    def close(self) -> None:
        """Closes the connections that are kept."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _json(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        code, text = self._request(method, path, body)
        if not 200 <= code < 300:
            raise ApiError(method, path, code, text)
        answer: dict[str, Any] = json.loads(text)
        return answer

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None) -> tuple[int, str]:
        """Status and body; as every client of Kubernetes does, it asks again when told to (RFC 6585, section 4).

        An API server that takes in a changed definition answers 429 for all objects of the kind meanwhile.
        """
        until = time.monotonic() + BUSY_SECONDS
        while True:
            code, text, wait = self._once(method, path, body)
            if code != http.client.TOO_MANY_REQUESTS or wait is None or time.monotonic() + wait > until:
                return code, text
            time.sleep(wait)

    def _once(self, method: str, path: str, body: Mapping[str, Any] | None) -> tuple[int, str, float | None]:
        with self._lock:
            kept = self._idle.pop() if self._idle else None
        try:
            return self._exchange(kept or self._connection(), method, path, body)
        except (ConnectionError, http.client.HTTPException, ssl.SSLError):
            # The server closes connections when it restarts; only where one was kept does another one help.
            if kept is None:
                raise
            self.close()
            return self._exchange(self._connection(), method, path, body)

    def _connection(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(self._host, timeout=TIMEOUT_SECONDS, context=self._context)

    def _exchange(
        self, connection: http.client.HTTPSConnection, method: str, path: str, body: Mapping[str, Any] | None
    ) -> tuple[int, str, float | None]:
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        try:
            connection.request(
                method,
                path,
                body=None if body is None else json.dumps(body),
                headers={"Content-Type": kind, "Accept": "application/json"},
            )
            response = connection.getresponse()
            after = response.headers.get("Retry-After", "")
            answer = response.status, response.read().decode(), float(after) if after.isdigit() else None
        except BaseException:
            connection.close()
            raise
        with self._lock:
            self._idle.append(connection)
        return answer
