from datetime import UTC, datetime

import pytest

from demo.audit import writes_by
from testbed import AuditEntry

HUB = "system:serviceaccount:isthmus-system:isthmus"


def entry(user: str, verb: str, resource: str, code: int = 200) -> AuditEntry:
    """One finished request."""
    return AuditEntry(datetime(2026, 11, 22, tzinfo=UTC), user, (), "", verb, "", resource, "", "", "", code)


@pytest.mark.parametrize(
    ("one", "counts"),
    [
        (entry(HUB, "create", "dispatches"), True),
        (entry(HUB, "update", "dispatches"), True),
        (entry(HUB, "patch", "computejobs"), True),
        (entry(HUB, "patch", "computejobs", 409), True),
        (entry(HUB, "delete", "dispatches"), True),
        (entry(HUB, "deletecollection", "dispatches"), True),
        (entry(HUB, "get", "dispatches"), False),
        (entry(HUB, "update", "leases"), False),
        (entry(HUB, "create", "events"), False),
        (entry("somebody", "create", "computejobs"), False),
    ],
    ids=lambda value: f"{value.verb} {value.resource} {value.code}" if isinstance(value, AuditEntry) else "",
)
def test_the_operators_writes_are_counted(one: AuditEntry, *, counts: bool) -> None:
    """Every write of the operator counts, refused ones too, but Leases and Events."""
    assert writes_by(HUB, [one, one]) == (2 if counts else 0)
