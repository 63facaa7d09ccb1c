from datetime import UTC, datetime, timedelta, timezone

from isthmus.api.dispatch import Reading
from isthmus.metering import (
    METER_LIMIT,
    MILLI_GPU_SECONDS,
    MILLICORE_SECONDS,
    SETTLING_LIMIT,
    Advance,
    Meters,
    PodUse,
    advance,
)

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def cores(amount: int) -> Meters:
    """So many millicore-seconds."""
    return Meters({(MILLICORE_SECONDS, ""): amount})


def runs(uid: str, amount: int) -> PodUse:
    """A pod that runs and is held."""
    return PodUse(uid, cores(amount), ended=False, held=True)


def ended(uid: str, amount: int, *, held: bool = True, estimated: bool = False) -> PodUse:
    """A pod that has ended."""
    return PodUse(uid, cores(amount), ended=True, held=held, estimated=estimated)


def figures(reading: Reading) -> tuple[int, int, list[str]]:
    """Total, settled, settling."""
    total, settled = (Meters.from_quantities(q)[MILLICORE_SECONDS, ""] for q in (reading.total, reading.settled))
    return total, settled, reading.settling


def test_one_pod() -> None:
    """A pod is live while it runs, settled when it has ended, then let go, then forgotten but for its time."""
    first = advance(None, [runs("p", 5)], now=NOW)
    assert figures(first.reading) == (5, 0, [])
    assert first.changed
    assert first.release == ()
    second = advance(first.reading, [ended("p", 9)], now=NOW, last_known=first.live)
    assert figures(second.reading) == (9, 9, ["p"])
    assert second.release == ("p",)
    assert second.live == {}
    again = advance(second.reading, [ended("p", 9)], now=NOW, last_known=second.live)
    assert not again.changed
    assert again.reading is second.reading
    assert again.release == ("p",)
    gone = advance(second.reading, [ended("p", 9, held=False)], now=NOW, last_known=second.live)
    assert figures(gone.reading) == (9, 9, [])
    assert gone.release == ()
    assert [r.sequence for r in (first.reading, second.reading, gone.reading)] == [1, 2, 3]


def test_nothing() -> None:
    """Where nothing ever ran there is nothing to write, until the end, which has a reading of its own."""
    assert not advance(None, [], now=NOW).changed
    last = advance(None, [], now=NOW, final=True)
    assert last.changed
    assert last.reading == Reading(sequence=1, observed_at="2026-11-22T00:00:00Z", final=True)
    assert not advance(last.reading, [], now=NOW + timedelta(hours=1), final=True).changed


def test_time() -> None:
    """A reading tells its moment in UTC, to the second."""
    moment = NOW.astimezone(timezone(timedelta(hours=8))) + timedelta(milliseconds=700)
    assert advance(None, [runs("p", 1)], now=moment).reading.observed_at == "2026-11-22T00:00:00Z"


def test_never_falls() -> None:
    """A total once told stands, though a pod was counted too far; what comes later is counted against it."""
    first = advance(None, [runs("p", 12), runs("q", 1)], now=NOW)
    second = advance(first.reading, [ended("p", 10), runs("q", 1)], now=NOW, last_known=first.live)
    assert figures(second.reading) == (13, 10, ["p"])
    third = advance(second.reading, [ended("p", 10), ended("q", 8)], now=NOW, last_known=second.live)
    assert figures(third.reading) == (18, 18, ["p", "q"])


def test_final_stays() -> None:
    """After the last reading pods are still let go; it stays the last."""
    last = advance(None, [ended("p", 4)], now=NOW, final=True)
    assert last.reading.final
    after = advance(last.reading, [], now=NOW)
    assert after.changed
    assert after.reading.final
    assert figures(after.reading) == (4, 4, [])


