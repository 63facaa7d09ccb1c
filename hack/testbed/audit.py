"""What an API server's audit log says: who wrote what, and when; and by which role somebody did what."""

import dataclasses
import datetime as dt
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_ROLE = re.compile(r'of (ClusterRole|Role) "([^"]+)"')
WRITE_VERBS = ("create", "update", "patch", "delete", "deletecollection")


@dataclasses.dataclass(frozen=True, slots=True)
class AuditEntry:
    """One finished write request; names that a request does not have are empty."""

    time: dt.datetime
    user: str
    groups: tuple[str, ...]
    user_agent: str
    verb: str
    api_group: str
    resource: str
    subresource: str
    namespace: str
    name: str
    code: int


def read_audit_log(path: Path) -> Iterator[AuditEntry]:
    """The writes in the order in which they were logged; a line still being written is left out."""
    for event in map(json.loads, _lines(path)):
        if event["verb"] in WRITE_VERBS:
            yield _entry(event)


@dataclasses.dataclass(frozen=True, slots=True)
class Access:
    """What a role of RBAC allowed; `role` as KIND/NAME, `resource` as RESOURCE or RESOURCE/SUBRESOURCE."""

    role: str
    verb: str
    api_group: str
    resource: str
    name: str


def accesses(path: Path, user: str) -> set[Access]:
    """All that the user was allowed, by the role that the API server named as the reason."""
    mark = f'"username":"{user}"'
    found = set()
    for event in (json.loads(line) for line in _lines(path) if mark in line):
        notes = event.get("annotations", {})
        role = _ROLE.search(notes.get("authorization.k8s.io/reason", ""))
        if role is not None and notes["authorization.k8s.io/decision"] == "allow" and "objectRef" in event:
            entry = _entry(event)
            resource = f"{entry.resource}/{entry.subresource}" if entry.subresource else entry.resource
            found.add(Access(f"{role[1]}/{role[2]}", entry.verb, entry.api_group, resource, entry.name))
    return found


def _lines(path: Path) -> Iterator[str]:
    if path.exists():
        with path.open() as log:
            yield from (line for line in log if line.endswith("\n"))


def _entry(event: dict[str, Any]) -> AuditEntry:
    reference = event.get("objectRef", {})
    return AuditEntry(
        time=dt.datetime.fromisoformat(event["stageTimestamp"]),
        user=event["user"].get("username", ""),
        groups=tuple(event["user"].get("groups", ())),
        user_agent=event.get("userAgent", ""),
        verb=event["verb"],
        api_group=reference.get("apiGroup", ""),
        resource=reference.get("resource", ""),
        subresource=reference.get("subresource", ""),
        namespace=reference.get("namespace", ""),
        name=reference.get("name", ""),
        code=event.get("responseStatus", {}).get("code", 0),
    )
