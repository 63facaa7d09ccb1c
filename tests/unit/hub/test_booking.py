import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine

from isthmus.api.computejob import Money
from isthmus.api.computenode import Identity, Prices, Tariff
from isthmus.api.dispatch import Dispatch
from isthmus.errors import LedgerError
from isthmus.hub import booking as module
from isthmus.hub.booking import BATCH, Booking
from isthmus.hub.instruments import Instruments
from isthmus.ledger import BookResult, Ledger, ReadingBooked

TARIFF = Tariff(version="1", currency="CNY", prices=Prices(core_second="0.001", gibibyte_second="0"))
IDENTITY = Identity(code="CN-1")


class WatchedLedger(Ledger):
    """A ledger that notes how many readings each transaction holds, and fails when told to."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.batches: list[int] = []
        self.fails = 0

    def book(self, items: Sequence[ReadingBooked]) -> list[BookResult]:
        """Note, then book or fail."""
        self.batches.append(len(items))
        if self.fails:
            self.fails -= 1
            raise LedgerError("the disk is full", "make room on it")
        return super().book(items)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedLedger]:
    """One ledger for the module; each test has jobs of its own."""
    path: Path = tmp_path_factory.mktemp("booking") / "ledger.db"
    with WatchedLedger.open(f"sqlite:///{path}") as made:
        yield made


@pytest.fixture
def ledger(opened: WatchedLedger) -> WatchedLedger:
    """The ledger with nothing noted."""
    opened.batches.clear()
    opened.fails = 0
    return opened


class Callbacks(list[tuple[str, str]]):
    """The bookings told, as (job UID, account)."""

    async def told(self, count: int) -> None:
        """Return once so many were told."""
        await until(lambda: len(self) >= count)


async def until(holds: Callable[[], object]) -> None:
    """Return when it holds; what it waits for happens in the ledger's thread."""
    end = asyncio.get_running_loop().time() + 20
    while not holds():
        assert asyncio.get_running_loop().time() < end, "not in time"
        await asyncio.sleep(0.005)


@asynccontextmanager
async def booking(ledger: Ledger) -> AsyncIterator[tuple[Booking, Callbacks]]:
    """A booking that runs, and what it told."""
    told = Callbacks()
    made = Booking(
        ledger, "CNY", lambda uid, account: told.append((uid, account)), lambda _: False, monotonic=monotonic
    )
    task = asyncio.create_task(made.run())
    try:
        yield made, told
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        made._thread.shutdown(wait=True)


def dispatch(job: str, *, sequence: int = 1, seconds: int = 60, digest: str = "", uid: str = "") -> Dispatch:
    """A Dispatch that reports so many core-seconds in its reading of that number; none where it is 0."""
    spec: dict[str, Any] = {
        "job": {"namespace": "team-a", "name": "train", "uid": job},
        "account": "acme",
        "shard": 0,
        "attempt": 1,
        "sequence": 1,
        "manifest": {},
    }
    if digest:
        spec["tariff"] = {"version": "1", "digest": digest}
    total = [{"meter": "MillicoreSeconds", "quantity": seconds * 1000}]
    reading = {"sequence": sequence, "observedAt": f"2026-11-22T12:00:{sequence:02}Z", "final": False, "total": total}
    status = {"startTime": "2026-11-22T11:00:00Z", **({"reading": reading} if sequence else {})}
    metadata = {"name": "train-1", "uid": uid or f"d-{job}", "resourceVersion": "1"}
    return Dispatch.model_validate({"metadata": metadata, "spec": spec, "status": status})


async def test_a_reading_is_booked_and_priced(ledger: WatchedLedger) -> None:
    """A reading counts as booked once the ledger has it, and then its job's cost is known and told of."""
    job = str(uuid4())
    async with booking(ledger) as (made, told):
        digest = await made.record_tariff(TARIFF, "n1", IDENTITY)
        first = dispatch(job, digest=digest)
        assert not made.is_booked(first)
        assert made.cost(job) is None
        made.offer("n1", first)
        await told.told(1)
        assert told == [(job, "acme")]
        assert made.is_booked(first)
        assert made.cost(job) == Money(amount="0.060000", currency="CNY")
        second = dispatch(job, sequence=2, seconds=90, digest=digest)
        assert not made.is_booked(second)
        made.offer("n1", second)
        await told.told(2)
        assert made.is_booked(first)
        assert made.is_booked(second)
        assert made.cost(job) == Money(amount="0.090000", currency="CNY")


