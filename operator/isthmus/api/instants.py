"""Instants between their RFC 3339 text and aware datetimes in UTC."""

from datetime import UTC, datetime


def instant(text: str) -> datetime:
    """The instant that an RFC 3339 text names, in UTC, to the microsecond. Raises ValueError for what is none."""
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        raise ValueError(f"{text!r} names no time zone; end it with Z for UTC")
    try:
        return parsed.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is out of range") from None


def instant_text(moment: datetime) -> str:
    """RFC 3339 in UTC with Z; a fraction only where there is one."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
