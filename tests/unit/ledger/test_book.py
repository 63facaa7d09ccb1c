from collections.abc import Callable, Sequence
from typing import Any

import pytest

from isthmus.ledger import BookResult, Ledger, Outcome, ReadingBooked

Make = Callable[..., ReadingBooked]
BIG = 2**63 - 1

BOOKED, REPLAYED, CONFLICT = Outcome.BOOKED, Outcome.REPLAYED, Outcome.CONFLICT

ROWS: list[tuple[str, Sequence[dict[str, Any]], dict[str, Any], Outcome, str, int]] = [
    # id, what is booked before, the reading, what becomes of it, why, core time that stands then
    ("first", [], {"core": 10}, BOOKED, "", 10),
    ("nothing-used", [], {}, BOOKED, "", 0),
    ("largest", [], {"sequence": BIG, "second": 1, "core": BIG}, BOOKED, "", BIG),
    ("next", [{"core": 10}], {"sequence": 2, "core": 15}, BOOKED, "", 15),
    ("unchanged", [{"core": 10}], {"sequence": 2, "core": 10}, BOOKED, "", 10),
    ("gap", [{"core": 10}], {"sequence": 9, "core": 15}, BOOKED, "", 15),
    ("clock-back", [{"second": 50, "core": 10}], {"sequence": 2, "second": 1, "core": 15}, BOOKED, "", 15),
    ("replay", [{"core": 10}], {"core": 10}, REPLAYED, "", 10),
    ("agent-memory", [{"core": 10}], {"core": 10, "settling": ["p1"]}, REPLAYED, "", 10),
    (
        "other-spelling",
        [{"core": 10}],
        {"core": 10, "observed_at": "2026-11-22T18:00:01.0+08:00"},
        REPLAYED,
        "",
        10,
    ),
    ("late", [{"sequence": 5, "core": 10}], {"sequence": 3, "core": 7}, REPLAYED, "", 10),
    ("other-total", [{"core": 10}], {"core": 11}, CONFLICT, "OtherContent", 10),
    ("other-instant", [{"core": 10}], {"core": 10, "second": 2}, CONFLICT, "OtherContent", 10),
    ("other-final", [{"core": 10}], {"core": 10, "final": True}, CONFLICT, "OtherContent", 10),
    ("other-estimate", [{"core": 10}], {"core": 10, "estimated": True}, CONFLICT, "OtherContent", 10),
    ("fell", [{"core": 10}], {"sequence": 2, "core": 9}, CONFLICT, "Fell", 10),
    ("fell-one", [{"core": 10, "memory": 5}], {"sequence": 2, "core": 99, "memory": 4}, CONFLICT, "Fell", 10),
    ("left-out", [{"core": 10, "gpu": {"A100": 1}}], {"sequence": 2, "core": 10}, CONFLICT, "Fell", 10),
    ("late-and-more", [{"sequence": 5, "core": 10}], {"sequence": 3, "core": 11}, CONFLICT, "Contradicts", 10),
    ("after-final", [{"core": 10, "final": True}], {"sequence": 2, "core": 11}, CONFLICT, "AfterFinal", 10),
    ("same-after-final", [{"core": 10, "final": True}], {"sequence": 2, "core": 10}, BOOKED, "", 10),
    ("other-account", [{"core": 10}], {"sequence": 2, "core": 11, "account": "x"}, CONFLICT, "OtherDispatch", 10),
    ("other-node", [{"core": 10}], {"sequence": 2, "core": 11, "node": "x"}, CONFLICT, "OtherDispatch", 10),
    ("other-job", [{"core": 10}], {"sequence": 2, "core": 11, "job": "x"}, CONFLICT, "OtherDispatch", 10),
    ("other-tariff", [{"core": 10}], {"sequence": 2, "core": 11, "digest": "x"}, CONFLICT, "OtherDispatch", 10),
    ("no-instant", [], {"core": 1, "observed_at": "yesterday"}, CONFLICT, "Malformed", 0),
    ("no-zone", [], {"core": 1, "observed_at": "2026-11-22T10:00:00"}, CONFLICT, "Malformed", 0),
    ("unprintable", [], {"core": 1, "gpu": {"A\x00": 1}}, CONFLICT, "Malformed", 0),
    ("too-much", [], {"core": BIG + 1}, CONFLICT, "TooLarge", 0),
    ("far-too-much", [{"core": 10}], {"sequence": 2, "core": 10**1000}, CONFLICT, "TooLarge", 10),
    ("sequence-too-high", [], {"sequence": BIG + 1, "second": 1, "core": 1}, CONFLICT, "TooLarge", 0),
]


