"""How many writes a job took, from the audit logs: by the demo's rule, over its life and until its member Job is there.

A write that concerns one job counts for that job until its own Job exists; one that serves all (a node's status, a dry
run of a template) counts until the last Job exists, since it can't be said whose it was.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from demo.audit import APART, WRITES
from testbed import AuditEntry

OWN = frozenset({"computejobs", "dispatches"})


def writes_until_dispatched(
    user: str, hub: Iterable[AuditEntry], owners: Mapping[str, str], existing: Mapping[str, datetime]
) -> int:
    """The user's writes in the hub until the member Jobs existed.

    `owners` maps names of ComputeJobs and Dispatches to the job's UID, `existing` a job's UID to the instant of its
    member Job.
    """
    last = max(existing.values())
    count = 0
    for entry in hub:
        if entry.user != user or entry.verb not in WRITES or entry.resource in APART:
            continue
        until = existing.get(owners.get(entry.name, ""), last) if entry.resource in OWN else last
        count += entry.time <= until
    return count


def creation_instants(user: str, member: Iterable[AuditEntry]) -> dict[str, datetime]:
    """When each Job was created in a member, by its name."""
    return {
        entry.name: entry.time
        for entry in member
        if entry.user == user and entry.verb == "create" and entry.resource == "jobs" and entry.code == 201
    }
