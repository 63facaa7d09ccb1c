import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from testbed.link import Link


@pytest.fixture
def echo() -> Iterator[int]:
    """A server that answers what it is told, on a port of its own."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                while data := connection.recv(65536):
                    connection.sendall(data)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=answer, args=[server.accept()[0]], daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.fixture
def link(echo: int) -> Iterator[Link]:
    """A link to the echo."""
    relay = Link(echo)
    yield relay
    relay.close()


def _connect(link: Link) -> socket.socket:
    return socket.create_connection(("127.0.0.1", link.port), timeout=5)


def _exchange(connection: socket.socket, data: bytes) -> bytes:
    connection.sendall(data)
    received = b""
    while len(received) < len(data):
        received += connection.recv(65536)
    return received


def test_relays_both_ways(link: Link) -> None:
    """What goes in comes back unchanged, also far more than one chunk, and the end of one side reaches the other."""
    with _connect(link) as connection:
        sent = bytes(range(256)) * 4096
        received: list[bytes] = []
        reader = threading.Thread(target=lambda: received.extend(iter(lambda: connection.recv(65536), b"")))
        reader.start()
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        reader.join(10)
        assert b"".join(received) == sent


def test_drop_hides_and_heal_delivers(link: Link) -> None:
    """Cut, neither an open nor a new connection hears anything or is closed; healed, both get all that was sent."""
    with _connect(link) as old:
        assert _exchange(old, b"before") == b"before"
        link.cut()
        with _connect(link) as new:
            for connection in (old, new):
                connection.sendall(b"meanwhile")
                connection.settimeout(0.3)
                with pytest.raises(TimeoutError):
                    connection.recv(100)
                connection.settimeout(5)
            link.heal()
            assert old.recv(100) == b"meanwhile"
            assert new.recv(100) == b"meanwhile"
            assert _exchange(new, b"after") == b"after"


def test_refuse_resets_and_heal_listens_again(link: Link) -> None:
    """Refusing, an open connection is reset and a new one refused; healed, the same port answers."""
    port = link.port
    with _connect(link) as old:
        assert _exchange(old, b"before") == b"before"
        link.cut("refuse")
        with pytest.raises(ConnectionError):
            old.recv(100)
        with pytest.raises(ConnectionRefusedError):
            _connect(link)
    link.heal()
    assert link.port == port
    with _connect(link) as new:
        assert _exchange(new, b"after") == b"after"


def test_cut_twice_and_healed_twice(link: Link) -> None:
    """A second cut may change the kind of fault, and healing what is whole changes nothing."""
    link.cut()
    link.cut("refuse")
    with pytest.raises(ConnectionRefusedError):
        _connect(link)
    link.heal()
    link.heal()
    with _connect(link) as connection:
        assert _exchange(connection, b"x") == b"x"


def test_target_away_closes_connections() -> None:
    """Where nothing listens behind the link, a connection is closed instead of hanging."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    relay = Link(port)
    try:
        with _connect(relay) as connection, contextlib.suppress(ConnectionResetError):
            assert connection.recv(100) == b""
    finally:
        relay.close()
