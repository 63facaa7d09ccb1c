"""Who speaks to an API server, taken from a kubeconfig of the testbed."""

import base64
import dataclasses
import http.client
import ssl
import tempfile
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import yaml

from testbed import RestClient


@dataclasses.dataclass(frozen=True, slots=True)
class Identity:
    """A server (https://host:port), its authority, and a client certificate with its key, all PEM."""

    server: str
    authority: str
    certificate: str
    key: str

    @classmethod
    def read(cls, kubeconfig: Path) -> Self:
        """The one user and cluster of a kubeconfig that has everything in it."""
        document = yaml.safe_load(kubeconfig.read_text())
        cluster = document["clusters"][0]["cluster"]
        user = document["users"][0]["user"]
        return cls(
            cluster["server"],
            _text(cluster["certificate-authority-data"]),
            _text(user["client-certificate-data"]),
            _text(user["client-key-data"]),
        )

    def rest(self) -> RestClient:
        """A client for single requests."""
        return RestClient(self.server, self.authority, (self.certificate, self.key))

    def connection(self) -> http.client.HTTPConnection:
        """A connection without a time limit, for a watch."""
        context = ssl.create_default_context(cadata=self.authority)
        # The ssl module takes a client certificate from files only.
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
            file.write(self.certificate + self.key)
            file.flush()
            context.load_cert_chain(file.name)
        return http.client.HTTPSConnection(urlsplit(self.server).netloc, context=context)


def _text(data: str) -> str:
    return base64.b64decode(data).decode()
