"""The ledger: what was used is booked here once, and every bill is read from here."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from types import TracebackType
from typing import Self

from sqlalchemy import Engine

from isthmus.api.computenode import Identity, Tariff
from isthmus.settlement.lines import Line
from isthmus.settlement.statement import Statement, make_statement
from isthmus.settlement.tariff import Meter, tariff_digest

from . import queries
from .batch import Batch
from .booking import BookResult, ReadingBooked
from .connection import engine_of, parsed_url, transaction
from .migration import prepare, touch
from .price_lists import PriceLists
from .queries import JobCost, RecordedConflict, Touched


class Ledger:
    """A ledger in SQLite or PostgreSQL. Synchronous; one writer, any number of readers.

    Every method raises LedgerError for the database's own errors; what it was to write is then not written at all and
    may be written again.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._price_lists = PriceLists()

    @classmethod
    def open(cls, url: str, *, read_only: bool = False) -> Self:
        """Open the ledger, making or migrating it first; read-only it must be there, in the schema of this version.

        `url` is `sqlite:////absolute/path` or `postgresql+psycopg://…`. Raises LedgerError.
        """
        engine = engine_of(parsed_url(url), read_only=read_only)
        try:
            prepare(engine, read_only=read_only)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def record_tariff(self, tariff: Tariff, node: str, identity: Identity) -> str:
        """Keep the tariff under its digest, which is returned; one that is there already is left alone.

        A tariff prices what was booked under its digest before, too. Raises ValueError where its validity is no
        instant.
        """
        digest = tariff_digest(tariff, node, identity.code)
        if digest not in self._price_lists:
            with transaction(self._engine, write=True) as connection:
                self._price_lists.record(connection, tariff, node, identity)
        return digest

    def book(self, items: Sequence[ReadingBooked]) -> list[BookResult]:
        """Book readings, all in one transaction, and say of each, in their order, what became of it.

        A reading is cumulative: what is posted is its difference to what is booked of its dispatch, under its
        dispatch's UID and its sequence. So replays and late arrivals change nothing. A reading that contradicts what
        stands, or that no ledger could hold, is recorded as a conflict and keeps none of the others back.
        """
        if not items:
            return []
        with transaction(self._engine, write=True) as connection:
            batch = Batch(connection, items)
            results = [batch.book(item) for item in items]
            batch.write()
        return results

    def check(self) -> None:
        """Write what stands there already, and have it on disk: refused where the ledger can't be written."""
        with transaction(self._engine, write=True) as connection:
            touch(connection)

    def sequences(self, dispatch_uids: Iterable[str]) -> dict[str, int]:
        """The sequence of the last reading that is booked of each of the dispatches; of some there is none."""
        with transaction(self._engine) as connection:
            return queries.sequences(connection, dispatch_uids)

    def job_cost(self, job_uid: str, currency: str) -> JobCost:
        """What the ComputeJob has cost so far, over all its dispatches; 0 where nothing is booked of it."""
        return self.job_costs([job_uid], currency)[job_uid]

    def job_costs(self, job_uids: Iterable[str], currency: str) -> dict[str, JobCost]:
        """`job_cost` of many at once."""
        with transaction(self._engine) as connection:
            return queries.job_costs(connection, self._price_lists, job_uids, currency)

    def lines(
        self, *, account: str | None = None, node: str | None = None, start: datetime, end: datetime, currency: str
    ) -> Iterator[Line]:
        """The lines of an account, of a node, of both or (neither given) of all, in the order of booking.

        A line belongs to the period that its interval's end lies in: `start` ≤ end < `end` (aware instants). An
        interval that spans a period's end is not cut there; its usage stands whole in the later period. Read them to
        the end, or close the iterator: the ledger's snapshot is held until then.
        """
        with transaction(self._engine) as connection:
            yield from queries.lines(
                connection, self._price_lists, account=account, node=node, start=start, end=end, currency=currency
            )

    def statement(
        self, *, account: str | None = None, node: str | None = None, start: datetime, end: datetime, currency: str
    ) -> Statement:
        """The statement over `lines` of the same arguments."""
        found = self.lines(account=account, node=node, start=start, end=end, currency=currency)
        return make_statement(found, account=account, node=node, start=start, end=end, currency=currency)

    def totals(self) -> dict[Meter, int]:
        """All resource-time that is booked, by meter."""
        sums: dict[Meter, int] = {}
        for (meter, _), quantity in self.totals_by_model().items():
            sums[meter] = sums.get(meter, 0) + quantity
        return sums

    def totals_by_model(self) -> dict[tuple[Meter, str], int]:
        """All resource-time that is booked, by meter and model (empty where a meter has none)."""
        with transaction(self._engine) as connection:
            return queries.totals_by_model(connection)

    def unbilled_late_time(
        self, *, account: str | None = None, node: str | None = None, start: datetime, end: datetime
    ) -> dict[tuple[Meter, str], int]:
        """Late time recorded and not billed, by meter and model: of work that another shard did again.

        It belongs to the period in which its shard's last reading lies; arguments as in `lines`.
        """
        with transaction(self._engine) as connection:
            return queries.unbilled_late_time(connection, account=account, node=node, start=start, end=end)

    def accounts_touched_since(self, cursor: int) -> Touched:
        """The accounts and nodes with bookings after the cursor (0: with any), and the cursor for the next call."""
        with transaction(self._engine) as connection:
            return queries.touched_since(connection, cursor)

    def last_booked_jobs(self, count: int) -> frozenset[str]:
        """UIDs of the jobs that the last so many bookings are of."""
        with transaction(self._engine) as connection:
            return queries.last_booked_jobs(connection, count)

    def conflicts(self, dispatch_uid: str | None = None) -> tuple[RecordedConflict, ...]:
        """The readings that were refused, of one dispatch or of all."""
        with transaction(self._engine) as connection:
            return queries.recorded_conflicts(connection, dispatch_uid)
