"""Many readings booked in one transaction: what stands is read once, decided on in memory, and written in bulk."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Table, and_, bindparam, func, insert, select, update

from .booking import (
    Book,
    BookResult,
    Conflict,
    Covered,
    Outcome,
    ReadingBooked,
    Replay,
    Standing,
    content,
    content_digest,
    decide,
)
from .schema import balances, bookings, conflicts, dispatches, late_time, postings, readings
from .standings import chunks, known_readings, standings_of

CONFLICTS_KEPT = 16
"""Conflicts recorded of one dispatch, so that a member that writes nonsense can't fill the ledger."""

Row = dict[str, Any]


class Batch:
    """The standings of the dispatches that a batch touches, and the rows that it will write."""

    def __init__(self, connection: Connection, items: Sequence[ReadingBooked]) -> None:
        self._connection = connection
        uids = sorted({item.dispatch_uid for item in items})
        self._standings = standings_of(connection, uids)
        self._stored = frozenset(self._standings)
        self._stored_balances = {
            (uid, *key) for uid, standing in self._standings.items() for key in standing.quantities
        }
        self._known = known_readings(connection, items)
        self._stored_late = {(uid, *key) for uid, standing in self._standings.items() for key in standing.late}
        self._late: dict[tuple[str, str, str], tuple[int, int]] = {}
        """Late time that is new of each dispatch: all of it, and what of it is billed."""
        self._heads: dict[str, Row] = {}
        self._balances: dict[tuple[str, str, str], int] = {}
        self._rows: dict[Table, list[Row]] = {readings: [], bookings: [], postings: []}
        self._conflicts: list[Row] = []
        self._last = connection.execute(select(func.coalesce(func.max(bookings.c.booking), 0))).scalar_one()

    def book(self, item: ReadingBooked) -> BookResult:
        """Decide on one reading and keep what it writes."""
        uid, reading = item.dispatch_uid, item.reading
        text = content(reading)
        digest = content_digest(text)
        key = (uid, reading.sequence)
        standing = self._standings.get(uid) or Standing(
            item.job.uid, item.account, item.node, item.attempt, item.tariff_digest
        )
        decision = decide(item, digest, standing=standing, known=self._known.get(key))
        if isinstance(decision, Replay):
            return BookResult(*key, Outcome.REPLAYED)
        if isinstance(decision, Conflict):
            self._refuse(item, text, digest, decision)
            return BookResult(*key, Outcome.CONFLICT, decision.reason, decision.message)
        self._known[key] = digest
        self._rows[readings].append(
            {
                "dispatch_uid": uid,
                "sequence": reading.sequence,
                "content": digest,
                "observed_at": decision.observed_at if isinstance(decision, Covered) else decision.end_at,
                "final": reading.final,
                "estimated": reading.estimated,
            }
        )
        if isinstance(decision, Covered):
            return BookResult(*key, Outcome.REPLAYED)
        self._advance(item, standing, decision)
        self._keep(item, decision, standing)
        if decision.posted:
            self._post(item, decision)
        return BookResult(*key, Outcome.BOOKED, lines=len(decision.posted))

    def write(self) -> None:
        """Write everything that was kept: the dispatches first, which the others refer to."""
        self._insert(dispatches, [row for uid, row in self._heads.items() if uid not in self._stored])
        heads = [
            {
                "of_dispatch": uid,
                "sequence": row["sequence"],
                "observed_at": row["observed_at"],
                "final": row["final"],
            }
            for uid, row in self._heads.items()
            if uid in self._stored
        ]
        if heads:
            self._connection.execute(
                update(dispatches).where(dispatches.c.dispatch_uid == bindparam("of_dispatch")), heads
            )
        for table, rows in self._rows.items():
            self._insert(table, rows)
        self._write_balances()
        self._write_late()
        self._write_conflicts()

    def _advance(self, item: ReadingBooked, standing: Standing, decision: Book) -> None:
        reading = item.reading
        final = standing.final or reading.final
        self._standings[item.dispatch_uid] = replace(
            standing,
            sequence=reading.sequence,
            observed_at=decision.end_at,
            final=final,
            quantities=decision.totals,
            late=decision.late,
        )
        identity = item.identity
        self._heads[item.dispatch_uid] = {
            "dispatch_uid": item.dispatch_uid,
            "job_uid": item.job.uid,
            "job_namespace": item.job.namespace,
            "job_name": item.job.name,
            "account": item.account,
            "node": item.node,
            "attempt": item.attempt,
            "tariff_digest": item.tariff_digest,
            "identity_code": identity.code if identity else "",
            "identity_issuer": identity.issuer if identity else "",
            "identity_scheme": identity.scheme if identity else "",
            "sequence": reading.sequence,
            "observed_at": decision.end_at,
            "final": final,
        }

    def _keep(self, item: ReadingBooked, decision: Book, standing: Standing) -> None:
        """What is booked of the dispatch now."""
        for (meter, model), quantity in decision.totals.items():
            if quantity != standing.quantities.get((meter, model)):
                self._balances[item.dispatch_uid, meter, model] = quantity
        for (meter, model), quantity in decision.late_differences.items():
            key = (item.dispatch_uid, meter, model)
            new, billed = self._late.get(key, (0, 0))
            self._late[key] = (new + quantity, billed + (quantity if item.late_billed else 0))

    def _post(self, item: ReadingBooked, decision: Book) -> None:
        self._last += 1
        self._rows[bookings].append(
            {
                "booking": self._last,
                "dispatch_uid": item.dispatch_uid,
                "sequence": item.reading.sequence,
                "start_at": decision.start_at,
                "end_at": decision.end_at,
                "estimated": item.reading.estimated,
            }
        )
        for (meter, model), quantity in decision.posted.items():
            for party, name, signed in (("Account", item.account, quantity), ("Node", item.node, -quantity)):
                self._rows[postings].append(
                    {
                        "booking": self._last,
                        "meter": meter,
                        "model": model,
                        "party": party,
                        "name": name,
                        "end_at": decision.end_at,
                        "quantity": signed,
                    }
                )

    def _refuse(self, item: ReadingBooked, text: str, digest: str, decision: Conflict) -> None:
        self._conflicts.append(
            {
                "dispatch_uid": item.dispatch_uid,
                "sequence": str(item.reading.sequence),
                "content": digest,
                "reason": decision.reason,
                "message": decision.message,
                "reading": text,
            }
        )

    def _write_balances(self) -> None:
        rows = [
            {"of_dispatch": uid, "of_meter": meter, "of_model": model, "quantity": quantity}
            for (uid, meter, model), quantity in self._balances.items()
            if (uid, meter, model) in self._stored_balances
        ]
        if rows:
            statement = update(balances).where(
                and_(
                    balances.c.dispatch_uid == bindparam("of_dispatch"),
                    balances.c.meter == bindparam("of_meter"),
                    balances.c.model == bindparam("of_model"),
                )
            )
            self._connection.execute(statement, rows)
        self._insert(
            balances,
            [
                {"dispatch_uid": uid, "meter": meter, "model": model, "quantity": quantity}
                for (uid, meter, model), quantity in self._balances.items()
                if (uid, meter, model) not in self._stored_balances
            ],
        )

    def _write_late(self) -> None:
        columns = ("dispatch_uid", "meter", "model")
        for key, (quantity, billed) in self._late.items():
            if key in self._stored_late:
                statement = (
                    update(late_time)
                    .where(*(late_time.c[name] == value for name, value in zip(columns, key, strict=True)))
                    .values(quantity=late_time.c.quantity + quantity, billed=late_time.c.billed + billed)
                )
                self._connection.execute(statement)
        self._insert(
            late_time,
            [
                {**dict(zip(columns, key, strict=True)), "quantity": quantity, "billed": billed}
                for key, (quantity, billed) in self._late.items()
                if key not in self._stored_late
            ],
        )

    def _write_conflicts(self) -> None:
        """Each conflict once, and of one dispatch only so many."""
        if not self._conflicts:
            return
        recorded: dict[str, set[tuple[str, str]]] = {}
        for uids in chunks(sorted({row["dispatch_uid"] for row in self._conflicts})):
            query = select(conflicts.c.dispatch_uid, conflicts.c.sequence, conflicts.c.content)
            for uid, sequence, digest in self._connection.execute(query.where(conflicts.c.dispatch_uid.in_(uids))):
                recorded.setdefault(uid, set()).add((sequence, digest))
        new = []
        for row in self._conflicts:
            of_dispatch = recorded.setdefault(row["dispatch_uid"], set())
            key = (row["sequence"], row["content"])
            if key not in of_dispatch and len(of_dispatch) < CONFLICTS_KEPT:
                of_dispatch.add(key)
                new.append(row)
        self._insert(conflicts, new)

    def _insert(self, table: Table, rows: list[Row]) -> None:
        if rows:
            self._connection.execute(insert(table), rows)
