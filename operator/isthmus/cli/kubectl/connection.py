"""From kubectl's options to a client of the cluster that they choose."""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .flags import Flags

if TYPE_CHECKING:
    from isthmus.clusters.client import Client
    from isthmus.clusters.credentials import Credentials

REQUEST_SECONDS = 30.0


def credentials_of(flags: Flags) -> "Credentials":
    """Who and where, by the kubeconfig and the options; in a pod without a kubeconfig, its ServiceAccount.

    InvalidCredentials where there is nothing that can be used.
    """
    from isthmus.clusters.configfiles import files_named, read_merged
    from isthmus.clusters.credentials import Credentials
    from isthmus.clusters.errors import InvalidCredentials
    from isthmus.clusters.overrides import Overrides, overridden

    paths = [flags.kubeconfig] if flags.kubeconfig else files_named(os.environ, Path.home())
    document = read_merged(paths, required=flags.kubeconfig is not None)
    empty = not any(document.get(key) for key in ("clusters", "contexts", "users"))
    if empty and not flags.server:
        if flags.kubeconfig is None and os.environ.get("KUBERNETES_SERVICE_HOST"):
            return Credentials.in_cluster()
        named = ", ".join(str(path) for path in paths)
        raise InvalidCredentials(f"no kubeconfig: {named} is missing or empty; give --kubeconfig or set KUBECONFIG")
    overrides = Overrides(
        context=flags.context,
        cluster=flags.cluster,
        user=flags.user,
        server=flags.server,
        token=flags.token,
        as_user=flags.as_user,
        as_groups=flags.as_group,
        tls_server_name=flags.tls_server_name,
        insecure_skip_tls_verify=flags.insecure_skip_tls_verify,
    )
    person = sys.stdin is not None and sys.stdin.isatty()
    return Credentials.from_kubeconfig(
        overridden(document, overrides), allow_files=True, allow_exec=True, interactive=person
    )


@asynccontextmanager
async def connected(credentials: "Credentials", flags: Flags, *, name: str) -> AsyncIterator["Client"]:
    """A client for as long as the block lasts; `name` leads the messages of what goes wrong."""
    from isthmus.clusters.client import Client

    client = await Client.connect(credentials, name=name, timeout_seconds=flags.timeout_seconds(REQUEST_SECONDS))
    async with client:
        yield client


def namespace_of(credentials: "Credentials", flags: Flags) -> str:
    """The namespace that the options or the context name."""
    return flags.namespace or credentials.namespace
