"""What one process remembers of a Dispatch it carries out; all of it may be lost without harm."""

from dataclasses import dataclass, field
from datetime import datetime

from isthmus.api.dispatch import Dispatch
from isthmus.metering import PodUse


@dataclass(slots=True)
class Execution:
    """Memory of one Dispatch."""

    accepted_here: bool = False
    job_uid: str = ""
    created_at: float | None = None
    seen: bool = False
    denied_at: float | None = None
    """When the member first said that we may not create the Job."""
    written_at: float = float("-inf")
    noticed_at: float | None = None
    """When something was first seen that the status does not tell yet."""
    latest: Dispatch | None = None
    starts: dict[str, datetime] = field(default_factory=dict)
    """Earliest container start ever seen, by pod UID: it is never moved."""

    live: dict[str, PodUse] = field(default_factory=dict)
    """Pods that were running when a reading of ours last counted them, so that one that vanishes is not forgotten."""
    measured: dict[str, PodUse] = field(default_factory=dict)
    """The same for the reading that was made last and may not be written yet."""
    released: set[str] = field(default_factory=set)
    """Pods that were let go, of which the watch may not have told yet."""

    def awaiting_watch(self, now: float, lag_seconds: float) -> bool:
        """Whether the Job was created just now and the watch has yet to show it."""
        return not self.seen and self.created_at is not None and now - self.created_at < lag_seconds
