"""Who we are to a cluster: a token or a certificate, fixed, from a file that is rotated, or from a plugin."""

import asyncio
import base64
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from .errors import InvalidCredentials
from .tls import ClientCertificate

TOKEN_FILE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Identity:
    """What a request carries: headers, a client certificate, or neither."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    certificate: ClientCertificate | None = None


class IdentitySource(Protocol):
    """Hands out the identity in force."""

    async def identity(self) -> Identity:
        """The identity to use now. InvalidCredentials where there is none."""
        ...

    async def renew(self, refused: Identity) -> bool:
        """Called when the cluster refused `refused`: True where another identity is to be tried now."""
        ...


def bearer(token: str) -> Mapping[str, str]:
    """The header of a token."""
    return {"Authorization": f"Bearer {token}"}


def basic(username: str, password: str) -> Mapping[str, str]:
    """The header of a name and password (a proxy before the API server may ask for them)."""
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}


@dataclass(frozen=True, slots=True)
class FixedIdentity:
    """An identity that never changes."""

    value: Identity

    async def identity(self) -> Identity:
        """The identity."""
        return self.value

    async def renew(self, refused: Identity) -> bool:  # noqa: ARG002
        """There is no other."""
        return False


class TokenFile:
    """A token in a file that something else rotates (a projected ServiceAccount token); read once a minute."""

    def __init__(
        self,
        path: Path,
        certificate: ClientCertificate | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._certificate = certificate
        self._clock = clock
        self._read_at = -TOKEN_FILE_SECONDS
        self._identity: Identity | None = None

    async def identity(self) -> Identity:
        """The token as it stood in the file at most a minute ago."""
        if self._identity is None or self._clock() - self._read_at >= TOKEN_FILE_SECONDS:
            self._identity = await self._read()
        return self._identity

    async def renew(self, refused: Identity) -> bool:
        """Read the file now; True where it holds another token than the refused one."""
        self._identity = await self._read()
        return self._identity != refused

    async def _read(self) -> Identity:
        try:
            token = (await asyncio.to_thread(self._path.read_text)).strip()
        except (OSError, UnicodeDecodeError) as error:
            if self._identity is not None:  # between two rotations the file may be away for a moment
                return self._identity
            raise InvalidCredentials(f"the token file {self._path} can't be read ({error})") from error
        self._read_at = self._clock()
        if not token:
            raise InvalidCredentials(f"the token file {self._path} is empty")
        return Identity(bearer(token), self._certificate)
