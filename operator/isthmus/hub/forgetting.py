"""The operator's word that what was sent to a node before some instant has stopped: an annotation. Pure.

It is said of one outage. It holds only while the node has been silent since before that instant: what was sent to a
node that was heard after it may well run.
"""

from datetime import datetime

from isthmus.api import instants
from isthmus.api.computenode import ComputeNode
from isthmus.api.conditions import find
from isthmus.api.names import ANNOTATION_FORGET

_EXAMPLE = "2026-11-22T08:00:00Z"


def pending_seconds(node: ComputeNode, now: datetime) -> float | None:
    """Seconds until the annotation will hold, where it names an instant still to come."""
    instant = _instant(node)
    return (instant - now).total_seconds() if instant is not None and instant > now else None


def silent_since(node: ComputeNode, lost_at: datetime | None) -> datetime | None:
    """Since when, to the second, nothing was heard of the node's member, as far as that is known; None where it is not.

    The condition Reachable tells it across restarts of the hub: its time stays while it is False, whatever the reason,
    and begins anew once the member was reached in between, or nobody had looked (Unknown). What of that could not be
    written, `lost_at` tells: when this very process last lost a member that it had reached.
    """
    reachable = find(node.status.conditions, "Reachable")
    if reachable is None or reachable.status != "False":
        return None
    since = datetime.fromisoformat(reachable.last_transition_time)
    return since if lost_at is None else max(since, lost_at.replace(microsecond=0))


def forget_before(node: ComputeNode, now: datetime, since: datetime | None) -> tuple[datetime | None, str]:
    """The instant of the node's `forget-before` annotation if it holds now, or why not; `since` as `silent_since`."""
    text = (node.metadata.get("annotations") or {}).get(ANNOTATION_FORGET)
    if text is None:
        return None, ""
    instant = _instant(node)
    if instant is None:
        return None, f"annotation {ANNOTATION_FORGET}: {text[:64]!r} is no instant such as {_EXAMPLE}"
    if instant > now:
        return None, f"annotation {ANNOTATION_FORGET}: {text[:64]} is still to come; it holds from then on"
    if since is None:
        return None, ""
    if instant < since:
        only = f"{text[:64]} does not hold, as the node has been silent only since {since:%Y-%m-%dT%H:%M:%SZ}"
        return (
            None,
            f"annotation {ANNOTATION_FORGET}: {only}; if what runs there has stopped, name an instant after that",
        )
    return instant, ""


def _instant(node: ComputeNode) -> datetime | None:
    text = (node.metadata.get("annotations") or {}).get(ANNOTATION_FORGET) or ""
    try:
        return instants.instant(text)
    except ValueError:
        return None
