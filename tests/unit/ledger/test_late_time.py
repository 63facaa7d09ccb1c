"""Time that came to light after its shard was given up: recorded, and billed at most once."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

import pytest
from alembic import command
from alembic.config import Config
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, inspect, select

from isthmus.api.computenode import Identity, Tariff
from isthmus.ledger import Ledger, Outcome, ReadingBooked
from isthmus.ledger import migrations as place
from isthmus.ledger.connection import engine_of, parsed_url, transaction
from isthmus.ledger.schema import dispatches, late_time
from isthmus.settlement.tariff import Meter

Make = Callable[..., ReadingBooked]
START, END = datetime(2026, 11, 22, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)
CORES: tuple[Meter, str] = ("MillicoreSeconds", "")


def _unbilled(ledger: Ledger, account: str | None = None, node: str | None = None) -> int:
    return ledger.unbilled_late_time(account=account, node=node, start=START, end=END).get(CORES, 0)


def _billed(ledger: Ledger, account: str = "acme") -> int:
    lines = ledger.lines(account=account, start=START, end=END, currency="CNY")
    return sum(line.usage.quantity for line in lines if line.usage.meter == CORES[0])


@pytest.mark.parametrize(("billed", "stands", "left"), [(True, 15, 0), (False, 10, 5)], ids=["billed", "recorded"])
def test_late_time(ledger: Ledger, item: Make, billed: bool, stands: int, left: int) -> None:
    """It is billed where nobody did the work again, else only recorded; booked again, nothing changes."""
    last = item(sequence=2, core=10, late=5, final=True, late_billed=billed)
    assert ledger.book([item(core=7)])[0].outcome is Outcome.BOOKED
    assert ledger.book([last])[0].outcome is Outcome.BOOKED
    for again in (last, item(sequence=2, core=10, late=5, final=True, late_billed=not billed)):
        assert ledger.book([again])[0].outcome is Outcome.REPLAYED
    assert ledger.totals() == {"MillicoreSeconds": stands}
    assert _billed(ledger) == stands
    assert _unbilled(ledger) == _unbilled(ledger, account="acme") == _unbilled(ledger, node="core-1") == left
    assert _unbilled(ledger, account="other") == 0
    assert ledger.unbilled_late_time(start=END, end=datetime(2027, 1, 1, tzinfo=UTC)) == {}


def test_cost(ledger: Ledger, item: Make, tariff: Tariff, identity: Identity) -> None:
    """A job's cost has the late time that is billed, and none of the rest."""
    digest = ledger.record_tariff(tariff, "core-1", identity)
    ledger.book([item("d1", core=1000, late=500, late_billed=True, digest=digest)])
    ledger.book([item("d2", core=1000, late=500, digest=digest, attempt=2)])
    assert ledger.job_cost("uid-train", "CNY").amount == Decimal("0.00025")


@pytest.mark.parametrize(
    ("before", "new", "reason"),
    [
        pytest.param({"late": 5}, {"late": 4}, "Fell", id="fell"),
        pytest.param({"late": 5, "final": True}, {"late": 6}, "AfterFinal", id="after the last"),
        pytest.param({"core": 1}, {"core": 2**63 - 1, "late": 1}, "TooLarge", id="too much together"),
        pytest.param({"core": 1}, {"core": 2, "late": 2**63}, "TooLarge", id="too much"),
    ],
)
def test_conflict(ledger: Ledger, item: Make, before: dict[str, int], new: dict[str, int], reason: str) -> None:
    """What contradicts what is recorded is a conflict."""
    ledger.book([item(**before)])
    [result] = ledger.book([item(sequence=2, **new)])
    assert (result.outcome, result.reason) == (Outcome.CONFLICT, reason)


@given(
    steps=st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50), st.booleans()), min_size=1, max_size=6),
)
def test_never_twice(shared_ledger: Ledger, item: Make, steps: list[tuple[int, int, bool]]) -> None:
    """However readings are repeated, billed and unbilled time together are the last reading's, never more."""
    uid, core, late, items = uuid4().hex, 0, 0, []
    for number, (more, more_late, billed) in enumerate(steps, 1):
        core, late = core + more, late + more_late
        items.append(item(uid, number, core=core, late=late, late_billed=billed, account=uid))
    for each in [*items, *items]:
        shared_ledger.book([each])
    stands = _billed(shared_ledger, uid)
    assert stands + _unbilled(shared_ledger, uid) == core + late
    assert core <= stands


def test_migrated(ledger_url: str, item: Make) -> None:
    """A ledger of the first schema is taken over with all that it holds, and records late time from then on."""
    engine = engine_of(parsed_url(ledger_url), read_only=False)
    config = Config()
    config.set_main_option("script_location", place.__path__[0])
    with transaction(engine, write=True) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        assert late_time.name not in inspect(connection).get_table_names()
        row = dict.fromkeys((column.name for column in dispatches.columns), "")
        numbers: dict[str, object] = {
            "attempt": 1,
            "sequence": 1,
            "observed_at": 1,
            "final": False,
            "tariff_digest": None,
        }
        names = {"dispatch_uid": "d1", "job_uid": "uid-train", "account": "acme", "node": "core-1"}
        connection.execute(insert(dispatches).values(**{**row, **numbers, **names}))
    engine.dispose()
    with Ledger.open(ledger_url) as ledger:
        [result] = ledger.book([item(sequence=2, core=10, late=5)])
        assert result.outcome is Outcome.BOOKED
        with transaction(ledger._engine) as connection:
            assert connection.execute(select(late_time.c.quantity, late_time.c.billed)).all() == [(5, 0)]
