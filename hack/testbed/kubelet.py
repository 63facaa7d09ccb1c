"""The kubelets' own server, which kwok plays none of here: logs of pods, as the API server fetches them."""

import contextlib
import socket
import ssl
import tempfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, urlsplit

from testbed.cluster import Cluster
from testbed.local.certificates import Authority, write_pair

HOST = "127.0.0.1"
LONGEST_SECONDS = 120.0


class Feed:
    """What one pod's containers write. One that is `running` may be followed until it is closed."""

    def __init__(self, *lines: str, running: bool = False) -> None:
        """Begins with these lines."""
        self._lines = [(datetime.now(UTC), line) for line in lines]
        self._running = running
        self._news = threading.Condition()
        self.readers = 0

    def write(self, line: str) -> None:
        """The pod writes a line."""
        with self._news:
            self._lines.append((datetime.now(UTC), line))
            self._news.notify_all()

    def close(self) -> None:
        """The pod has ended."""
        with self._news:
            self._running = False
            self._news.notify_all()

    def read(self, *, follow: bool, tail: int | None, timestamps: bool) -> Iterator[bytes]:
        """The lines as a kubelet gives them."""
        with self._news:
            place = max(0, len(self._lines) - tail) if tail is not None else 0
        while True:
            with self._news:
                fresh, place = self._lines[place:], len(self._lines)
                over = not (follow and self._running)
            for moment, line in fresh:
                stamp = f"{moment:%Y-%m-%dT%H:%M:%S.%f}000Z " if timestamps else ""
                yield f"{stamp}{line}\n".encode()
            if over:
                return
            with self._news:
                if place == len(self._lines) and self._running and not self._news.wait(LONGEST_SECONDS):
                    return


class Kubelet:
    """Serves for all machines of a cluster while its `with` block lasts; pods that nobody feeds say their name."""

    def __init__(self, cluster: Cluster) -> None:
        """Serves from `__enter__` on."""
        self._cluster = cluster
        self._feeds: dict[str, Feed] = {}
        self.connections: set[socket.socket] = set()
        self._server = ThreadingHTTPServer((HOST, 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="kubelet", daemon=True)

    def feed(self, pod: str, *lines: str) -> Feed:
        """Have the pod write these lines, and go on until the feed is closed."""
        self._feeds[pod] = Feed(*lines, running=True)
        return self._feeds[pod]

    def of(self, pod: str, container: str) -> Feed:
        """What the pod writes."""
        return self._feeds.get(pod) or Feed(f"{container} of {pod}")

    def __enter__(self) -> Self:
        with tempfile.TemporaryDirectory() as folder:
            write_pair(Path(folder), "kubelet", Authority("kubelet CA").server())
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(Path(folder, "kubelet.crt"), Path(folder, "kubelet.key"))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread.start()
        for node in self._cluster.rest.get("/api/v1/nodes")["items"]:
            name = node["metadata"]["name"]
            addresses = [{"type": "InternalIP", "address": HOST}, {"type": "Hostname", "address": name}]
            endpoint = {"kubeletEndpoint": {"Port": self._server.server_address[1]}}
            status = {"addresses": addresses, "daemonEndpoints": endpoint}
            self._cluster.rest.patch(f"/api/v1/nodes/{name}/status", {"status": status})
        return self

    def __exit__(self, *_: object) -> None:
        for feed in self._feeds.values():
            feed.close()
        self._server.shutdown()
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()
        self._thread.join()


def _handler(kubelet: Kubelet) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            kubelet.connections.add(self.connection)

        def finish(self) -> None:
            kubelet.connections.discard(self.connection)
            super().finish()

        def do_GET(self) -> None:
            """Answers /containerLogs/NAMESPACE/POD/CONTAINER, chunk by chunk."""
            url = urlsplit(self.path)
            match url.path.split("/"):
                case ["", "containerLogs", _, pod, container]:
                    self._log(kubelet.of(pod, container), {key: each[-1] for key, each in parse_qs(url.query).items()})
                case _:
                    self.send_error(404)

        def _log(self, feed: Feed, asked: dict[str, str]) -> None:
            feed.readers += 1
            try:
                self.send_response(200)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                tail = int(asked["tailLines"]) if "tailLines" in asked else None
                lines = feed.read(follow="follow" in asked, tail=tail, timestamps="timestamps" in asked)
                for line in lines:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
                self.wfile.write(b"0\r\n\r\n")
            except OSError:
                self.close_connection = True
            finally:
                feed.readers -= 1

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    return Handler
