from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import text

from isthmus.api.computenode import Identity, Tariff
from isthmus.errors import LedgerError
from isthmus.ledger import JobCost, Ledger, ReadingBooked, Touched
from isthmus.settlement.lines import Line, Usage

Make = Callable[..., ReadingBooked]
START = datetime(2026, 11, 1, tzinfo=UTC)
END = datetime(2026, 12, 1, tzinfo=UTC)


def at(second: int) -> datetime:
    """So many seconds after 10:00."""
    return datetime(2026, 11, 22, 10, second // 60, second % 60, tzinfo=UTC)


def test_lines(ledger: Ledger, item: Make, tariff: Tariff, identity: Identity) -> None:
    """Each difference is a line: the first from the start, the next from the reading before, all with their price."""
    digest = ledger.record_tariff(tariff, "core-1", identity)
    ledger.book([item(sequence=1, core=1000, second=5, digest=digest)])
    ledger.book([item(sequence=4, core=1500, gpu={"A100": 7001}, second=65, digest=digest, estimated=True)])
    first, second, third = ledger.lines(account="acme", start=START, end=END, currency="CNY")
    assert (first.usage.start, first.usage.end, first.usage.quantity) == (at(0), at(5), 1000)
    assert (first.amount, first.usage.estimated) == (Decimal("0.0001"), False)
    assert (second.usage.meter, second.amount) == ("MilliGPUSeconds", Decimal("0.021003"))
    assert third == Line(
        usage=Usage(
            account="acme",
            node="core-1",
            identity=identity,
            job=item().job,
            dispatch_uid="d1",
            attempt=1,
            sequence=4,
            start=at(5),
            end=at(65),
            estimated=True,
            meter="MillicoreSeconds",
            model="",
            quantity=500,
        ),
        pricing_quantity=Decimal("0.5"),
        unit="core-second",
        unit_price=Decimal("0.0001"),
        currency="CNY",
        amount=Decimal("0.00005"),
        unpriced_reason=None,
        tariff_version="7",
        tariff_digest=digest,
    )


@pytest.mark.parametrize(
    ("account", "node", "dispatches"),
    [
        ("acme", None, ["d1", "d2"]),
        (None, "core-1", ["d1", "d3"]),
        ("acme", "core-1", ["d1"]),
        ("beta", "edge-1", []),
        (None, None, ["d1", "d2", "d3"]),
        ("nobody", None, []),
    ],
)
def test_parties(ledger: Ledger, item: Make, account: str | None, node: str | None, dispatches: list[str]) -> None:
    """A line is an account's and a node's at once; a statement of either, or of all, has it once."""
    ledger.book(
        [
            item("d1", core=1, account="acme", node="core-1"),
            item("d2", core=1, account="acme", node="edge-1"),
            item("d3", core=1, account="beta", node="core-1"),
        ]
    )
    made = ledger.statement(account=account, node=node, start=START, end=END, currency="CNY")
    assert [line.usage.dispatch_uid for line in made.lines] == dispatches
    assert [line.usage.quantity for line in made.lines] == [1] * len(dispatches)
    assert (made.account, made.node) == (account, node)


def test_period_is_half_open(ledger: Ledger, item: Make) -> None:
    """A line belongs to the period that its end lies in, so that periods that follow each other count it once."""
    ledger.book([item(sequence=n, core=n, second=n) for n in (1, 2, 3)])
    sequences = [
        [line.usage.sequence for line in ledger.lines(start=at(start), end=at(end), currency="CNY")]
        for start, end in ((0, 1), (1, 3), (3, 4), (4, 9))
    ]
    assert sequences == [[], [1, 2], [3], []]


@pytest.mark.parametrize("started_at", [None, "no instant", "2026-11-22T11:00:00Z"], ids=["none", "wrong", "after"])
def test_unknown_start(ledger: Ledger, item: Make, started_at: str | None) -> None:
    """Where the start is not known, or can't be, the first interval is empty and its usage stands at its end."""
    ledger.book([item(core=1000, second=5, started_at=started_at)])
    (line,) = ledger.lines(start=START, end=END, currency="CNY")
    assert (line.usage.start, line.usage.end, line.usage.quantity) == (at(5), at(5), 1000)


def test_clock_that_steps_back(ledger: Ledger, item: Make) -> None:
    """A reading that is observed before the one it follows has an empty interval; none ever ends before it starts."""
    ledger.book([item(sequence=1, core=10, second=30), item(sequence=2, core=15, second=20)])
    intervals = [
        (line.usage.start, line.usage.end, line.usage.quantity)
        for line in ledger.lines(start=START, end=END, currency="CNY")
    ]
    assert intervals == [(at(0), at(30), 10), (at(20), at(20), 5)]


def test_job_cost(ledger: Ledger, item: Make, tariff: Tariff, identity: Identity) -> None:
    """A job costs what all its dispatches used, at the prices they were dispatched under; Unpriced use is counted."""
    digest = ledger.record_tariff(tariff, "core-1", identity)
    ledger.book([item("d1", 1, core=1000, digest=digest), item("d2", 1, core=500, attempt=2, digest=digest)])
    ledger.book([item("d1", 2, core=3000, memory=1024, gpu={"H800": 5}, digest=digest), item("d3", core=9, job="x")])
    assert ledger.job_cost("uid-train", "CNY") == JobCost(Decimal("0.00036"), "CNY", 1)
    assert ledger.job_cost("uid-train", "USD") == JobCost(Decimal(0), "USD", 4)
    assert ledger.job_costs(["uid-x", "uid-never"], "CNY") == {
        "uid-x": JobCost(Decimal(0), "CNY", 1),
        "uid-never": JobCost(Decimal(0), "CNY", 0),
    }


def test_a_tariff_that_comes_late(
    ledger: Ledger, item: Make, tariff: Tariff, identity: Identity, new_url: Callable[[], str]
) -> None:
    """Usage under a tariff that is not known is Unpriced, and priced once the tariff is recorded."""
    with Ledger.open(new_url()) as other:
        digest = other.record_tariff(tariff, "core-1", identity)
    ledger.book([item(core=1000, digest=digest)])
    (before,) = ledger.lines(start=START, end=END, currency="CNY")
    assert (before.amount, before.unpriced_reason, before.tariff_digest) == (None, "UnknownTariff", digest)
    assert [ledger.record_tariff(tariff, "core-1", identity) for _ in range(3)] == [digest] * 3
    assert ledger.job_cost("uid-train", "CNY") == JobCost(Decimal("0.0001"), "CNY", 0)
    (after,) = ledger.lines(start=START, end=END, currency="CNY")
    assert (after.amount, after.usage.identity) == (Decimal("0.0001"), identity)


def test_identity_without_a_tariff(ledger: Ledger, item: Make, identity: Identity) -> None:
    """A line without a tariff still says who the node is, where that came with the first reading."""
    ledger.book([item("d1", core=1, identity=identity), item("d2", core=1)])
    made = ledger.statement(start=START, end=END, currency="CNY")
    assert [(line.usage.identity, line.unpriced_reason) for line in made.lines] == [
        (identity, "NoTariff"),
        (None, "NoTariff"),
    ]


def test_statement_does_not_depend_on_booking_order(
    new_url: Callable[[], str], item: Make, tariff: Tariff, identity: Identity
) -> None:
    """Two ledgers that got the same readings of different dispatches in different orders give the same statement."""
    made = []
    for order in (1, -1):
        with Ledger.open(new_url()) as ledger:
            digest = ledger.record_tariff(tariff, "core-1", identity)
            for dispatch in ["d1", "d2", "d3"][::order]:
                ledger.book([item(dispatch, n, core=n * 7, digest=digest) for n in (1, 2)])
            made.append(ledger.statement(account="acme", start=START, end=END, currency="CNY"))
    assert made[0] == made[1]
    assert len(made[0].lines) == 6


def test_totals_beyond_64_bits(ledger: Ledger, item: Make) -> None:
    """Sums over the whole ledger are exact where they no longer fit 64 bits."""
    largest = 2**63 - 1
    ledger.book([item(f"d{n}", core=largest, gpu={"A100": n, "H800": largest}) for n in range(3)])
    assert ledger.totals_by_model() == {
        ("MillicoreSeconds", ""): 3 * largest,
        ("MilliGPUSeconds", "A100"): 3,
        ("MilliGPUSeconds", "H800"): 3 * largest,
    }
    assert ledger.totals() == {"MillicoreSeconds": 3 * largest, "MilliGPUSeconds": 3 * largest + 3}


def test_accounts_touched_since(ledger: Ledger, item: Make) -> None:
    """Who has new bookings is told by a cursor; replays touch nobody."""
    assert ledger.accounts_touched_since(0) == Touched(0, frozenset(), frozenset())
    ledger.book([item("d1", core=1), item("d2", core=1, account="beta", node="edge-1")])
    first = ledger.accounts_touched_since(0)
    assert first == Touched(2, frozenset({"acme", "beta"}), frozenset({"core-1", "edge-1"}))
    ledger.book([item("d1", core=1)])
    assert ledger.accounts_touched_since(first.cursor) == Touched(2, frozenset(), frozenset())
    ledger.book([item("d1", 2, core=2)])
    assert ledger.accounts_touched_since(first.cursor) == Touched(3, frozenset({"acme"}), frozenset({"core-1"}))


def test_last_booked_jobs(ledger: Ledger, item: Make) -> None:
    """The jobs of the last bookings are found, each once, and none where nothing is booked."""
    assert ledger.last_booked_jobs(5) == frozenset()
    ledger.book([item("d1", core=1, job="first"), item("d2", core=1, job="second"), item("d3", core=1, job="third")])
    ledger.book([item("d2", 2, core=2, job="second")])
    assert ledger.last_booked_jobs(2) == {"uid-second", "uid-third"}
    assert ledger.last_booked_jobs(99) == {"uid-first", "uid-second", "uid-third"}


def test_an_altered_tariff_is_refused(
    ledger: Ledger, ledger_url: str, item: Make, tariff: Tariff, identity: Identity
) -> None:
    """A price that was changed behind the ledger's back prices nothing: its digest no longer fits."""
    digest = ledger.record_tariff(tariff, "core-1", identity)
    ledger.book([item(core=1000, digest=digest)])
    with ledger._engine.begin() as connection:
        connection.execute(text("UPDATE tariffs SET canonical = replace(canonical, '0.0001', '0.0009')"))
    with Ledger.open(ledger_url) as fresh, pytest.raises(LedgerError, match=f"tariff {digest} of core-1 was altered"):
        fresh.job_cost("uid-train", "CNY")


def test_a_line_iterator_may_be_left(ledger: Ledger, item: Make) -> None:
    """Lines that are not read to their end keep no writer out."""
    ledger.book([item(f"d{n}", core=1) for n in range(5)])
    lines = ledger.lines(start=START, end=END, currency="CNY")
    next(lines)
    assert ledger.book([item("d9", core=1)])[0].outcome == "Booked"
    lines.close()  # type: ignore[attr-defined]
    assert len(list(ledger.lines(start=START, end=END, currency="CNY"))) == 6


def test_how_far_dispatches_are_booked(ledger: Ledger, item: Make) -> None:
    """Of each dispatch the sequence of its last booked reading is told; refused and unknown ones have none."""
    ledger.book([item("d1", 1, core=10), item("d1", 3, core=30), item("d2", 7, core=5)])
    ledger.book([item("d2", 8, core=1)])  # it falls
    many = [f"x{number}" for number in range(2_000)]
    assert ledger.sequences(["d1", "d2", "d3", *many]) == {"d1": 3, "d2": 7}
