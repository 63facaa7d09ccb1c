"""Ports on the loopback address that no other testbed on this machine takes, even while nothing listens."""

import contextlib
import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path
from typing import IO

# Below the range from which the kernel takes ports for outgoing connections, and below NodePorts.
FIRST, LAST = 20_000, 29_999
ATTEMPTS = 200


class Reservation:
    """One port, held by a locked file from now until `release` or the end of this process.

    A stopped API server must come back on its own port, so a port that is merely free is not enough.
    """

    def __init__(self) -> None:
        """Takes a random port; raises OSError where none can be had."""
        folder = Path(tempfile.gettempdir()) / f"isthmus-ports-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        for port in random.sample(range(FIRST, LAST + 1), ATTEMPTS):
            if (lock := _lock(folder / str(port))) is None:
                continue
            if _is_free(port):
                self.port = port
                self._lock = lock
                return
            lock.close()
        raise OSError(f"no free port found between {FIRST} and {LAST}")

    def release(self) -> None:
        """Gives the port back."""
        self._lock.close()


def _lock(path: Path) -> IO[str] | None:
    handle = path.open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        return None
    return handle


def _is_free(port: int) -> bool:
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
