"""What is read from the ledger. Quantities come as integers; every amount is made from them in Python."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import cast

from sqlalchemy import Connection, Row, Select, func, select

from isthmus.api.computenode import Identity
from isthmus.api.dispatch import JobReference
from isthmus.settlement.lines import Line, Usage, amount_of, price_line, unit_price
from isthmus.settlement.money import EXACT
from isthmus.settlement.tariff import Meter

from .booking import from_microseconds, to_microseconds
from .price_lists import PriceLists
from .schema import balances, bookings, conflicts, dispatches, late_time, postings
from .standings import chunks

_PAGE = 1000
_HALF = 1 << 32


@dataclass(frozen=True, slots=True)
class JobCost:
    """What a job has cost so far: exact, over all that is priced.

    `unpriced` counts what is not, by dispatch, meter and model.
    """

    amount: Decimal
    currency: str
    unpriced: int


@dataclass(frozen=True, slots=True)
class Touched:
    """Who has got bookings after some cursor, and the cursor to ask with next."""

    cursor: int
    accounts: frozenset[str]
    nodes: frozenset[str]


@dataclass(frozen=True, slots=True)
class RecordedConflict:
    """A reading that was refused; `reading` is its content as JSON."""

    dispatch_uid: str
    sequence: int
    reason: str
    message: str
    reading: str


def sequences(connection: Connection, dispatch_uids: Iterable[str]) -> dict[str, int]:
    """The last booked sequence of each dispatch that the ledger knows."""
    found: dict[str, int] = {}
    for chunk in chunks(dispatch_uids):
        query = select(dispatches.c.dispatch_uid, dispatches.c.sequence).where(dispatches.c.dispatch_uid.in_(chunk))
        found.update((row.dispatch_uid, row.sequence) for row in connection.execute(query))
    return found


def job_costs(
    connection: Connection, price_lists: PriceLists, job_uids: Iterable[str], currency: str
) -> dict[str, JobCost]:
    """The cost of each job; 0 for one that nothing is booked of."""
    costs = {uid: JobCost(Decimal(0), currency, 0) for uid in job_uids}
    for chunk in chunks(costs):
        rows = [
            row
            for table, quantity in ((balances, balances.c.quantity), (late_time, late_time.c.billed))
            for row in connection.execute(
                select(dispatches.c.job_uid, dispatches.c.tariff_digest, table.c.meter, table.c.model, quantity)
                .join(table, table.c.dispatch_uid == dispatches.c.dispatch_uid)
                .where(dispatches.c.job_uid.in_(chunk), quantity > 0)
            )
        ]
        known = price_lists.known(connection, {row.tariff_digest for row in rows})
        for uid, digest, meter, model, quantity in rows:
            cost = costs[uid]
            priced = known.get(digest)
            price, _ = unit_price(
                meter, model, tariff=priced.tariff if priced else None, digest=digest, currency=currency
            )
            if price is None:
                costs[uid] = JobCost(cost.amount, currency, cost.unpriced + 1)
            else:
                costs[uid] = JobCost(EXACT.add(cost.amount, amount_of(meter, quantity, price)), currency, cost.unpriced)
    return costs


def lines(
    connection: Connection,
    price_lists: PriceLists,
    *,
    account: str | None,
    node: str | None,
    start: datetime,
    end: datetime,
    currency: str,
) -> Iterator[Line]:
    """The lines whose interval ends in [start, end), in the order of booking, a page in memory at a time."""
    with connection.execution_options(yield_per=_PAGE).execute(_usages(account, node, start, end)) as result:
        for page in result.partitions():
            known = price_lists.known(connection, {row.tariff_digest for row in page})
            for row in page:
                priced = known.get(row.tariff_digest)
                usage = _usage(row, priced.identity if priced else _identity(row))
                tariff = priced.tariff if priced else None
                yield price_line(usage, tariff=tariff, digest=row.tariff_digest, currency=currency)


def totals_by_model(connection: Connection) -> dict[tuple[Meter, str], int]:
    """All resource-time that is booked, by meter and model. Summed in halves, so that no sum is beyond 64 bits."""
    sums: dict[tuple[Meter, str], int] = {}
    for table, quantity in ((balances, balances.c.quantity), (late_time, late_time.c.billed)):
        query = (
            select(table.c.meter, table.c.model, func.sum(quantity // _HALF), func.sum(quantity % _HALF))
            .where(quantity > 0)
            .group_by(table.c.meter, table.c.model)
        )
        for meter, model, high, low in connection.execute(query):
            key = (cast("Meter", meter), model)
            sums[key] = sums.get(key, 0) + int(high) * _HALF + int(low)
    return sums


def unbilled_late_time(
    connection: Connection, *, account: str | None, node: str | None, start: datetime, end: datetime
) -> dict[tuple[Meter, str], int]:
    """Late time that was recorded and not billed, of the shards whose last reading lies in [start, end)."""
    query = (
        select(late_time.c.meter, late_time.c.model, late_time.c.quantity - late_time.c.billed)
        .join(dispatches, dispatches.c.dispatch_uid == late_time.c.dispatch_uid)
        .where(
            late_time.c.quantity > late_time.c.billed,
            dispatches.c.observed_at >= to_microseconds(start),
            dispatches.c.observed_at < to_microseconds(end),
        )
    )
    for column, wanted in ((dispatches.c.account, account), (dispatches.c.node, node)):
        query = query.where(column == wanted) if wanted is not None else query
    sums: dict[tuple[Meter, str], int] = {}
    for meter, model, quantity in connection.execute(query):
        key = (cast("Meter", meter), model)
        sums[key] = sums.get(key, 0) + quantity
    return sums


def touched_since(connection: Connection, cursor: int) -> Touched:
    """The accounts and nodes with bookings after the cursor (0: all)."""
    last = connection.execute(select(func.max(bookings.c.booking))).scalar_one() or cursor
    query = (
        select(dispatches.c.account, dispatches.c.node)
        .distinct()
        .join(bookings, bookings.c.dispatch_uid == dispatches.c.dispatch_uid)
        .where(bookings.c.booking > cursor)
    )
    pairs = connection.execute(query).all()
    return Touched(last, frozenset(account for account, _ in pairs), frozenset(node for _, node in pairs))


def last_booked_jobs(connection: Connection, count: int) -> frozenset[str]:
    """The jobs that the last so many bookings are of."""
    last = connection.execute(select(func.max(bookings.c.booking))).scalar_one() or 0
    query = (
        select(dispatches.c.job_uid)
        .distinct()
        .join(bookings, bookings.c.dispatch_uid == dispatches.c.dispatch_uid)
        .where(bookings.c.booking > last - count)
    )
    return frozenset(connection.execute(query).scalars())


def recorded_conflicts(connection: Connection, dispatch_uid: str | None) -> tuple[RecordedConflict, ...]:
    """The readings that were refused, of one dispatch or (None) of all."""
    query = select(conflicts).order_by(conflicts.c.dispatch_uid, conflicts.c.sequence, conflicts.c.content)
    if dispatch_uid is not None:
        query = query.where(conflicts.c.dispatch_uid == dispatch_uid)
    return tuple(
        RecordedConflict(row.dispatch_uid, int(row.sequence), row.reason, row.message, row.reading)
        for row in connection.execute(query)
    )


def _usages(account: str | None, node: str | None, start: datetime, end: datetime) -> Select[tuple[object, ...]]:
    """The postings of a party in a period with all that a line says of them; each usage once."""
    party, name = ("Node", node) if account is None and node is not None else ("Account", account)
    query = (
        select(
            postings.c.meter,
            postings.c.model,
            postings.c.quantity,
            bookings.c.start_at,
            bookings.c.end_at,
            bookings.c.sequence,
            bookings.c.estimated,
            dispatches.c.dispatch_uid,
            dispatches.c.job_uid,
            dispatches.c.job_namespace,
            dispatches.c.job_name,
            dispatches.c.account,
            dispatches.c.node,
            dispatches.c.attempt,
            dispatches.c.tariff_digest,
            dispatches.c.identity_code,
            dispatches.c.identity_issuer,
            dispatches.c.identity_scheme,
        )
        .join(bookings, bookings.c.booking == postings.c.booking)
        .join(dispatches, dispatches.c.dispatch_uid == bookings.c.dispatch_uid)
        .where(
            postings.c.party == party,
            postings.c.end_at >= to_microseconds(start),
            postings.c.end_at < to_microseconds(end),
        )
        .order_by(postings.c.booking, postings.c.meter, postings.c.model)
    )
    if name is not None:
        query = query.where(postings.c.name == name)
    if account is not None and node is not None:
        query = query.where(dispatches.c.node == node)
    return cast("Select[tuple[object, ...]]", query)


def _usage(row: Row[tuple[object, ...]], identity: Identity | None) -> Usage:
    return Usage(
        account=row.account,
        node=row.node,
        identity=identity,
        job=JobReference(namespace=row.job_namespace, name=row.job_name, uid=row.job_uid),
        dispatch_uid=row.dispatch_uid,
        attempt=row.attempt,
        sequence=row.sequence,
        start=from_microseconds(row.start_at),
        end=from_microseconds(row.end_at),
        estimated=row.estimated,
        meter=row.meter,
        model=row.model,
        # The node's posting of a usage is the account's with the other sign.
        quantity=abs(row.quantity),
    )


def _identity(row: Row[tuple[object, ...]]) -> Identity | None:
    """The identity that came with the first reading, if one did."""
    if not row.identity_code:
        return None
    return Identity(code=row.identity_code, issuer=row.identity_issuer, scheme=row.identity_scheme)
