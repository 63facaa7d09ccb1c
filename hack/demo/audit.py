"""How often the operator writes: counted in the hub's own audit log, not by the operator."""

from collections.abc import Iterable

from testbed import AuditEntry

WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})
APART = frozenset({"leases", "events"})  # one is a heartbeat, the other for people to read


def writes_by(user: str, entries: Iterable[AuditEntry]) -> int:
    """The write requests of the user, refused ones too, without those to Leases and Events."""
    return sum(entry.user == user and entry.verb in WRITES and entry.resource not in APART for entry in entries)
