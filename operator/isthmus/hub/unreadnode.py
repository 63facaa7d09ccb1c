"""A ComputeNode that this hub can't read: what its status says of that. Pure."""

from datetime import datetime

from pydantic import ValidationError

from isthmus.api.conditions import Condition, truncated
from isthmus.api.core import Manifest

REASON = "SpecNotUnderstood"
_KINDS = ("Schedulable", "Ready")
# The first few say what is wrong; who mends these sees the next ones.
_TOLD = 3


def words_of(error: ValidationError) -> str:
    """What is wrong with the node, field by field."""
    wrong = error.errors(include_url=False, include_input=False, include_context=False)
    told = [f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in wrong[:_TOLD]]
    more = f"; and {len(wrong) - _TOLD} more" if len(wrong) > _TOLD else ""
    return truncated(f"this version of the hub can't read the ComputeNode: {'; '.join(told)}{more}")


def unread_status(body: Manifest, message: str, now: datetime) -> Manifest | None:
    """The patch of the node's status; None where it says so already."""
    metadata = body["metadata"]
    old = [each for each in (body.get("status") or {}).get("conditions") or () if isinstance(each, dict)]
    said = [each for each in old if each.get("type") in _KINDS]
    if len(said) == len(_KINDS) and all(
        (each.get("status"), each.get("reason"), each.get("message")) == ("False", REASON, message) for each in said
    ):
        return None
    new = [
        Condition(
            type=kind,
            status="False",
            observed_generation=metadata.get("generation", 0),
            last_transition_time=now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            reason=REASON,
            message=message,
        ).to_manifest()
        for kind in _KINDS
    ]
    return {"conditions": [each for each in old if each.get("type") not in _KINDS] + new}
