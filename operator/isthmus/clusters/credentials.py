"""Everything needed to speak to one cluster: its address, how it is trusted, and who we are there."""

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .errors import InvalidCredentials
from .identity import FixedIdentity, Identity, IdentitySource, TokenFile, basic, bearer
from .kubeconfig import ClusterEntry, Selected, UserEntry, select
from .plugin import PluginIdentity
from .proxy import environment_proxy
from .tls import ClientCertificate, TLSSettings, context_for

_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True)
class Credentials:
    """Built by `from_kubeconfig`, `from_kubeconfig_path` or `in_cluster`; all raise InvalidCredentials."""

    server: str
    source: IdentitySource = field(repr=False)
    tls: TLSSettings = field(default_factory=TLSSettings, repr=False)
    proxy: str | None = None
    namespace: str = "default"
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_kubeconfig(
        cls,
        config: str | bytes | Mapping[str, Any],
        context: str | None = None,
        *,
        allow_files: bool = False,
        allow_exec: bool = False,
        interactive: bool = False,
        directory: Path | None = None,
    ) -> "Credentials":
        """From a kubeconfig's text, or what that says: by default it can neither read files here nor run programs.

        It may be anyone's. Relative paths in it count from `directory`. `interactive`: its plugin may ask the person at
        our terminal.
        """
        reader = _Reader(
            select(config, context),
            allow_files=allow_files,
            allow_exec=allow_exec,
            interactive=interactive,
            directory=directory,
        )
        return reader.credentials()

    @classmethod
    def from_kubeconfig_path(cls, path: str | Path, context: str | None = None) -> "Credentials":
        """From a kubeconfig file of our own: the files and plugins it names are used."""
        path = Path(path).expanduser()
        try:
            text = path.read_bytes()
        except OSError as error:
            raise InvalidCredentials(f"the kubeconfig {path} can't be read: {error.strerror}") from error
        return cls.from_kubeconfig(text, context, allow_files=True, allow_exec=True, directory=path.resolve().parent)

    @classmethod
    def in_cluster(cls, folder: Path = _SERVICE_ACCOUNT) -> "Credentials":
        """From the pod's own ServiceAccount; its token is read again as it is rotated."""
        host, port = os.environ.get("KUBERNETES_SERVICE_HOST", ""), os.environ.get("KUBERNETES_SERVICE_PORT", "")
        if not host or not port:
            raise InvalidCredentials("this is no pod of a cluster: KUBERNETES_SERVICE_HOST and _PORT are not set")
        try:
            authority = (folder / "ca.crt").read_bytes()
            namespace = (folder / "namespace").read_text().strip()
        except OSError as error:
            raise InvalidCredentials(
                f"the pod's ServiceAccount files can't be read ({error}); is automountServiceAccountToken off?"
            ) from error
        server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
        tls = TLSSettings(ca=authority)
        context_for(tls, None)
        return cls(
            server=server,
            source=TokenFile(folder / "token"),
            tls=tls,
            proxy=environment_proxy(server),
            namespace=namespace or "default",
        )


