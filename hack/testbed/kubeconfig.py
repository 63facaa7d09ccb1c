"""Kubeconfig files with everything in them."""

import base64
from pathlib import Path


def write_kubeconfig(path: Path, cluster: str, server: str, authority: str, credentials: tuple[str, str] | str) -> Path:
    """Writes a kubeconfig for a client certificate and its key (PEM), or a token; only its owner can read it."""
    import yaml  # here, so that `python -m testbed.binaries` runs before anything is installed

    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": cluster,
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": "client"}}],
        "clusters": [{"name": cluster, "cluster": {"server": server, "certificate-authority-data": _data(authority)}}],
        "users": [{"name": "client", "user": _user(credentials)}],
    }
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


def _user(credentials: tuple[str, str] | str) -> dict[str, str]:
    if isinstance(credentials, str):
        return {"token": credentials}
    return {"client-certificate-data": _data(credentials[0]), "client-key-data": _data(credentials[1])}


def _data(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