async def test_without_a_reading_there_is_nothing_to_book(ledger: WatchedLedger) -> None:
    """A Dispatch without a reading is booked as it stands, and one that is booked is not booked again."""
    job = str(uuid4())
    async with booking(ledger) as (made, told):
        blank = dispatch(job, sequence=0)
        assert made.is_booked(blank)
        made.offer("n1", blank)
        made.offer("n1", dispatch(job))
        await told.told(1)
        made.offer("n1", dispatch(job))
        await asyncio.sleep(0.05)
        assert ledger.batches == [1]


async def test_many_readings_share_a_transaction(ledger: WatchedLedger) -> None:
    """Readings that wait together are booked together, at most BATCH at once, the newest of each Dispatch."""
    jobs = [str(uuid4()) for _ in range(BATCH + 20)]
    async with booking(ledger) as (made, told):
        for job in jobs:
            made.offer("n1", dispatch(job))
            made.offer("n1", dispatch(job, sequence=2, seconds=61))
        await told.told(len(jobs))
        assert ledger.batches == [BATCH, 20]
        assert [job for job, _ in told] == jobs
        assert all(made.is_booked(dispatch(job, sequence=2)) for job in jobs)


async def test_a_ledger_that_fails_is_tried_again(ledger: WatchedLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the ledger can't be written nothing counts as booked; then all is, the newest reading of each."""
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.05)
    job, other = str(uuid4()), str(uuid4())
    async with booking(ledger) as (made, told):
        ledger.fails = 3
        made.offer("n1", dispatch(job))
        made.offer("n1", dispatch(other))
        await until(lambda: ledger.batches)
        assert not made.is_booked(dispatch(job))
        made.offer("n1", dispatch(job, sequence=2, seconds=70))
        await told.told(2)
        assert len(ledger.batches) == 4
        assert sorted(told) == sorted([(job, "acme"), (other, "acme")])
        assert made.is_booked(dispatch(job, sequence=2))


