"""Whom to believe when a request says on whose behalf it comes: the cluster's requestheader configuration. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote

import msgspec
from multidict import CIMultiDictProxy

from .refusals import unauthorized

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----")
_CA = "requestheader-client-ca-file"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as the API server authenticated it."""

    user: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class FrontProxy:
    """The ConfigMap kube-system/extension-apiserver-authentication, as far as it speaks of aggregation."""

    ca: str
    """PEM: who signs the certificates of proxies."""
    allowed_names: frozenset[str]
    """Common names of proxies; none named is any that the authority has signed."""
    user_headers: tuple[str, ...]
    group_headers: tuple[str, ...]
    uid_headers: tuple[str, ...]
    extra_prefixes: tuple[str, ...]

    @classmethod
    def of(cls, data: Mapping[str, str]) -> Self:
        """Read the ConfigMap's data. Raises ValueError, in words, where it does not serve."""
        ca = data.get(_CA, "")
        if "BEGIN CERTIFICATE" not in ca:
            raise ValueError(
                f"the cluster's API server has no {_CA}: start it with --requestheader-client-ca-file and "
                "--proxy-client-cert-file, as its aggregation layer needs"
            )
        users = _names(data, "requestheader-username-headers")
        if not users:
            raise ValueError("the cluster's API server names no --requestheader-username-headers")
        return cls(
            ca=ca,
            allowed_names=frozenset(_names(data, "requestheader-allowed-names")),
            user_headers=users,
            group_headers=_names(data, "requestheader-group-headers"),
            uid_headers=_names(data, "requestheader-uid-headers"),
            extra_prefixes=tuple(prefix.lower() for prefix in _names(data, "requestheader-extra-headers-prefix")),
        )

    def trusts_all_of(self, other: "FrontProxy") -> bool:
        """Whether every authority of the other's is also one of these."""
        return set(_CERTIFICATE.findall(other.ca)) <= set(_CERTIFICATE.findall(self.ca))

    def caller(self, certificate: Mapping[str, object] | None, headers: CIMultiDictProxy[str]) -> Caller:
        """Who asks. Raises Refused (401) unless the connection's verified certificate is a front proxy's.

        `certificate` is as `ssl.SSLSocket.getpeercert` has it; the connection has verified it against `ca`.
        """
        if not certificate:
            raise unauthorized("this API is reached through the Kubernetes API server: no front proxy certificate")
        if self.allowed_names and self.allowed_names.isdisjoint(_common_names(certificate)):
            raise unauthorized("the certificate is none of a front proxy that the cluster allows")
        user = _first(self.user_headers, headers)
        if not user:
            raise unauthorized("the front proxy says of nobody that it asks on their behalf")
        groups = tuple(value for name in self.group_headers for value in headers.getall(name, ()) if value)
        caller = Caller(user, groups, _first(self.uid_headers, headers), self._extra(headers))
        if not _is_text(caller):
            raise unauthorized("the front proxy's headers are not in UTF-8")
        return caller

    def _extra(self, headers: CIMultiDictProxy[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
        extra: dict[str, list[str]] = {}
        for name, value in headers.items():
            lower = name.lower()
            for prefix in self.extra_prefixes:
                if lower.startswith(prefix):
                    extra.setdefault(unquote(lower.removeprefix(prefix)), []).append(value)
                    break
        return tuple((key, tuple(values)) for key, values in sorted(extra.items()))


def _names(data: Mapping[str, str], key: str) -> tuple[str, ...]:
    try:
        return tuple(msgspec.json.decode(data.get(key) or "[]", type=list[str]))
    except msgspec.MsgspecError as error:
        raise ValueError(f"{key} is no list of names: {error}") from error


def _first(names: tuple[str, ...], headers: CIMultiDictProxy[str]) -> str:
    return next((value for name in names if (value := headers.get(name, ""))), "")


def _is_text(caller: Caller) -> bool:
    """Whether it can be written as UTF-8: bytes of headers that are none stand for themselves in what is read."""
    words = [caller.user, caller.uid, *caller.groups]
    for key, values in caller.extra:
        words += [key, *values]
    try:
        "".join(words).encode()
    except UnicodeEncodeError:
        return False
    return True


def _common_names(certificate: Mapping[str, object]) -> set[str]:
    subject = certificate.get("subject")
    rows = subject if isinstance(subject, tuple) else ()
    return {value for row in rows for key, value in row if key == "commonName"}
