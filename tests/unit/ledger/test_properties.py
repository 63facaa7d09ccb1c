from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from isthmus.api.computenode import Identity, Tariff
from isthmus.ledger import Ledger, Outcome, ReadingBooked
from isthmus.settlement.money import EXACT

Make = Callable[..., ReadingBooked]
Growth = tuple[int, int, int, int]
START = datetime(2026, 11, 1, tzinfo=UTC)
END = datetime(2026, 12, 1, tzinfo=UTC)
EXAMPLES = count()

STEPS = st.lists(st.tuples(*[st.sampled_from([0, 1, 999, 10**6, 2**50])] * 4), min_size=1, max_size=6)


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[Growth], list[list[int]]]:
    """How a dispatch's usage grows, and batches in which its readings arrive: any order, any of them any often, all."""
    steps = draw(STEPS)
    extra = draw(st.lists(st.integers(0, len(steps) - 1), max_size=8))
    order = draw(st.permutations([*range(len(steps)), *extra]))
    cuts = sorted(draw(st.lists(st.integers(0, len(order)), max_size=3)))
    bounds = [0, *cuts, len(order)]
    return steps, [order[a:b] for a, b in pairwise(bounds)]


@given(arrivals())
@settings(max_examples=80, deadline=None)
def test_any_order_and_any_number_of_times(
    shared_ledger: Ledger, item: Make, tariff: Tariff, identity: Identity, drawn: tuple[list[Growth], list[list[int]]]
) -> None:
    """However readings arrive, what stands is the highest of them: in quantities, in money, and for both parties."""
    steps, batches = drawn
    name = f"d{next(EXAMPLES)}"
    digest = shared_ledger.record_tariff(tariff, "core-1", identity)
    sums = [tuple(sum(step[m] for step in steps[: n + 1]) for m in range(4)) for n in range(len(steps))]
    readings = [
        item(
            name,
            n + 1,
            total[0],
            total[1],
            {"A100": total[2], "H800": total[3]},
            final=n + 1 == len(sums),
            digest=digest,
            job=name,
            account=name,
            node=name,
        )
        for n, total in enumerate(sums)
    ]
    results = [result for batch in batches for result in shared_ledger.book([readings[n] for n in batch])]
    assert {result.outcome for result in results} <= {Outcome.BOOKED, Outcome.REPLAYED}

    made = shared_ledger.statement(account=name, start=START, end=END, currency="CNY")
    core, memory, a100, h800 = sums[-1]
    stands = {(each.meter, each.model): each.quantity for each in made.meters}
    expected = {
        ("MillicoreSeconds", ""): core,
        ("MebibyteSeconds", ""): memory,
        ("MilliGPUSeconds", "A100"): a100,
        ("MilliGPUSeconds", "H800"): h800,
    }
    assert stands == {key: quantity for key, quantity in expected.items() if quantity}
    price = Decimal(core) / 1000 * Decimal("0.0001")
    for unit, quantity in (("0.00001", Decimal(memory) / 1024), ("0.003", Decimal(a100) / 1000)):
        price = EXACT.add(price, EXACT.multiply(Decimal(unit), quantity))
    assert made.exact_total == price == shared_ledger.job_cost(f"uid-{name}", "CNY").amount
    assert shared_ledger.statement(node=name, start=START, end=END, currency="CNY").lines == made.lines
    assert shared_ledger.conflicts(name) == ()


def test_the_books_balance(shared_ledger: Ledger) -> None:
    """After all of that, each booking's postings cancel out, and the balances are what was posted."""
    with shared_ledger._engine.connect() as connection:
        entries = "SELECT sum(quantity) FROM postings GROUP BY booking, meter, model"
        assert set(connection.execute(text(entries)).scalars()) == {0}
        posted = (
            "SELECT b.dispatch_uid, p.meter, p.model, sum(p.quantity) FROM postings p"
            " JOIN bookings b ON b.booking = p.booking WHERE p.party = 'Account' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        )
        balances = "SELECT dispatch_uid, meter, model, quantity FROM balances ORDER BY 1, 2, 3"
        assert connection.execute(text(posted)).all() == connection.execute(text(balances)).all()
        gaps = "SELECT count(*) - max(booking) FROM bookings"
        assert connection.execute(text(gaps)).scalar_one() == 0


@given(st.lists(st.integers(0, 10), min_size=1, max_size=8), st.data())
@settings(max_examples=40, deadline=None)
def test_contradictions_never_add_up(shared_ledger: Ledger, item: Make, totals: list[int], data: st.DataObject) -> None:
    """Whatever a member claims, in whatever order, what stands is one of its claims and never falls."""
    name = f"w{next(EXAMPLES)}"
    claims = [
        item(name, data.draw(st.integers(1, 4)), core=total, final=data.draw(st.booleans()), account=name)
        for total in totals
    ]
    stood = 0
    for claim in claims:
        shared_ledger.book([claim])
        made = shared_ledger.statement(account=name, start=START, end=END, currency="CNY")
        stands = sum(line.usage.quantity for line in made.lines)
        assert stood <= stands
        assert stands in {0, *totals}
        stood = stands
