"""Carries meter readings into the ledger, many in one transaction, from one thread of its own."""

import asyncio
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import TypeVar

import structlog

from isthmus.api.computejob import Money
from isthmus.api.computenode import Identity, Tariff
from isthmus.api.dispatch import Dispatch
from isthmus.errors import LedgerError
from isthmus.ledger import Ledger, ReadingBooked
from isthmus.settlement.money import ROUNDING
from isthmus.settlement.statement import Statement

from .instruments import Instruments

logger = structlog.get_logger(__name__)

BATCH = 500
RETRY_SECONDS = 2.0
# Readings come in bursts; a transaction, and the flush of its log, waits this long for the rest of one.
GATHER_SECONDS = 0.02
_SHOWN = Decimal("0.000001")
T = TypeVar("T")


class Booking:
    """The hub's only way to the ledger. `on_booked(job uid, account)` follows each reading that is in.

    `repeated(dispatch)` says whether another shard did the work again that the reading's late time is of; `monotonic`
    never jumps, in seconds.
    """

    def __init__(
        self,
        ledger: Ledger,
        currency: str,
        on_booked: Callable[[str, str], None],
        repeated: Callable[[Dispatch], bool],
        *,
        monotonic: Callable[[], float],
        instruments: Instruments | None = None,
    ) -> None:
        self._monotonic = monotonic
        self._instruments = instruments or Instruments()
        self._repeated = repeated
        self._ledger = ledger
        self._currency = currency
        self._on_booked = on_booked
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self._waiting: dict[str, tuple[str, Dispatch]] = {}
        self._since: dict[str, float] = {}
        """Since when a Dispatch has had a reading that is not booked."""
        self._booked: dict[str, int] = {}
        self._costs: dict[str, Money] = {}
        self._tariffs: dict[str, tuple[Tariff, Identity, str]] = {}
        self._wake = asyncio.Event()
        self.trouble = ""
        """Why the last booking failed; empty where it did not."""

    def offer(self, node: str, dispatch: Dispatch) -> None:
        """Have the Dispatch's reading booked, where it has one that is not."""
        if not self.is_booked(dispatch):
            uid = dispatch.metadata["uid"]
            self._waiting[uid] = (node, dispatch)
            self._since.setdefault(uid, self._monotonic())
            self._wake.set()

    async def recall(self, dispatch_uids: Iterable[str]) -> None:
        """Read how far these are booked, once for all; what they cost stands in their jobs' status."""
        uids = list(dispatch_uids)
        self._booked.update(await self._in_thread(lambda: self._ledger.sequences(uids)))

    async def recall_costs(self, job_uids: Iterable[str]) -> frozenset[str]:
        """Those of the jobs that were booked last, whose costs are known from then on.

        A former process that was killed may not have told of these.
        """
        uids = (await self._in_thread(lambda: self._ledger.last_booked_jobs(BATCH))).intersection(job_uids)
        await self._in_thread(lambda: self._read_costs(uids))
        return uids

    def settle(self, job_uid: str, shown: Money | None) -> None:
        """The job has ended, and its status shows that cost: it is kept no longer, unless it is another by now."""
        if self._costs.get(job_uid) == shown:
            self._costs.pop(job_uid, None)

    def forget(self, dispatch: Dispatch, *, job_gone: bool) -> None:
        """The Dispatch is gone."""
        self._booked.pop(dispatch.metadata["uid"], None)
        if job_gone:
            self._costs.pop(dispatch.spec.job.uid, None)

    def lag_seconds(self) -> float:
        """Age of the oldest reading that is not booked; 0 where all are."""
        return self._monotonic() - min(self._since.values()) if self._since else 0.0

    def is_booked(self, dispatch: Dispatch) -> bool:
        """Whether the ledger has all that the Dispatch reports."""
        reading = dispatch.status.reading
        return reading is None or self.has_booked(dispatch.metadata["uid"], reading.sequence)

    def has_booked(self, dispatch_uid: str, sequence: int) -> bool:
        """Whether the ledger has the reading of that sequence."""
        return self._booked.get(dispatch_uid, 0) >= sequence

    def cost(self, job_uid: str) -> Money | None:
        """What the job has cost so far, as of the last booking."""
        return self._costs.get(job_uid)

    async def record_tariff(self, tariff: Tariff, node: str, identity: Identity) -> str:
        """Keep a tariff in the ledger; its digest."""
        known = self._tariffs.get(node)
        if known is not None and known[:2] == (tariff, identity):
            return known[2]
        digest = await self._in_thread(lambda: self._ledger.record_tariff(tariff, node, identity))
        self._tariffs[node] = (tariff, identity, digest)
        return digest

    async def check(self) -> None:
        """Return once the ledger could be written just now. Raises LedgerError."""
        await self._in_thread(self._ledger.check)

    async def statement(self, read: Callable[[Ledger], Statement]) -> Statement:
        """Read a statement."""
        return await self._in_thread(lambda: read(self._ledger))

    async def run(self) -> None:
        """Book until cancelled."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._wake.clear()
            while self._waiting:
                batch = [self._waiting.pop(uid) for uid in list(self._waiting)[:BATCH]]
                began = self._monotonic()
                items = [self._item(node, dispatch) for node, dispatch in batch]
                try:
                    await self._in_thread(lambda items=items: self._book(items))  # type: ignore[misc]
                except LedgerError as error:
                    logger.warning("the ledger can't be written; booking is repeated", error=str(error))
                    self.trouble = str(error)
                    self._instruments.ledger_failures.inc()
                    for node, dispatch in batch:
                        self._waiting.setdefault(dispatch.metadata["uid"], (node, dispatch))
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                self.trouble = ""
                for _, dispatch in batch:
                    reading = dispatch.status.reading
                    if reading is not None:
                        uid = dispatch.metadata["uid"]
                        self._booked[uid] = max(self._booked.get(uid, 0), reading.sequence)
                        if uid not in self._waiting:
                            self._since.pop(uid, None)
                        elif uid in self._since:  # of a reading that came since then
                            self._since[uid] = began
                        self._on_booked(dispatch.spec.job.uid, dispatch.spec.account)

    def _book(self, items: list[ReadingBooked]) -> None:
        """In the ledger's thread: book, then read the costs that changed."""
        for result in self._ledger.book(items):
            self._instruments.readings[result.outcome].inc()
            self._instruments.ledger_lines.inc(result.lines)
            if result.outcome == "Conflict":
                logger.warning(
                    "reading refused",
                    kind="Dispatch",
                    uid=result.dispatch_uid,
                    reason=result.reason,
                    why=result.message,
                )
        self._read_costs({item.job.uid for item in items})

    def _read_costs(self, uids: Collection[str]) -> None:
        """In the ledger's thread."""
        for uid, cost in self._ledger.job_costs(uids, self._currency).items():
            amount = cost.amount.quantize(_SHOWN, context=ROUNDING)
            self._costs[uid] = Money(amount=f"{amount:f}", currency=self._currency)

    def _item(self, node: str, dispatch: Dispatch) -> ReadingBooked:
        tariff, reading = dispatch.spec.tariff, dispatch.status.reading
        if reading is None:
            raise ValueError("only readings are offered")
        return ReadingBooked(
            dispatch_uid=dispatch.metadata["uid"],
            job=dispatch.spec.job,
            account=dispatch.spec.account,
            node=node,
            attempt=dispatch.spec.attempt,
            tariff_digest=tariff.digest if tariff else None,
            reading=reading,
            started_at=dispatch.status.start_time,
            late_billed=bool(reading.late) and not self._repeated(dispatch),
        )

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def close(self) -> None:
        """Finish what is under way and close the ledger."""
        self._thread.shutdown(wait=True)
        self._ledger.close()
