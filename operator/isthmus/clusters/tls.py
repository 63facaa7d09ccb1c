"""TLS contexts, one for each distinct content: a context costs a quarter of a mebibyte, and a hub has many members."""

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from tempfile import NamedTemporaryFile

from .errors import InvalidCredentials


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate chain and its key, PEM."""

    certificate: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class TLSSettings:
    """How the server is verified. Without `ca` the system's authorities are trusted."""

    ca: bytes | None = None
    verify: bool = True
    server_name: str | None = None


@lru_cache(maxsize=512)
def context_for(settings: TLSSettings, client: ClientCertificate | None) -> ssl.SSLContext:
    """The context of these settings. InvalidCredentials where a certificate or key can't be read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not settings.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif settings.ca is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        try:
            context.load_verify_locations(cadata=settings.ca.decode("ascii"))
        except (ssl.SSLError, ValueError) as error:
            raise InvalidCredentials(
                f"the certificate authority is not a PEM certificate ({error}); check certificate-authority-data"
            ) from error
    if client is not None:
        _load_client_certificate(context, client)
    return context


def _load_client_certificate(context: ssl.SSLContext, client: ClientCertificate) -> None:
    try:
        with as_file(client.certificate) as certificate, as_file(client.key) as key:
            # Without a password callback OpenSSL would ask for one on the terminal.
            context.load_cert_chain(certificate, key, password=lambda: "")
    except (ssl.SSLError, ValueError, OSError) as error:
        raise InvalidCredentials(
            f"the client certificate and key can't be used ({error}); check that both are PEM, belong together, "
            "and that the key has no passphrase"
        ) from error


@contextmanager
def as_file(content: bytes) -> Iterator[str]:
    """A path under which OpenSSL reads `content`: in memory where the system can, so that no key touches a disk."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("pem")
        try:
            os.write(descriptor, content)
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
        return
    with NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        yield file.name
