"""A kubeconfig's text to the one cluster and user that its context names.

Read here and not by the `kubernetes` library, which leaves private keys in temporary files for as long as the process
lives, follows any file path it is given, and logs a failing plugin's error where the user can't see it.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
import yaml
from msgspec import Struct, field

from .errors import InvalidCredentials

T = TypeVar("T")


class _Entry(Struct, rename="kebab"):
    """What every part of a kubeconfig shares: keys with hyphens."""


class ClusterEntry(_Entry):
    """Where the API server is and how it is trusted."""

    server: str
    certificate_authority: str | None = None
    certificate_authority_data: str | None = None
    insecure_skip_tls_verify: bool = False
    tls_server_name: str | None = None
    proxy_url: str | None = None


class ExecVariable(Struct):
    """An environment variable of a plugin."""

    name: str
    value: str


class ExecEntry(Struct, rename="camel"):
    """A credential plugin (client.authentication.k8s.io)."""

    api_version: str
    command: str
    args: list[str] | None = None
    env: list[ExecVariable] | None = None
    install_hint: str = ""
    provide_cluster_info: bool = False
    interactive_mode: str = ""


class UserEntry(_Entry):
    """How we prove who we are."""

    client_certificate: str | None = None
    client_certificate_data: str | None = None
    client_key: str | None = None
    client_key_data: str | None = None
    token: str | None = None
    token_file: str | None = field(default=None, name="tokenFile")
    username: str | None = None
    password: str | None = None
    exec_: ExecEntry | None = field(default=None, name="exec")
    auth_provider: dict[str, Any] | None = None
    as_: str | None = field(default=None, name="as")
    as_uid: str | None = None
    as_groups: list[str] | None = None


class ContextEntry(_Entry):
    """Which user at which cluster."""

    cluster: str
    user: str = ""
    namespace: str | None = None


class _Named(Struct):
    name: str
    cluster: dict[str, Any] | None = None
    user: dict[str, Any] | None = None
    context: dict[str, Any] | None = None


class _Document(_Entry):
    clusters: list[_Named] | None = None
    users: list[_Named] | None = None
    contexts: list[_Named] | None = None
    current_context: str | None = None


class Selected(Struct):
    """The parts of one context. `raw_cluster` is the cluster's entry as written, for plugins that ask for it."""

    context: ContextEntry
    cluster: ClusterEntry
    user: UserEntry
    raw_cluster: dict[str, Any]


def select(config: str | bytes | Mapping[str, Any], context: str | None = None) -> Selected:
    """The cluster and user of `context`, or of current-context, in a kubeconfig's text or what it says.

    InvalidCredentials names what is missing.

    No message repeats a value of the kubeconfig: it may be a secret, and messages end in conditions.
    """
    document = _convert(config if isinstance(config, Mapping) else parsed(config), _Document, "the kubeconfig")
    name = context or document.current_context
    if not name:
        raise InvalidCredentials("the kubeconfig has no current-context; set one with kubectl config use-context")
    chosen = _convert(_named(document.contexts, "contexts", name).context, ContextEntry, f"context {name}")
    raw_cluster = _named(document.clusters, "clusters", chosen.cluster).cluster
    cluster = _convert(raw_cluster, ClusterEntry, f"cluster {chosen.cluster}")
    user = UserEntry()
    if chosen.user:
        user = _convert(_named(document.users, "users", chosen.user).user or {}, UserEntry, f"user {chosen.user}")
    return Selected(chosen, cluster, user, raw_cluster or {})


def parsed(text: str | bytes) -> dict[str, Any]:
    """What the text says. InvalidCredentials where it is no YAML mapping."""
    try:
        document = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        where = f" at line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InvalidCredentials(f"the kubeconfig is not YAML: {error.problem}{where}") from None
    except (yaml.YAMLError, ValueError):
        raise InvalidCredentials("the kubeconfig is not YAML text") from None
    if not isinstance(document, dict):
        raise InvalidCredentials("the kubeconfig is empty or no mapping; give the output of kubectl config view --raw")
    return document


def _convert(value: Any, type_: type[T], what: str) -> T:
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        raise InvalidCredentials(f"{what} is malformed: {error}") from None


def _named(entries: list[_Named] | None, key: str, name: str) -> _Named:
    found = [entry for entry in entries or [] if entry.name == name]
    if not found:
        raise InvalidCredentials(f"the kubeconfig names {name!r}, which is not in its {key}")
    return found[0]
