from datetime import UTC, datetime, timedelta

from burst.writes import creation_instants, writes_until_dispatched
from testbed import AuditEntry

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def entry(
    seconds: float, resource: str, name: str, verb: str = "patch", user: str = "hub", code: int = 200
) -> AuditEntry:
    """A write that was finished so many seconds after the beginning."""
    return AuditEntry(
        time=BEGIN + timedelta(seconds=seconds),
        user=user,
        groups=(),
        user_agent="",
        verb=verb,
        api_group="",
        resource=resource,
        subresource="",
        namespace="",
        name=name,
        code=code,
    )


def test_writes_count_until_the_own_job_is_there() -> None:
    """A job's writes count until its own Job exists, others until the last; events, leases and others' never."""
    log = [
        entry(1, "computejobs", "one"),
        entry(2, "dispatches", "one-x"),
        entry(4, "dispatches", "one-x"),
        entry(4, "computejobs", "two"),
        entry(4, "computenodes", "east"),
        entry(6, "computenodes", "east"),
        entry(1, "events", "one"),
        entry(1, "leases", "hub"),
        entry(1, "computejobs", "one", user="somebody"),
        entry(1, "computejobs", "one", verb="watch"),
    ]
    owners = {"one": "u1", "one-x": "u1", "two": "u2", "two-x": "u2"}
    existing = {"u1": BEGIN + timedelta(seconds=3), "u2": BEGIN + timedelta(seconds=5)}
    assert writes_until_dispatched("hub", log, owners, existing) == 4


def test_instants_are_of_creates_that_went_through() -> None:
    """A Job exists from the create that the API server took, whatever others wrote or were refused."""
    log = [
        entry(1, "jobs", "a", "create", code=409),
        entry(2, "jobs", "a", "create", code=201),
        entry(3, "jobs", "a", "patch"),
        entry(4, "pods", "b", "create", code=201),
        entry(5, "jobs", "c", "create", user="somebody", code=201),
    ]
    assert creation_instants("hub", log) == {"a": BEGIN + timedelta(seconds=2)}
