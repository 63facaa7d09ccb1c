"""Durations as kubectl reads and writes them."""

import math
import re
from datetime import UTC, datetime

_UNITS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|)")
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_YEAR = 365 * _DAY


def seconds_of(text: str) -> float | None:
    """The seconds of 30, 30s, 5m or 1h30m; None for what is no duration."""
    text = text.strip()
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    if len(parts) > 1 and any(not unit for _, unit in parts):
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def whole_seconds_of(text: str) -> int | None:
    """The same in whole seconds, begun ones counted: 500ms is 1, for 0 often means something else."""
    seconds = seconds_of(text)
    return None if seconds is None else math.ceil(round(seconds, 6)) or int(seconds > 0)


def human(seconds: float) -> str:
    """A span as kubectl writes an age: 45s, 3m20s, 15m, 5h30m, 12h, 2d3h, 9d, 2y10d, 9y."""
    whole = int(seconds)
    if whole < 0:
        return "0s"
    steps = (
        (2 * _MINUTE, 1, "s", 0, ""),
        (10 * _MINUTE, _MINUTE, "m", 1, "s"),
        (3 * _HOUR, _MINUTE, "m", 0, ""),
        (8 * _HOUR, _HOUR, "h", _MINUTE, "m"),
        (2 * _DAY, _HOUR, "h", 0, ""),
        (8 * _DAY, _DAY, "d", _HOUR, "h"),
        (2 * _YEAR, _DAY, "d", 0, ""),
        (8 * _YEAR, _YEAR, "y", _DAY, "d"),
    )
    for below, unit, name, rest, other in steps:
        if whole < below:
            more = whole % unit // rest if rest else 0
            return f"{whole // unit}{name}" + (f"{more}{other}" if more else "")
    return f"{whole // _YEAR}y"


def age(timestamp: str | None, now: datetime) -> str:
    """How long ago an RFC 3339 instant was; <unknown> where it is none."""
    try:
        then = datetime.fromisoformat(timestamp or "")
    except ValueError:
        return "<unknown>"
    return human((now - (then if then.tzinfo else then.replace(tzinfo=UTC))).total_seconds())