class _Reader:
    """Turns one context of a kubeconfig into credentials, within what is allowed."""

    def __init__(
        self, selected: Selected, *, allow_files: bool, allow_exec: bool, interactive: bool, directory: Path | None
    ) -> None:
        self._selected = selected
        self._interactive = interactive
        self._allow_files = allow_files
        self._allow_exec = allow_exec
        self._directory = directory or Path()

    def credentials(self) -> Credentials:
        cluster, user = self._selected.cluster, self._selected.user
        server = _checked_server(cluster.server)
        tls = self._tls(cluster)
        certificate = self._certificate(user)
        context_for(tls, certificate)  # a wrong certificate is told now, not at the first request
        return Credentials(
            server=server,
            source=self._source(user, certificate),
            tls=tls,
            proxy=_checked_proxy(cluster.proxy_url) if cluster.proxy_url else environment_proxy(server),
            namespace=self._selected.context.namespace or "default",
            headers=_impersonation(user),
        )

    def _tls(self, cluster: ClusterEntry) -> TLSSettings:
        authority = self._content(
            cluster.certificate_authority_data, cluster.certificate_authority, "certificate-authority"
        )
        if cluster.insecure_skip_tls_verify and authority is not None:
            raise InvalidCredentials("give either a certificate-authority or insecure-skip-tls-verify, not both")
        return TLSSettings(authority, not cluster.insecure_skip_tls_verify, cluster.tls_server_name or None)

    def _certificate(self, user: UserEntry) -> ClientCertificate | None:
        certificate = self._content(user.client_certificate_data, user.client_certificate, "client-certificate")
        key = self._content(user.client_key_data, user.client_key, "client-key")
        if certificate is None and key is None:
            return None
        if certificate is None or key is None:
            raise InvalidCredentials("client-certificate and client-key belong together; one of them is missing")
        return ClientCertificate(certificate, key)

    def _source(self, user: UserEntry, certificate: ClientCertificate | None) -> IdentitySource:
        if user.auth_provider is not None:
            raise InvalidCredentials(
                "auth-provider is not supported; use a ServiceAccount token, a client certificate or an exec plugin"
            )
        if user.exec_ is not None:
            if not self._allow_exec:
                raise InvalidCredentials(
                    f"it runs the exec plugin {user.exec_.command!r}, which is not allowed here; "
                    "give a kubeconfig with a token or a client certificate"
                )
            return PluginIdentity(
                user.exec_,
                directory=str(self._directory),
                cluster=self._selected.raw_cluster,
                interactive=self._interactive,
            )
        if user.token_file:
            return TokenFile(self._path(user.token_file, "tokenFile"), certificate)
        if user.token:
            return FixedIdentity(Identity(bearer(_one_line(user.token, "token")), certificate))
        if user.username:
            return FixedIdentity(Identity(basic(user.username, user.password or ""), certificate))
        if certificate is None:
            raise InvalidCredentials(
                f"the user {self._selected.context.user!r} has no token, no client certificate and no plugin"
            )
        return FixedIdentity(Identity(certificate=certificate))

    def _content(self, data: str | None, path: str | None, key: str) -> bytes | None:
        """Inline data first, as with kubectl; else the file's content where files are allowed."""
        if data:
            try:
                return base64.b64decode("".join(data.split()), validate=True)
            except (binascii.Error, ValueError):
                raise InvalidCredentials(f"{key}-data is not base64") from None
        if not path:
            return None
        file = self._path(path, key)
        try:
            return file.read_bytes()
        except OSError as error:
            raise InvalidCredentials(f"{key}: the file {file} can't be read: {error.strerror}") from error

    def _path(self, path: str, key: str) -> Path:
        if not self._allow_files:
            raise InvalidCredentials(
                f"{key} names a file, which is not read from here; inline it with kubectl config view --raw --flatten"
            )
        return self._directory / path


def _one_line(value: str, key: str) -> str:
    value = value.strip()
    if not value.isprintable() or not value.isascii():
        raise InvalidCredentials(f"the {key} holds characters that no HTTP header can carry")
    return value


def _checked_server(server: str) -> str:
    try:
        parts = urlsplit(server)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 443) > 0
    except ValueError:
        usable = False
    if not usable:
        raise InvalidCredentials(f"the server {server!r} is no http(s) URL")
    return server.rstrip("/")


def _checked_proxy(proxy: str) -> str:
    if urlsplit(proxy).scheme not in {"http", "https"}:
        raise InvalidCredentials("proxy-url must be an http or https proxy; socks5 is not supported")
    return proxy


def _impersonation(user: UserEntry) -> tuple[tuple[str, str], ...]:
    headers = [("Impersonate-User", _one_line(user.as_, "as"))] if user.as_ else []
    if user.as_uid:
        headers.append(("Impersonate-Uid", _one_line(user.as_uid, "as-uid")))
    headers += [("Impersonate-Group", _one_line(group, "as-groups")) for group in user.as_groups or []]
    return tuple(headers)
