"""Credential plugins: a program prints an ExecCredential (client.authentication.k8s.io)."""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from .errors import InvalidCredentials
from .identity import Identity, bearer
from .kubeconfig import ExecEntry
from .tls import ClientCertificate

PLUGIN_SECONDS = 30.0
# A token that ends this soon is renewed before it is used.
_EXPIRY_MARGIN = timedelta(seconds=30)
# A plugin is not run more often than this because its credential was refused.
_REFUSAL_PAUSE = timedelta(seconds=10)
_EXCERPT = 300
_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")


class _CredentialStatus(Struct, rename="camel"):
    token: str = ""
    client_certificate_data: str = ""
    client_key_data: str = ""
    expiration_timestamp: datetime | None = None


class _Credential(Struct, rename="camel"):
    api_version: str
    status: _CredentialStatus


def _now() -> datetime:
    return datetime.now(UTC)


class PluginIdentity:
    """Runs the plugin when there is no credential, when it is about to expire, and once when it was refused.

    `interactive`: a person at our terminal can be asked; the plugin then has the terminal, and all the time it takes.
    """

    def __init__(
        self,
        entry: ExecEntry,
        *,
        directory: str | None,
        cluster: Mapping[str, Any],
        timeout_seconds: float = PLUGIN_SECONDS,
        interactive: bool = False,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        if entry.api_version not in _VERSIONS:
            raise InvalidCredentials(f"the exec plugin's apiVersion {entry.api_version!r} is none of {_VERSIONS}")
        if entry.interactive_mode == "Always" and not interactive:
            raise InvalidCredentials(f"the exec plugin {entry.command!r} wants a terminal; there is none here")
        self._entry = entry
        self._directory = directory
        self._cluster = cluster
        self._interactive = interactive and entry.interactive_mode != "Never"
        self._timeout = None if self._interactive else timeout_seconds
        self._clock = clock
        self._running = asyncio.Lock()
        self._identity: Identity | None = None
        self._expires_at: datetime | None = None
        self._ran_at: datetime | None = None

    async def identity(self) -> Identity:
        """The plugin's credential, from its last run while that is valid."""
        async with self._running:
            if self._identity is None or self._expired():
                self._identity = await self._run()
            return self._identity

    async def renew(self, refused: Identity) -> bool:
        """Run the plugin anew, but not for a credential that is only seconds old."""
        async with self._running:
            if self._identity != refused:
                return True
            if self._ran_at is not None and self._clock() - self._ran_at < _REFUSAL_PAUSE:
                return False
            self._identity = await self._run()
            return True

    def _expired(self) -> bool:
        return self._expires_at is not None and self._clock() >= self._expires_at - _EXPIRY_MARGIN

    async def _run(self) -> Identity:
        self._ran_at = self._clock()
        output = await self._output()
        try:
            credential = msgspec.json.decode(output, type=_Credential)
        except msgspec.MsgspecError as error:
            raise InvalidCredentials(f"{self._about()} printed no ExecCredential: {error}") from None
        if credential.api_version != self._entry.api_version:
            raise InvalidCredentials(
                f"{self._about()} answered in {credential.api_version}, the kubeconfig says {self._entry.api_version}"
            )
        status = credential.status
        certificate = None
        if status.client_certificate_data and status.client_key_data:
            certificate = ClientCertificate(status.client_certificate_data.encode(), status.client_key_data.encode())
        if not status.token and certificate is None:
            raise InvalidCredentials(f"{self._about()} gave neither a token nor a certificate with its key")
        self._expires_at = status.expiration_timestamp
        return Identity(bearer(status.token) if status.token else {}, certificate)

    async def _output(self) -> bytes:
        command = self._entry.command
        if self._directory and os.sep in command:
            command = str(Path(self._directory) / command)
        try:
            process = await asyncio.create_subprocess_exec(
                command,
                *(self._entry.args or []),
                stdin=None if self._interactive else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=None if self._interactive else asyncio.subprocess.PIPE,
                env=self._environment(),
                start_new_session=not self._interactive,  # a session of its own would have no terminal
            )
        except OSError as error:
            hint = f" ({self._entry.install_hint.strip()})" if self._entry.install_hint else ""
            raise InvalidCredentials(f"{self._about()} can't be started: {error.strerror}{hint}") from None
        try:
            async with asyncio.timeout(self._timeout):
                output, complaint = await process.communicate()
        except TimeoutError:
            raise InvalidCredentials(f"{self._about()} did not answer within {self._timeout:g} s") from None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    if self._interactive:
                        process.kill()
                    else:
                        os.killpg(process.pid, signal.SIGKILL)  # and what it started, which may hold its pipes open
                await process.wait()
        if process.returncode:
            words = " ".join((complaint or b"").decode(errors="replace").split())[:_EXCERPT]
            said = f": {words}" if words else ""
            raise InvalidCredentials(f"{self._about()} failed with exit code {process.returncode}{said}")
        return output

    def _environment(self) -> dict[str, str]:
        info: dict[str, Any] = {
            "apiVersion": self._entry.api_version,
            "kind": "ExecCredential",
            "spec": {"interactive": self._interactive},
        }
        if self._entry.provide_cluster_info:
            info["spec"]["cluster"] = dict(self._cluster)
        own = {variable.name: variable.value for variable in self._entry.env or []}
        return {**os.environ, **own, "KUBERNETES_EXEC_INFO": json.dumps(info)}

    def _about(self) -> str:
        return f"the exec plugin {self._entry.command!r}"
