"""Somebody with a token who speaks HTTP to an API server, and is told the status code."""

import http.client
import json
import ssl
from typing import Any
from urllib.parse import urlsplit

import yaml

from testbed import Cluster

KINDS = {"PATCH": "application/merge-patch+json", "APPLY": "application/apply-patch+yaml"}
SECONDS = 20


class Caller:
    """A ServiceAccount, by a token that the API server made for it."""

    def __init__(self, cluster: Cluster, namespace: str, account: str) -> None:
        kubeconfig = yaml.safe_load(cluster.token_kubeconfig(namespace, account).read_text())
        self._token = kubeconfig["users"][0]["user"]["token"]
        self._host = urlsplit(cluster.server).netloc
        self._context = ssl.create_default_context(cadata=cluster.authority)

    def call(
        self, method: str, path: str, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, str]:
        """Status and body of the answer; the method APPLY is a PATCH that applies."""
        connection = http.client.HTTPSConnection(self._host, timeout=SECONDS, context=self._context)
        kind = KINDS.get(method, "application/json")
        sent = {"Authorization": f"Bearer {self._token}", "Content-Type": kind, **(headers or {})}
        try:
            connection.request(
                "PATCH" if method == "APPLY" else method, path, None if body is None else json.dumps(body), sent
            )
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()
