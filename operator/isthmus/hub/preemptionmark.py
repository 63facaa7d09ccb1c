"""The word on a Dispatch that it is to make room: for which job, and from when it is stopped. Pure.

It is written before anything else is done, so that a hub that is killed finds it again.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from isthmus.api.dispatch import TERMINAL, Dispatch, DispatchState
from isthmus.api.names import ANNOTATION_PREEMPTION


@dataclass(frozen=True, slots=True)
class Mark:
    """`job` is the UID of the job that gets the room, `priority` that job's, `due` when the shard is to be stopped."""

    job: str
    priority: int
    due: datetime

    def text(self) -> str:
        """It as the annotation says it."""
        return msgspec.json.encode({"job": self.job, "priority": self.priority, "due": self.due}).decode()

    def told(self) -> str:
        """From when it is stopped and why, in words; whose the job is, is nobody else's to know."""
        return f"from {self.due.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} for a job of priority {self.priority}"


def mark_of(dispatch: Dispatch) -> Mark | None:
    """The mark of a Dispatch; None where it has none, or one that somebody else wrote and that can't be read."""
    text = (dispatch.metadata.get("annotations") or {}).get(ANNOTATION_PREEMPTION)
    if not text:
        return None
    try:
        return msgspec.json.decode(text, type=Mark)
    except msgspec.MsgspecError:
        return None


def preempted(dispatch: Dispatch) -> bool:
    """Whether it was stopped to make room."""
    return dispatch.status.state is DispatchState.CANCELLED and mark_of(dispatch) is not None


def making_room(dispatch: Dispatch) -> Mark | None:
    """The mark of a shard that still holds the room that it is to make."""
    live = dispatch.status.state not in TERMINAL and not dispatch.status.stopped
    return mark_of(dispatch) if live else None
