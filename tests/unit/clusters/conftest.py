"""Kubeconfigs and certificates for the tests of the client."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from tests.unit.clusters.authorities import CertificateAuthority

KubeconfigOf = Callable[..., str]


@pytest.fixture(scope="session")
def authority() -> CertificateAuthority:
    """An authority that the tests trust."""
    return CertificateAuthority()


@pytest.fixture
def kubeconfig() -> KubeconfigOf:
    """A function that writes a kubeconfig with one context, from the entries of its cluster and user."""

    def write(cluster: dict[str, Any] | None = None, user: dict[str, Any] | None = None, **changes: Any) -> str:
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
            "clusters": [{"name": "k", "cluster": {"server": "https://api.example.org:6443", **(cluster or {})}}],
            "users": [{"name": "u", "user": {"token": "secret-token"} if user is None else user}],
            **changes,
        }
        return yaml.safe_dump(document)

    return write


@pytest.fixture(scope="session")
def base64_of() -> Callable[[bytes], str]:
    """Bytes as kubeconfigs carry them."""
    return lambda content: base64.b64encode(content).decode()


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own proxies play no part."""
    for name in ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
