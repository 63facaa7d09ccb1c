"""When a node takes new work: windows that recur by the week, in the time of a place."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from isthmus.api.offer import DAYS, Window

# A window recurs within a week, and reaches into the next day; time zones lie within a day of UTC.
_REACH_DAYS = 9


@dataclass(frozen=True, slots=True)
class Hours:
    """What the windows say of an instant: whether one is open; if not, since when; and how long that stays so.

    `since` is None while one is open, and `until` where nothing ever changes.
    """

    open: bool
    since: datetime | None
    until: datetime | None


ALWAYS = Hours(open=True, since=None, until=None)


def hours_of(windows: Sequence[Window], now: datetime) -> Hours:
    """What holds at `now`, which is in UTC; without windows it is always open. Raises ValueError for an unknown zone.

    A window's ends are instants: where a clock is put forward over one it is that instant, and where a clock is put
    back the first of the two. So a window from 22:00 to 06:00 is an hour shorter or longer in those nights.
    """
    if not windows:
        return ALWAYS
    spans = [span for window in windows for span in _spans(window, now)]
    open_ = any(start <= now < end for start, end in spans)
    since = None if open_ else max((end for _, end in spans if end <= now), default=None)
    if not open_:
        return Hours(open_, since, min((start for start, _ in spans if start > now), default=None))
    until = now
    while True:  # windows that follow each other without a gap are one
        further = max((end for start, end in spans if start <= until), default=until)
        if further <= until:
            break
        until = further
    return Hours(open_, None, until if until < now + timedelta(days=_REACH_DAYS - 2) else None)


def _spans(window: Window, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The window's beginnings and ends around `now`, in UTC."""
    zone = zone_of(window.time_zone)
    begin, end = time.fromisoformat(window.from_), time.fromisoformat(window.to)
    days = {DAYS.index(day) for day in window.days} or set(range(7))
    today = now.astimezone(zone).date()
    for offset in range(-_REACH_DAYS, _REACH_DAYS + 1):
        day = today + timedelta(days=offset)
        if day.weekday() in days:
            last = day if end > begin else day + timedelta(days=1)
            yield _instant(day, begin, zone), _instant(last, end, zone)


def _instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)


@lru_cache(maxsize=256)
def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name. Raises ValueError where there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:  # it is looked for as a file
        raise ValueError(f"there is no time zone {name!r}; write an IANA name such as Asia/Shanghai") from error
