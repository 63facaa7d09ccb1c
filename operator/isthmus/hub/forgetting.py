"""The operator's word that what was sent to a node before some instant has stopped: an annotation. Pure."""

from datetime import datetime

from isthmus.api.computenode import ComputeNode
from isthmus.api.names import ANNOTATION_FORGET

_EXAMPLE = "2026-11-22T08:00:00Z"


def pending_seconds(node: ComputeNode, now: datetime) -> float | None:
    """Seconds until the annotation will hold, where it names an instant still to come."""
    instant = _instant(node)
    return (instant - now).total_seconds() if instant is not None and instant > now else None


def forget_before(node: ComputeNode, now: datetime) -> tuple[datetime | None, str]:
    """The instant of the node's `forget-before` annotation if it holds now, or what is wrong with it."""
    text = (node.metadata.get("annotations") or {}).get(ANNOTATION_FORGET)
    if text is None:
        return None, ""
    instant = _instant(node)
    if instant is None:
        return None, f"annotation {ANNOTATION_FORGET}: {text[:64]!r} is no instant such as {_EXAMPLE}"
    if instant > now:
        return None, f"annotation {ANNOTATION_FORGET}: {text[:64]} is still to come; it holds from then on"
    return instant, ""


def _instant(node: ComputeNode) -> datetime | None:
    text = (node.metadata.get("annotations") or {}).get(ANNOTATION_FORGET) or ""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant if instant.tzinfo is not None else None
