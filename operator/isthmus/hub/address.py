"""Where the hub listens: HOST:PORT as it is written on the command line. Pure."""

from dataclasses import dataclass
from typing import Self

from isthmus.errors import HubError


@dataclass(frozen=True, slots=True)
class Address:
    """A host, None for all of the machine's, and a port, 0 for any that is free."""

    host: str | None
    port: int

    @classmethod
    def parse(cls, text: str, option: str) -> Self:
        """Read `0.0.0.0:8080`, `[::1]:8080` or `:8080`. HubError, which names the option, where it is none of these."""
        host, colon, port = text.rpartition(":")
        bracketed = host.startswith("[") and host.endswith("]")
        if bracketed:
            host = host[1:-1]
        plain = port.isascii() and port.isdigit() and int(port) <= 65535
        if not (colon and plain) or (":" in host) != bracketed or set(host) & set("[] "):
            raise HubError(f"{option}={text} is no address", "write HOST:PORT, such as 0.0.0.0:8080 or [::1]:8080")
        return cls(host or None, int(port))
