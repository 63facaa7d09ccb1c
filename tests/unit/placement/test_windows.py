from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.api.offer import DAYS, Window
from isthmus.placement.windows import ALWAYS, Hours, hours_of, zone_of


def window(begin: str, end: str, zone: str = "UTC", *days: str) -> Window:
    """A window as a user writes it."""
    return Window.model_validate({"from": begin, "to": end, "timeZone": zone, "days": list(days)})


def at(text: str) -> datetime:
    """An instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def until(text: str) -> Hours:
    """Open until then."""
    return Hours(open=True, since=None, until=at(text))


NIGHT = window("22:00", "06:00", "Europe/Berlin")
WEEKEND = (window("00:00", "00:00", "Asia/Shanghai", "Sat", "Sun"),)

# Berlin is UTC+1 in winter and UTC+2 in summer; it changes on 2026-03-29 and 2026-10-25 at 01:00 UTC.
CASES: dict[str, tuple[tuple[Window, ...], str, Hours]] = {
    "by day": (
        (window("09:00", "17:00"),),
        "2026-03-04T12:00",
        until("2026-03-04T17:00"),
    ),
    "its end is not in it": (
        (window("09:00", "17:00"),),
        "2026-03-04T17:00",
        Hours(open=False, since=at("2026-03-04T17:00"), until=at("2026-03-05T09:00")),
    ),
    "its beginning is": (
        (window("09:00", "17:00"),),
        "2026-03-04T09:00",
        until("2026-03-04T17:00"),
    ),
    "before midnight": ((NIGHT,), "2026-03-04T22:30", until("2026-03-05T05:00")),
    "past midnight": ((NIGHT,), "2026-03-05T01:00", until("2026-03-05T05:00")),
    "on the day it begins only": (
        (window("22:00", "06:00", "UTC", "Fri"),),  # 2026-03-06 is a Friday
        "2026-03-07T05:00",
        until("2026-03-07T06:00"),
    ),
    "not on the day before": (
        (window("22:00", "06:00", "UTC", "Fri"),),
        "2026-03-06T05:00",
        Hours(open=False, since=at("2026-02-28T06:00"), until=at("2026-03-06T22:00")),
    ),
    "two days as one": (
        WEEKEND,
        "2026-03-06T20:00",  # Saturday, 04:00 in Shanghai
        until("2026-03-08T16:00"),
    ),
    "in the week": (
        WEEKEND,
        "2026-03-04T00:00",
        Hours(open=False, since=at("2026-03-01T16:00"), until=at("2026-03-06T16:00")),
    ),
    "a night of seven hours": (
        (NIGHT,),
        "2026-03-28T21:00",
        until("2026-03-29T04:00"),
    ),
    "a night of nine hours": ((NIGHT,), "2026-10-24T20:00", until("2026-10-25T05:00")),
    "an hour that there is not": (
        (window("02:15", "02:45", "Europe/Berlin"),),
        "2026-03-29T01:20",
        until("2026-03-29T01:45"),
    ),
    "an hour that there is twice": (
        (window("02:15", "02:45", "Europe/Berlin"),),
        "2026-10-25T01:20",  # the second 02:20
        Hours(open=False, since=at("2026-10-25T00:45"), until=at("2026-10-26T01:15")),
    ),
    "every hour of all days": ((window("00:00", "00:00"),), "2026-03-04T12:00", ALWAYS),
    "none": ((), "2026-03-04T12:00", ALWAYS),
}


@pytest.mark.parametrize(("windows", "now", "expected"), CASES.values(), ids=CASES)
def test_hours(windows: tuple[Window, ...], now: str, expected: Hours) -> None:
    """A window is open between its ends in its own place's time, over midnight and through changes of the clock."""
    assert hours_of(windows, at(now)) == expected


def test_an_unknown_zone_is_told() -> None:
    """A time zone that nobody knows is no hour at all; nor is one that is no name."""
    for name in ("Mars/Olympus", "../../etc/passwd", "Europe"):
        with pytest.raises(ValueError, match="there is no time zone"):
            hours_of([window("00:00", "00:00", name)], at("2026-03-04T12:00"))


_times = st.tuples(st.integers(0, 23), st.sampled_from((0, 15, 30, 45))).map(lambda t: f"{t[0]:02}:{t[1]:02}")
_windows = st.builds(
    lambda begin, end, zone, days: window(begin, end, zone, *days),
    _times,
    _times,
    st.sampled_from(("UTC", "Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe")),
    st.lists(st.sampled_from(DAYS), max_size=7, unique=True),
)
_instants = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(lambda d: d.replace(tzinfo=UTC))  # noqa: DTZ001


@given(windows=st.lists(_windows, min_size=1, max_size=3), now=_instants, later=st.floats(0, 1))
def test_the_answer_holds_until_it_says(windows: list[Window], now: datetime, later: float) -> None:
    """Whether a node is open changes at the instant told and not before it."""
    found = hours_of(windows, now)
    until = found.until or now + timedelta(days=5)
    between = now + (until - now) * min(later, 0.999)
    assert hours_of(windows, between).open == found.open
    if found.until is not None:
        assert hours_of(windows, found.until).open != found.open
    if found.since is not None:
        assert found.since <= now
        assert hours_of(windows, found.since - timedelta(seconds=1)).open


@given(now=_instants, begin=_times, end=_times, day=st.sampled_from(DAYS))
def test_as_the_wall_clock_says(now: datetime, begin: str, end: str, day: Any) -> None:
    """Away from changes of the clock, a window is open when the wall clock stands between its ends."""
    local = now.astimezone(zone_of("Asia/Shanghai"))
    clock, today = f"{local:%H:%M}", DAYS[local.weekday()]
    yesterday = DAYS[(local.weekday() - 1) % 7]
    if begin < end:
        expected = today == day and begin <= clock < end
    else:
        expected = (today == day and clock >= begin) or (yesterday == day and clock < end)
    assert hours_of([window(begin, end, "Asia/Shanghai", day)], now).open == expected
