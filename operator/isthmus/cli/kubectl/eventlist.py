"""Events and conditions as tables. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from isthmus.cli.table import Table

from .duration import age
from .sheet import Part

_LATEST = 10
Object = Mapping[str, Any]


def events_part(events: Sequence[Object], now: datetime) -> Part:
    """The latest events, the newest last."""
    ordered = sorted(events, key=_seen)[-_LATEST:]
    rows = [
        (str(e.get("type", "")), str(e.get("reason", "")), age(_seen(e), now), str(e.get("message", "")))
        for e in ordered
    ]
    return Part("Events", Table(("TYPE", "REASON", "AGE", "MESSAGE"), rows), none="<none>")


def _seen(event: Object) -> str:
    series = (event.get("series") or {}).get("lastObservedTime")
    found = series or event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp")
    return str(found or "")


def conditions_part(obj: Object, now: datetime) -> Part:
    """What is observed of the object."""
    conditions: Sequence[Object] = (obj.get("status") or {}).get("conditions") or ()
    rows = [
        (
            str(c.get("type", "")),
            str(c.get("status", "")),
            age(c.get("lastTransitionTime"), now),
            str(c.get("reason", "")),
            str(c.get("message", "")),
        )
        for c in conditions
    ]
    return Part("Conditions", Table(("TYPE", "STATUS", "SINCE", "REASON", "MESSAGE"), rows), none="<none>")


def joined(values: Mapping[str, Any] | None) -> str:
    """A map on a line."""
    return ", ".join(f"{key}={value}" for key, value in (values or {}).items())


def when(timestamp: str | None, now: datetime) -> str:
    """An instant and how long ago it was; empty where it is none."""
    return f"{timestamp} ({age(timestamp, now)} ago)" if timestamp else ""
