"""Chunks of bytes to lines, of any length: an object may be larger than any read limit."""


class LineSplitter:
    """Feed it chunks, take whole lines; what is left of the last one waits for the next chunk."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that end in this chunk, without their newline; empty lines are passed over."""
        *ended, rest = chunk.split(b"\n")
        if ended and self._parts:
            self._parts.append(ended[0])
            ended[0] = b"".join(self._parts)
            self._parts.clear()
        if rest:
            self._parts.append(rest)
        return [line for line in ended if line]
