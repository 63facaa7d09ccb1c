"""The kubeconfig that the hub is given of a member: an address, who is trusted there, and a token. Pure."""

import base64
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How the hub reaches the member's API server. Without `authority` the hub's system authorities are trusted."""

    server: str
    authority: bytes | None = None
    tls_server_name: str | None = None
    insecure: bool = False
    proxy: str | None = None

    @property
    def of_one_machine(self) -> bool:
        """Whether the address means another machine wherever it is used."""
        host = urlsplit(self.server).hostname or ""
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return host == "localhost" or host.endswith(".localhost")


def kubeconfig(name: str, endpoint: Endpoint, token: str) -> dict[str, Any]:
    """A kubeconfig with everything in it."""
    cluster: dict[str, Any] = {"server": endpoint.server}
    if endpoint.insecure:
        cluster["insecure-skip-tls-verify"] = True
    elif endpoint.authority is not None:
        cluster["certificate-authority-data"] = base64.b64encode(endpoint.authority).decode()
    if endpoint.tls_server_name:
        cluster["tls-server-name"] = endpoint.tls_server_name
    if endpoint.proxy:
        cluster["proxy-url"] = endpoint.proxy
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": "isthmus", "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "isthmus"}}],
        "current-context": name,
    }
