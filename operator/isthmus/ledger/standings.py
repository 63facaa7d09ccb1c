"""What the ledger has of dispatches and their readings, read for many at once."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar, cast

from sqlalchemy import Connection, select

from isthmus.settlement.tariff import Meter

from .booking import LARGEST, ReadingBooked, Standing
from .schema import balances, dispatches, late_time, readings

CHUNK = 500
"""Values in one IN list: every database takes that many."""

_T = TypeVar("_T")


def chunks(values: Iterable[_T]) -> Iterator[list[_T]]:
    """The values in lists that fit an IN list."""
    iterator = iter(values)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk


def standings_of(connection: Connection, uids: Sequence[str]) -> dict[str, Standing]:
    """What stands of these dispatches; one that the ledger doesn't know is left out."""
    booked: dict[str, dict[tuple[Meter, str], int]] = {}
    late: dict[str, dict[tuple[Meter, str], int]] = {}
    found: dict[str, Standing] = {}
    for chunk in chunks(uids):
        for row in connection.execute(select(balances).where(balances.c.dispatch_uid.in_(chunk))):
            booked.setdefault(row.dispatch_uid, {})[cast("Meter", row.meter), row.model] = row.quantity
        for row in connection.execute(select(late_time).where(late_time.c.dispatch_uid.in_(chunk))):
            late.setdefault(row.dispatch_uid, {})[cast("Meter", row.meter), row.model] = row.quantity
        for row in connection.execute(select(dispatches).where(dispatches.c.dispatch_uid.in_(chunk))):
            found[row.dispatch_uid] = Standing(
                job_uid=row.job_uid,
                account=row.account,
                node=row.node,
                attempt=row.attempt,
                tariff_digest=row.tariff_digest,
                sequence=row.sequence,
                observed_at=row.observed_at,
                final=row.final,
                quantities=booked.get(row.dispatch_uid, {}),
                late=late.get(row.dispatch_uid, {}),
            )
    return found


def known_readings(connection: Connection, items: Sequence[ReadingBooked]) -> dict[tuple[str, int], str]:
    """The content digests of the readings that stand under the keys of these."""
    known: dict[tuple[str, int], str] = {}
    for chunk in chunks(items):
        query = select(readings.c.dispatch_uid, readings.c.sequence, readings.c.content).where(
            readings.c.dispatch_uid.in_({item.dispatch_uid for item in chunk}),
            readings.c.sequence.in_({min(item.reading.sequence, LARGEST) for item in chunk}),
        )
        known.update({(uid, sequence): digest for uid, sequence, digest in connection.execute(query)})
    return known
