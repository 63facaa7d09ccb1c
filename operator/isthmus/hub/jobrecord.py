"""What the hub remembers of one ComputeJob; all of it can be made again from the API."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from isthmus.api.computejob import FINISHED, ComputeJob, Phase
from isthmus.api.core import Manifest
from isthmus.api.dispatch import Dispatch
from isthmus.api.names import ANNOTATION_ASSIGNED, FINALIZER_JOB
from isthmus.api.reference import reference
from isthmus.manifests import Refusal
from isthmus.placement import Unplaced

from .work import Work, work_of


@dataclass(slots=True)
class JobRecord:
    """One job as last seen, and what was found out about it since the hub started."""

    job: ComputeJob
    refusal: Refusal | None = None
    admitted: bool = False
    unplaced: Unplaced | None = None
    problem: tuple[str, str] | None = None
    """Reason and message of what kept the last try to dispatch it from working."""
    dispatching: bool = False
    lost: tuple[int, float] | None = None
    """The last attempt that was lost in vain, and when that was first seen, in seconds of the time of day."""
    noticed_at: float | None = None
    """Since when there has been something to tell of it, in seconds of the time of day; None where all is told."""
    uncleared: tuple[str, ...] = ()
    """Nodes that have not cleared away their part in time, once its deletion was asked for."""
    waits: dict[str, str] = field(default_factory=dict)
    """What is waited for, of shards whose node can't be reached, by the name of the Dispatch."""
    since: float | None = None
    """When it was created, by the event loop's clock; None where that is not known yet, or it began suspended."""
    _work: Work | None = field(default=None, repr=False)

    @property
    def work(self) -> Work:
        """What its template says of the run as a whole; templates are immutable, so it is read once."""
        if self._work is None:
            self._work = work_of(self.job.spec.template)
        return self._work

    @property
    def uid(self) -> str:
        """The job's UID."""
        return str(self.job.metadata["uid"])

    @property
    def key(self) -> tuple[str, str]:
        """Namespace and name."""
        return self.job.metadata["namespace"], self.job.metadata["name"]

    @property
    def reference(self) -> dict[str, str]:
        """How a log line names it."""
        return reference("ComputeJob", self.job.metadata)

    @property
    def deleting(self) -> bool:
        """Whether its deletion was asked for."""
        return "deletionTimestamp" in self.job.metadata

    @property
    def finished(self) -> bool:
        """Whether its status says that it ended."""
        return self.job.status.phase in FINISHED

    @property
    def held(self) -> bool:
        """Whether our finalizer is on it."""
        return FINALIZER_JOB in (self.job.metadata.get("finalizers") or ())

    @property
    def halted(self) -> bool:
        """Whether it is not to be run now, or never again."""
        return self.deleting or self.job.spec.suspend or self.job.spec.cancel

    def late_in(self, now: datetime) -> float | None:
        """Seconds until it is past its deadline; None where it has none, or is past it."""
        if self.job.spec.deadline is None:
            return None
        left = (datetime.fromisoformat(self.job.spec.deadline) - now).total_seconds()
        return left + 1.0 if left > -1.0 else None  # the status gives whole seconds

    @property
    def pending_reason(self) -> str:
        """Why it is Pending, in a CamelCase word."""
        if self.refusal is not None:
            return self.refusal.reason
        if self.problem is not None:
            return self.problem[0]
        if self.dispatching:
            return "Dispatching"
        return self.unplaced.reason if self.unplaced is not None else "Queued"

    @property
    def assigned(self) -> tuple[int, tuple[str, ...]] | None:
        """The attempt and the nodes that its annotation pins, where it has one."""
        return _pinned(self.job.metadata)

    def outstanding(self, dispatches: Sequence[tuple[str, Dispatch]]) -> tuple[str, ...]:
        """The nodes that its annotation pins, of which no Dispatch of that attempt is among these."""
        if self.assigned is None:
            return ()
        attempt, nodes = self.assigned
        there = {node for node, dispatch in dispatches if dispatch.spec.attempt == attempt}
        return tuple(node for node in nodes if node not in there)


@dataclass(frozen=True, slots=True)
class EndedJob:
    """What is kept of a job that has ended and is not being deleted: thousands are, and hardly ever looked at."""

    uid: str
    key: tuple[str, str]
    """Namespace and name."""
    version: int
    ttl_seconds: int | None
    completion_time: str | None
    phase: Phase
    attempt: int
    """The attempt that its annotation pins; 0 where it has none."""
    nodes: int
    """How many nodes it pins."""

    @classmethod
    def of(cls, body: Manifest) -> Self | None:
        """The job, where it is one; None where it is still to be seen to."""
        metadata, status = body["metadata"], body.get("status") or {}
        if status.get("phase") not in FINISHED or "deletionTimestamp" in metadata:
            return None
        pin = _pinned(metadata)
        return cls(
            uid=metadata["uid"],
            key=(metadata["namespace"], metadata["name"]),
            version=int(metadata["resourceVersion"]),
            ttl_seconds=body["spec"].get("ttlSecondsAfterFinished"),
            completion_time=status.get("completionTime"),
            phase=Phase(status["phase"]),
            attempt=pin[0] if pin is not None else 0,
            nodes=len(pin[1]) if pin is not None else 0,
        )

    @classmethod
    def of_record(cls, record: JobRecord) -> Self:
        """The job, which has ended."""
        pin = record.assigned
        return cls(
            uid=record.uid,
            key=record.key,
            version=int(record.job.metadata["resourceVersion"]),
            ttl_seconds=record.job.spec.ttl_seconds_after_finished,
            completion_time=record.job.status.completion_time,
            phase=record.job.status.phase or Phase.PENDING,
            attempt=pin[0] if pin is not None else 0,
            nodes=len(pin[1]) if pin is not None else 0,
        )

    @property
    def reference(self) -> dict[str, str]:
        """How a log line names it."""
        return reference("ComputeJob", {"namespace": self.key[0], "name": self.key[1], "uid": self.uid})

    def seconds_left(self, now: datetime) -> float | None:
        """Seconds until its time to live is over, zero or less once it is; None where it has none."""
        if self.ttl_seconds is None or self.completion_time is None:
            return None
        over = datetime.fromisoformat(self.completion_time) + timedelta(seconds=self.ttl_seconds)
        return (over - now).total_seconds()


def _pinned(metadata: Manifest) -> tuple[int, tuple[str, ...]] | None:
    text = (metadata.get("annotations") or {}).get(ANNOTATION_ASSIGNED, "")
    attempt, *nodes = text.split(" ")
    return (int(attempt), tuple(nodes)) if attempt.isdigit() and nodes else None
