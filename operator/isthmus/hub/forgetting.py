"""The operator's word that what was sent to a node before some instant has stopped: an annotation. Pure."""

from datetime import datetime

from isthmus.agent import timestamp
from isthmus.api.computenode import ComputeNode
from isthmus.api.names import ANNOTATION_FORGET


def forget_before(node: ComputeNode, now: datetime) -> tuple[datetime | None, str]:
    """The instant of the node's `forget-before` annotation if it holds now, or what is wrong with it."""
    text = (node.metadata.get("annotations") or {}).get(ANNOTATION_FORGET)
    if text is None:
        return None, ""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        return None, f"annotation {ANNOTATION_FORGET}: {text[:64]!r} is no instant such as {timestamp(now)}"
    if instant > now:
        return None, f"annotation {ANNOTATION_FORGET}: {text[:64]} is still to come; it holds from then on"
    return instant, ""
