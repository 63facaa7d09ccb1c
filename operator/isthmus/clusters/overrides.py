"""What a command line says about the cluster and the user, put over what the kubeconfig says. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import InvalidCredentials

_NAME = "given on the command line"


@dataclass(frozen=True, slots=True)
class Overrides:
    """kubectl's options of the same names; None is not given."""

    context: str | None = None
    cluster: str | None = None
    user: str | None = None
    server: str | None = None
    token: str | None = None
    as_user: str | None = None
    as_groups: tuple[str, ...] = ()
    tls_server_name: str | None = None
    insecure_skip_tls_verify: bool | None = None


def overridden(document: Mapping[str, Any], overrides: Overrides) -> dict[str, Any]:
    """A kubeconfig with one context, the current one: that which `overrides` chooses and changes.

    InvalidCredentials where there is none, or where it names what is not there.
    """
    name = overrides.context or document.get("current-context")
    context = dict(_named(document, "contexts", "context", name) if name else {})
    context |= {key: value for key, value in (("cluster", overrides.cluster), ("user", overrides.user)) if value}
    if not context.get("cluster") and not overrides.server:
        raise InvalidCredentials(
            "no cluster is chosen: the kubeconfig has no current-context; "
            "give --context, or set one with kubectl config use-context"
        )
    cluster = dict(_named(document, "clusters", "cluster", context["cluster"])) if context.get("cluster") else {}
    user = dict(_named(document, "users", "user", context["user"])) if context.get("user") else {}
    return {
        "current-context": _NAME,
        "contexts": [{"name": _NAME, "context": {**context, "cluster": _NAME, "user": _NAME}}],
        "clusters": [{"name": _NAME, "cluster": _cluster(cluster, overrides)}],
        "users": [{"name": _NAME, "user": _user(user, overrides)}],
    }


def _cluster(cluster: dict[str, Any], overrides: Overrides) -> dict[str, Any]:
    if overrides.server:
        cluster["server"] = overrides.server
    if overrides.tls_server_name:
        cluster["tls-server-name"] = overrides.tls_server_name
    if overrides.insecure_skip_tls_verify is not None:
        cluster["insecure-skip-tls-verify"] = overrides.insecure_skip_tls_verify
    if overrides.insecure_skip_tls_verify:
        cluster.pop("certificate-authority", None)
        cluster.pop("certificate-authority-data", None)
    return cluster


def _user(user: dict[str, Any], overrides: Overrides) -> dict[str, Any]:
    if overrides.token:
        for key in ("exec", "tokenFile", "username", "password"):
            user.pop(key, None)
        user["token"] = overrides.token
    if overrides.as_user:
        user["as"] = overrides.as_user
    if overrides.as_groups:
        user["as-groups"] = list(overrides.as_groups)
    return user


def _named(document: Mapping[str, Any], key: str, part: str, name: str) -> Mapping[str, Any]:
    for entry in document.get(key) or []:
        if entry.get("name") == name:
            found: Mapping[str, Any] = entry.get(part) or {}
            return found
    raise InvalidCredentials(f"{part} {name!r} is not in the kubeconfig")