@pytest.mark.parametrize("together", [True, False], ids=["one-batch", "batch-each"])
@pytest.mark.parametrize(
    ("before", "new", "outcome", "reason", "stands"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_book(
    ledger: Ledger,
    item: Make,
    before: Sequence[dict[str, Any]],
    new: dict[str, Any],
    outcome: Outcome,
    reason: str,
    stands: int,
    *,
    together: bool,
) -> None:
    """A reading changes only what it may, in the batch of those before it or alone, and coming again nothing."""
    items = [item(**fields) for fields in [*before, new]]
    results = ledger.book(items) if together else [ledger.book([each])[0] for each in items]
    assert [each.outcome for each in results[:-1]] == [Outcome.BOOKED] * len(before)
    last = results[-1]
    assert (last.dispatch_uid, last.sequence) == ("d1", items[-1].reading.sequence)
    assert (last.outcome, last.reason) == (outcome, reason)
    assert bool(last.message) == (outcome is Outcome.CONFLICT)
    assert ledger.totals().get("MillicoreSeconds", 0) == stands

    again = ledger.book(items)
    expected = Outcome.CONFLICT if outcome is Outcome.CONFLICT else Outcome.REPLAYED
    assert [each.outcome for each in again] == [*[Outcome.REPLAYED] * len(before), expected]
    assert ledger.totals().get("MillicoreSeconds", 0) == stands
    assert len(ledger.conflicts()) == (outcome is Outcome.CONFLICT)


def test_one_meter_twice(ledger: Ledger, item: Make) -> None:
    """A reading that states one meter twice is refused: it can't be known which is meant."""
    good = item(core=5)
    doubled = good.reading.model_copy(update={"total": [*good.reading.total, good.reading.total[0]]})
    result = ledger.book([ReadingBooked(**{**{f: getattr(good, f) for f in good.__slots__}, "reading": doubled})])
    assert result == [BookResult("d1", 1, Outcome.CONFLICT, "Malformed", "MillicoreSeconds stands twice in reading 1")]


def test_a_conflict_keeps_no_other_back(ledger: Ledger, item: Make) -> None:
    """What one member reports wrongly does not delay the readings of others, nor its own later ones."""
    ledger.book([item("d1", 1, core=10), item("d2", 1, core=10)])
    results = ledger.book([item("d1", 2, core=9), item("d2", 2, core=30), item("d1", 3, core=20), item("d3", core=1)])
    assert [each.outcome for each in results] == ["Conflict", "Booked", "Booked", "Booked"]
    assert ledger.totals() == {"MillicoreSeconds": 51}


def test_conflicts_are_told(ledger: Ledger, item: Make) -> None:
    """A conflict is kept with what was said, why it was refused and by which dispatch."""
    ledger.book([item("d1", 1, core=10, gpu={"A100": 4}), item("d2")])
    ledger.book([item("d1", 2, core=10, gpu={"A100": 3}), item("d2", 2, observed_at="never")])
    fell, malformed = ledger.conflicts()
    assert (fell.dispatch_uid, fell.sequence, fell.reason) == ("d1", 2, "Fell")
    assert fell.message == "reading 2 has less MilliGPUSeconds of A100 than reading 1"
    assert '"total":[["MilliGPUSeconds","A100",3],["MillicoreSeconds","",10]]' in fell.reading
    assert ledger.conflicts("d2") == (malformed,)
    assert malformed.message == "observedAt: Invalid isoformat string: 'never'"


def test_conflicts_are_bounded(ledger: Ledger, item: Make) -> None:
    """A member that contradicts itself without end can't fill the ledger."""
    ledger.book([item(core=1000)])
    for first in (2, 12):
        results = ledger.book([item(sequence=n, core=n) for n in range(first, first + 10)])
        assert {each.outcome for each in results} == {Outcome.CONFLICT}
    assert len(ledger.conflicts()) == 16


def test_a_large_batch(ledger: Ledger, item: Make) -> None:
    """A batch may be larger than any database's IN list; it is one transaction all the same."""
    items = [item(f"d{n}", 1, core=n, job=f"j{n}") for n in range(1, 1201)]
    assert {each.outcome for each in ledger.book(items)} == {Outcome.BOOKED}
    assert {each.outcome for each in ledger.book(items)} == {Outcome.REPLAYED}
    assert ledger.totals() == {"MillicoreSeconds": sum(range(1, 1201))}
    costs = ledger.job_costs([f"uid-j{n}" for n in range(1, 1300)], "CNY")
    assert [costs[f"uid-j{n}"].unpriced for n in (1, 1200, 1250)] == [1, 1, 0]


def test_nothing(ledger: Ledger) -> None:
    """No readings change nothing, and an empty ledger has no totals."""
    assert ledger.book([]) == []
    assert ledger.totals() == {}
    assert ledger.conflicts() == ()
