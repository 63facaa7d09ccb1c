import random
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import text

from isthmus.ledger import Ledger, Outcome, ReadingBooked
from isthmus.ledger.connection import transaction

Make = Callable[..., ReadingBooked]

# Books readings round by round and says after each batch how many there were; it is killed somewhere on its way.
WRITER = """
from isthmus.api.dispatch import JobReference, MeterQuantity, Reading
from isthmus.ledger import Ledger, ReadingBooked

def reading(dispatch, sequence):
    meters = [
        MeterQuantity(meter="MillicoreSeconds", quantity=sequence * 1000),
        MeterQuantity(meter="MebibyteSeconds", quantity=sequence * 7),
        MeterQuantity(meter="MilliGPUSeconds", model="A100", quantity=sequence),
    ]
    job = JobReference(namespace="team", name=f"job-{dispatch}", uid=f"job-{dispatch}")
    cumulative = Reading(sequence=sequence, observed_at="2026-11-22T10:00:00Z", total=meters)
    return ReadingBooked(f"d{dispatch}", job, "acme", "core-1", 1, None, cumulative)

url, first, last = arguments
with Ledger.open(url) as ledger:
    for sequence in range(first, last + 1):
        for start in range(0, 40, 10):
            ledger.book([reading(dispatch, sequence) for dispatch in range(start, start + 10)])
            print(sequence, start)
"""

KILLS = 20
DISPATCHES = 40


def test_killed_while_booking(ledger_url: str, fork: Callable[..., Any]) -> None:
    """A process killed at any moment loses no batch it was told is booked, and replaying all gives exact totals."""
    chance = random.Random(20261122)  # noqa: S311 - moments to kill at need no secrecy
    sequence = 0
    for _ in range(KILLS):
        writer = fork(WRITER, ledger_url, sequence + 1, sequence + 10_000)
        told = [writer.printed.readline() for _ in range(chance.randint(1, 6))]
        time.sleep(chance.random() / 50)
        told += writer.kill()
        last_sequence, last_start = (int(number) for number in told[-1].split())
        with Ledger.open(ledger_url) as ledger, transaction(ledger._engine) as connection:
            query = "SELECT dispatch_uid, sequence FROM dispatches"
            stands = {row.dispatch_uid: row.sequence for row in connection.execute(text(query))}
        for dispatch in range(last_start + 10):
            assert stands[f"d{dispatch}"] >= last_sequence
        sequence = max(stands.values())

    assert len(fork(WRITER, ledger_url, 1, sequence).rest()) == sequence * 4
    with Ledger.open(ledger_url) as ledger:
        assert ledger.totals() == {
            "MillicoreSeconds": DISPATCHES * sequence * 1000,
            "MebibyteSeconds": DISPATCHES * sequence * 7,
            "MilliGPUSeconds": DISPATCHES * sequence,
        }
        assert ledger.conflicts() == ()
        with transaction(ledger._engine) as connection:
            posted = "SELECT meter, sum(quantity) AS total FROM postings WHERE party = 'Account' GROUP BY meter"
            assert {row.meter: row.total for row in connection.execute(text(posted))} == ledger.totals()
            sums = "SELECT sum(quantity) FROM postings GROUP BY booking, meter, model"
            assert set(connection.execute(text(sums)).scalars()) == {0}


def test_killed_while_opening(new_url: Callable[[], str], fork: Callable[..., Any]) -> None:
    """A process killed while it makes a ledger leaves none or a whole one, and the next one makes it."""
    chance = random.Random(7)  # noqa: S311 - as above
    for _ in range(20):
        url = new_url()
        maker = fork("from isthmus.ledger import Ledger; Ledger.open(arguments[0])", url)
        time.sleep(chance.random() * 0.06)
        assert maker.kill() == []
        with Ledger.open(url) as ledger:
            assert ledger.totals() == {}


def test_a_log_left_behind_is_read(ledger_url: str, item: Make, fork: Callable[..., Any]) -> None:
    """A reader that opens a ledger after its writer was killed sees all that was booked."""
    writer = fork(WRITER, ledger_url, 1, 10_000)
    for _ in range(4):
        writer.printed.readline()
    writer.kill()
    with Ledger.open(ledger_url, read_only=True) as ledger:
        assert ledger.totals()["MillicoreSeconds"] >= DISPATCHES * 1000
    with Ledger.open(ledger_url) as ledger:
        assert ledger.book([item("new", core=1)])[0].outcome is Outcome.BOOKED
