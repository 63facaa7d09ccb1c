"""Chunks of bytes to lines, however large: an object is larger than the read limits of usual line readers."""

# etcd stores objects of at most 1.5 MiB unless told otherwise; nobody's memory shall be filled by one line.
LONGEST_LINE = 64 * 1024 * 1024


class LineTooLongError(Exception):
    """A line without an end."""


class LineSplitter:
    """Feed it chunks, take whole lines; what is left of the last one waits for the next chunk."""

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._longest = longest
        self._parts: list[bytes] = []
        self._waiting = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that end in this chunk, without their newline; empty lines are passed over."""
        *ended, rest = chunk.split(b"\n")
        if ended and self._parts:
            self._parts.append(ended[0])
            ended[0] = b"".join(self._parts)
            self._parts.clear()
            self._waiting = 0
        if rest:
            self._parts.append(rest)
            self._waiting += len(rest)
            if self._waiting > self._longest:
                raise LineTooLongError(f"more than {self._longest} bytes without a newline")
        return [line for line in ended if line]
