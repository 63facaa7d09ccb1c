"""What an API server's audit log says: who wrote what, and when."""

import dataclasses
import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


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
    """The entries in the order in which they were written; a line still being written is left out."""
    if not path.exists():
        return
    with path.open() as log:
        for line in log:
            if line.endswith("\n"):
                yield _entry(json.loads(line))


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
