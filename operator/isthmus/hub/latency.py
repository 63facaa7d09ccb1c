"""How long jobs take from their creation to a Job in a member."""

from collections.abc import Callable
from datetime import datetime

from isthmus.api.computejob import ComputeJob
from isthmus.api.dispatch import Dispatch

from .instruments import Instruments
from .jobrecord import JobRecord
from .jobstore import JobStore

# Creation times are whole seconds, cut off: a job that seems no older than this has just come.
RESOLUTION_SECONDS = 1.0


class Latency:
    """`clock` is monotonic in seconds, `now` the time of day."""

    def __init__(
        self, store: JobStore, instruments: Instruments, clock: Callable[[], float], now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._instruments = instruments
        self._clock = clock
        self._now = now

    def seen(self, record: JobRecord) -> None:
        """A job was seen for the first time; one that is suspended, or has nodes already, is not timed."""
        job = record.job
        if record.assigned is None and not job.spec.suspend:
            record.since = self._clock() - max(self._age(job) - RESOLUTION_SECONDS, 0.0)

    def written(self, record: JobRecord, attempt: int) -> None:
        """All Dispatches of an attempt are written."""
        if attempt == 1 and record.since is not None:
            self._instruments.dispatch_written.observe(self._clock() - record.since)

    def created(self, dispatch: Dispatch) -> None:
        """The Job of a Dispatch stands in the member."""
        record = self._store.get(dispatch.spec.job.uid) if dispatch.spec.attempt == 1 else None
        if record is not None and record.since is not None:
            self._instruments.job_created.observe(self._clock() - record.since)

    def _age(self, job: ComputeJob) -> float:
        return (self._now() - datetime.fromisoformat(job.metadata["creationTimestamp"])).total_seconds()