async def test_a_tariff_is_recorded_once(ledger: WatchedLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal price lists of a node cost one write; a changed one has a digest of its own."""
    asked: list[str] = []
    record = ledger.record_tariff

    def noting(tariff: Tariff, node: str, identity: Identity) -> str:
        asked.append(tariff.version)
        return record(tariff, node, identity)

    monkeypatch.setattr(ledger, "record_tariff", noting)
    async with booking(ledger) as (made, _):
        first = {await made.record_tariff(TARIFF.model_copy(), "n9", IDENTITY) for _ in range(5)}
        second = await made.record_tariff(TARIFF.model_copy(update={"version": "2"}), "n9", IDENTITY)
        assert asked == ["1", "2"]
        assert len(first | {second}) == 2


async def test_what_is_gone_is_forgotten(ledger: WatchedLedger) -> None:
    """Of a Dispatch that is gone nothing is kept here, nor of its job's cost with the last of them."""
    job = str(uuid4())
    async with booking(ledger) as (made, told):
        made.offer("n1", dispatch(job))
        await told.told(1)
        made.forget(dispatch(job), job_gone=False)
        assert not made.is_booked(dispatch(job))
        assert made.cost(job) is not None
        made.forget(dispatch(job), job_gone=True)
        assert made.cost(job) is None


async def test_a_reading_that_contradicts_the_ledger_is_settled(ledger: WatchedLedger) -> None:
    """A reading that the ledger refuses for good is not offered to it for ever, and holds up no job."""
    job = str(uuid4())
    async with booking(ledger) as (made, told):
        made.offer("n1", dispatch(job, sequence=2, seconds=100))
        await told.told(1)
        fewer = dispatch(job, sequence=3, seconds=50)
        made.offer("n1", fewer)
        await told.told(2)
        assert made.is_booked(fewer)
        assert len(ledger.conflicts(f"d-{job}")) == 1


async def test_what_was_booked_before_is_recalled(ledger: WatchedLedger) -> None:
    """A later process books nothing anew of what it has recalled, but what came after; it knows no cost of it."""
    job, other = str(uuid4()), str(uuid4())
    async with booking(ledger) as (made, told):
        made.offer("n1", dispatch(job))
        await told.told(1)
    ledger.batches.clear()
    async with booking(ledger) as (made, told):
        await made.recall([f"d-{job}", f"d-{other}"])
        assert [made.has_booked(f"d-{job}", number) for number in (1, 2)] == [True, False]
        assert not made.has_booked(f"d-{other}", 1)
        assert made.cost(job) is None
        made.offer("n1", dispatch(job))
        made.offer("n1", dispatch(job, sequence=2, seconds=90))
        await told.told(1)
        assert ledger.batches == [1]
        assert made.cost(job) is not None
        made.settle(job, Money(amount="7", currency="CNY"))
        assert made.cost(job) is not None
        made.settle(job, made.cost(job))
        assert made.cost(job) is None


async def test_costs_that_may_not_have_been_told_are_recalled(ledger: WatchedLedger) -> None:
    """A later process knows the costs of the jobs that were booked last, as far as there still is something of them."""
    job, gone = str(uuid4()), str(uuid4())
    async with booking(ledger) as (made, told):
        digest = await made.record_tariff(TARIFF, "n1", IDENTITY)
        for each in (job, gone):
            made.offer("n1", dispatch(each, digest=digest))
        await told.told(2)
    async with booking(ledger) as (made, _):
        assert made.cost(job) is None
        assert await made.recall_costs([job, str(uuid4())]) == {job}
        assert made.cost(job) == Money(amount="0.060000", currency="CNY")
        assert made.cost(gone) is None


async def test_lag_is_the_age_of_the_oldest_reading_that_waits(
    ledger: WatchedLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What can't be booked grows older, newer readings of the same shard or not; once all is booked the lag is 0."""
    registry, at, job = CollectorRegistry(), [100.0], str(uuid4())

    def booked(_uid: str, _account: str) -> None:
        pass

    instruments = Instruments(registry)
    made = Booking(ledger, "CNY", booked, lambda _: False, monotonic=lambda: at[0], instruments=instruments)
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.05)
    assert (made.lag_seconds(), made.trouble) == (0.0, "")
    digest = await made.record_tariff(TARIFF, "n1", IDENTITY)
    ledger.fails = 1
    made.offer("n1", dispatch(job, digest=digest))
    at[0] += 30
    made.offer("n1", dispatch(job, digest=digest, sequence=2, seconds=90))
    made.offer("n1", dispatch(str(uuid4()), digest=digest))
    at[0] += 5
    assert made.lag_seconds() == 35
    task = asyncio.create_task(made.run())
    await until(lambda: bool(made.trouble))
    assert made.trouble == "the disk is full; make room on it"
    assert made.lag_seconds() == 35  # though it is under way
    assert registry.get_sample_value("isthmus_ledger_failures_total") == 1
    await until(lambda: not made.trouble)
    assert made.lag_seconds() == 0.0
    assert registry.get_sample_value("isthmus_ledger_readings_total", {"outcome": "Booked"}) == 2
    assert registry.get_sample_value("isthmus_ledger_lines_total") == 2
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    made._thread.shutdown(wait=True)


async def test_lag_of_a_reading_that_came_meanwhile(ledger: WatchedLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reading that comes while its Dispatch's last one is booked is no older than that transaction."""
    at, job, gate, entered = [100.0], str(uuid4()), threading.Semaphore(0), [0]
    book = ledger.book

    def slow(items: Sequence[ReadingBooked]) -> list[BookResult]:
        entered[0] += 1
        gate.acquire(timeout=20)
        return book(items)

    monkeypatch.setattr(ledger, "book", slow)
    made = Booking(ledger, "CNY", lambda _uid, _account: None, lambda _: False, monotonic=lambda: at[0])
    digest = await made.record_tariff(TARIFF, "n1", IDENTITY)
    made.offer("n1", dispatch(job, digest=digest))
    at[0] += 30
    task = asyncio.create_task(made.run())
    await until(lambda: entered[0] == 1)
    at[0] += 20
    made.offer("n1", dispatch(job, digest=digest, sequence=2, seconds=90))
    gate.release()
    await until(lambda: entered[0] == 2)
    at[0] += 1
    assert made.lag_seconds() == 21
    gate.release()
    await until(lambda: made.lag_seconds() == 0.0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    made._thread.shutdown(wait=True)
