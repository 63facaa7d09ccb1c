"""What one process remembers of a Dispatch it carries out; all of it may be lost without harm."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from isthmus.api.core import Job, Pod
from isthmus.api.dispatch import Dispatch
from isthmus.clusters import ApiError
from isthmus.metering import PodUse

from .due import READING_SECONDS, spread
from .fence import LANDING_SECONDS
from .observe import pod_ended
from .stoprate import Stop
from .tries import Tries

LONGEST_LIST_PAUSE_SECONDS = 60.0


@dataclass(slots=True)
class Execution:
    """Memory of one Dispatch."""

    uid: str
    """The Dispatch's."""
    accepted_here: bool = False
    job_uid: str = ""
    created_at: float | None = None
    seen: bool = False
    create_open: bool = False
    """A create had no answer, or none that settles whether it was or will be carried out."""
    refusal: ApiError | None = None
    """Why the member would not have the Job, while it is being made sure that none comes."""
    denied_at: float | None = None
    """When the member first said that we may not create the Job."""
    written_at: float = float("-inf")
    """When this process wrote its status last; of one that another began, an instant within the last minute."""
    noticed_at: float | None = None
    """When something was first seen that the status does not tell yet."""
    podless_since: float | None = None
    """Since when the Job is there and should have pods, and has none."""
    awaits: str = ""
    """What only the Job's controller can do next."""
    awaits_since: float = 0.0
    begun: tuple[str, datetime | None] | None = None
    """UID and start of the Job as first seen, from which its limit counts."""
    watched: bool = False
    """Whether what the shard shows of the member's controllers is watched."""
    arms_in: float | None = None
    """Seconds until its limit may be relied on, where nothing but a while of watching is missing for that."""
    unstarted_since: float | None = None
    """Since when the Job waits for its controller."""
    uncounted: dict[str, float] = field(default_factory=dict)
    """Pods that ended and that the Job's controller has not taken notice of, with when that was first seen."""
    resumable: tuple[str, float] | None = None
    """The version of the Job that a resumption whose outcome nobody here knows may name, and when that was sent at
    the latest: by this process, or by a former one, which ended before the Job was first seen."""
    resumes: Tries = field(default_factory=Tries)
    suspensions: Tries = field(default_factory=Tries)
    """The same of suspensions, which a queue of the member may not let through."""
    queued_since: float | None = None
    """Since when its member's queue keeps the Job from what is asked of it."""
    queue_asked_at: float = float("-inf")
    queue_said: str = ""
    """Why, as it was last asked."""
    overdue: bool = False
    """The Job was found running past its limit, by a consistent read."""
    stock_since: float | None = None
    """When stock began to be taken of a shard that the hub had given up."""
    list_at: float = float("-inf")
    """When pods that are being stopped are listed again, though the watch does not show that they have."""
    list_pause: float = 0.5
    settle_at: float = float("-inf")
    """When pods of a shard that has ended are listed again, to see whether any is to be read."""
    stops: dict[str, Stop] = field(default_factory=dict)
    """Pods that something stopped."""
    latest: Dispatch | None = None
    sequence: int = 0
    """Of the reading that this process wrote last, or began from."""
    pods_version: int = 0
    """Of the last list of pods that a reading rests on, 0 where the watch has shown as much: none that follows may rest
    on older ones."""
    starts: dict[str, datetime] = field(default_factory=dict)
    """Earliest container start ever seen, by pod UID: it is never moved."""

    live: dict[str, PodUse] = field(default_factory=dict)
    """Pods that were running when a reading of ours last counted them, so that one that vanishes is not forgotten."""
    measured: dict[str, PodUse] = field(default_factory=dict)
    """The same for the reading that was made last and may not be written yet."""
    opened: set[str] = field(default_factory=set)
    """Pods whose gate was opened, of which the watch may not have told yet."""
    released: set[str] = field(default_factory=set)
    """Pods that were let go, of which the watch may not have told yet."""

    @classmethod
    def of(cls, dispatch: Dispatch, now: float) -> Self:
        """Of a Dispatch that is taken up now, be it new or an earlier process': readings of those are spread out."""
        uid = dispatch.metadata["uid"]
        reading = dispatch.status.reading
        if reading is None:
            return cls(uid)
        return cls(uid, written_at=now - spread(uid, READING_SECONDS), sequence=reading.sequence)

    def denied_seconds(self, now: float) -> float:
        """For how long the member has denied us the create, which it does just now."""
        if self.denied_at is None:
            self.denied_at = now
        return now - self.denied_at

    def resumable_seconds(self, job: Job, now: float) -> float:
        """For how long a resumption of the Job as it stands may yet be carried out; zero or less where none can."""
        if self.resumable is None or self.resumable[0] != job.metadata.resource_version:
            return 0.0
        return self.resumable[1] + LANDING_SECONDS - now

    def may_list(self, now: float, pods: Iterable[Pod]) -> bool:
        """Whether a consistent list is worth it, where the watch shows these `pods`: not while all of them end.

        A pod's grace may be hours. As a watch may be behind, there is a list in between, more and more seldom.
        """
        live = [pod for pod in pods if not pod_ended(pod)]
        ending = bool(live) and all(pod.metadata.deletion_timestamp is not None for pod in live)
        if ending and now < self.list_at:
            return False
        if ending:
            self.list_pause = min(self.list_pause * 2, LONGEST_LIST_PAUSE_SECONDS)
            self.list_at = now + self.list_pause
        return True

    def awaiting_watch(self, now: float, lag_seconds: float) -> bool:
        """Whether the Job was created just now and the watch has yet to show it."""
        return not self.seen and self.created_at is not None and now - self.created_at < lag_seconds