def test_batches() -> None:
    """So many pods that one reading can't name them are settled in turns, and are all in the total from the first."""
    pods = {f"p{i:04}": ended(f"p{i:04}", 1) for i in range(2500)}
    reading: Reading | None = None
    released: list[int] = []
    while True:
        step = advance(reading, pods.values(), now=NOW)
        if not step.changed:
            break
        reading = step.reading
        assert figures(reading)[0] == 2500
        released.append(len(step.release))
        for uid in step.release:
            pods[uid] = ended(uid, 1, held=False)
    assert released == [SETTLING_LIMIT, SETTLING_LIMIT, 2500 - 2 * SETTLING_LIMIT, 0]
    assert reading is not None
    assert figures(reading) == (2500, 2500, [])


def test_slow_release() -> None:
    """Pods whose finalizer could not be removed yet take the place of others that wait to be settled."""
    pods = [ended(f"p{i:04}", 1) for i in range(SETTLING_LIMIT + 1)]
    first = advance(None, pods, now=NOW)
    second = advance(first.reading, pods, now=NOW, last_known=first.live)
    assert not second.changed
    third = advance(first.reading, [ended("p0000", 1, held=False), *pods[1:]], now=NOW, last_known=first.live)
    assert figures(third.reading)[1] == SETTLING_LIMIT + 1
    assert "p1024" in third.release


def test_vanished() -> None:
    """A pod that was live here and is gone unsettled keeps the time last known, as an estimate that stays."""
    first = advance(None, [runs("p", 5), runs("q", 5)], now=NOW)
    second = advance(first.reading, [runs("q", 7)], now=NOW, last_known=first.live)
    assert figures(second.reading) == (12, 5, [])
    assert second.reading.estimated
    assert set(second.live) == {"q"}
    third = advance(second.reading, [ended("q", 8)], now=NOW, last_known=second.live)
    assert figures(third.reading) == (13, 13, ["q"])
    assert third.reading.estimated


def test_known_and_settled() -> None:
    """A pod that is being settled is not settled again, though the caller still remembers it as live."""
    first = advance(None, [runs("p", 5)], now=NOW)
    second = advance(first.reading, [ended("p", 6)], now=NOW, last_known=first.live)
    third = advance(second.reading, [], now=NOW, last_known=first.live)
    assert figures(third.reading) == (6, 6, [])


def test_let_go_by_others() -> None:
    """A pod that somebody else let go counts on while it runs, and with its true time when it has ended."""
    first = advance(None, [runs("p", 5)], now=NOW)
    loose = PodUse("p", cores(7), ended=False, held=False)
    second = advance(first.reading, [loose], now=NOW, last_known=first.live)
    assert figures(second.reading) == (7, 0, [])
    third = advance(second.reading, [ended("p", 9, held=False)], now=NOW, last_known=second.live)
    assert figures(third.reading) == (9, 9, [])
    assert not third.reading.estimated
    assert third.release == ()


def test_estimated() -> None:
    """A reading is an estimate from the moment on that a pod's estimated end is settled in it."""
    step = advance(None, [ended("p", 5, estimated=True)], now=NOW)
    assert step.reading.estimated
    assert advance(step.reading, [], now=NOW).reading.estimated


def test_many_models() -> None:
    """More models than a reading has room for are told together; nothing is lost and nothing raises."""
    pods = [
        PodUse(f"p{i}", Meters({(MILLI_GPU_SECONDS, f"M{i:02}"): i + 1}), ended=i % 2 == 0, held=True)
        for i in range(50)
    ]
    step: Advance = advance(None, pods[:20], now=NOW)
    step = advance(step.reading, pods, now=NOW, last_known=step.live)
    last = advance(step.reading, [PodUse(p.uid, p.meters, ended=True, held=True) for p in pods], now=NOW)
    for reading in (step.reading, last.reading):
        total = Meters.from_quantities(reading.total)
        assert len(total) <= METER_LIMIT
        assert sum(total.values()) == sum(range(1, 51))
    assert last.reading.settled == last.reading.total
