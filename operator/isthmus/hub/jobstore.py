"""All ComputeJobs as last seen: the whole of one that goes on, and little of one that has ended."""

from collections.abc import Callable, Iterable

from isthmus.api.computejob import ComputeJob
from isthmus.api.core import Manifest
from isthmus.clusters import COMPUTEJOBS, KubernetesApi, NotFound

from .jobrecord import EndedJob, JobRecord


class JobStore:
    """By UID. `on_gone(uid)` follows when a job is found to be gone."""

    def __init__(self, hub: KubernetesApi, on_gone: Callable[[str], None]) -> None:
        self._hub = hub
        self._on_gone = on_gone
        self._records: dict[str, JobRecord] = {}
        self._ended: dict[str, EndedJob] = {}

    def get(self, uid: str) -> JobRecord | None:
        """What is known of a job that has not ended, or is being deleted."""
        return self._records.get(uid)

    def ended(self, uid: str) -> EndedJob | None:
        """What is kept of a job that has ended, whose bill stands in its status, and nobody asked for its deletion."""
        return self._ended.get(uid)

    def records(self) -> Iterable[JobRecord]:
        """All jobs that have not ended, or are being deleted."""
        return self._records.values()

    def all_ended(self) -> Iterable[EndedJob]:
        """All other jobs."""
        return self._ended.values()

    def pin(self, uid: str) -> tuple[int, int]:
        """The last attempt that the job was given nodes for, and how many they were; (0, 0) where there was none."""
        record, ended = self._records.get(uid), self._ended.get(uid)
        if record is not None and record.assigned is not None:
            return record.assigned[0], len(record.assigned[1])
        return (ended.attempt, ended.nodes) if ended is not None else (0, 0)

    def learn(self, body: Manifest) -> None:
        """Take in a form of the job, unless a newer one is known."""
        body["metadata"].pop("managedFields", None)
        uid, fresh = body["metadata"]["uid"], int(body["metadata"]["resourceVersion"])
        record, ended = self._records.get(uid), self._ended.get(uid)
        if record is not None:
            if fresh > int(record.job.metadata["resourceVersion"]):
                record.job = ComputeJob.model_validate(body)
        elif ended is None or fresh > ended.version:
            again = EndedJob.of(body)
            if again is not None:
                self._ended[uid] = again
            else:
                self._records[uid] = JobRecord(ComputeJob.model_validate(body))
                self._ended.pop(uid, None)

    def rest(self, record: JobRecord) -> EndedJob:
        """Keep no more of a job that has ended than its expiry and its removal need."""
        ended = self._ended[record.uid] = EndedJob.of_record(record)
        del self._records[record.uid]
        return ended

    def drop(self, uid: str) -> None:
        """The job is gone."""
        self._records.pop(uid, None)
        self._ended.pop(uid, None)
        self._on_gone(uid)

    async def fresh(self, job: JobRecord | EndedJob) -> Manifest | None:
        """The job by a consistent read, which is known from then on; None where it is gone. Raises ClusterError.

        Its end may have been missed: a watch that was cut off shows what is there, not what has gone meanwhile.
        """
        namespace, name = job.key
        try:
            found: Manifest | None = await self._hub.get(COMPUTEJOBS, name, namespace)
        except NotFound:
            found = None
        if found is None or found["metadata"]["uid"] != job.uid:
            self.drop(job.uid)
            return None
        self.learn(found)
        return found

    async def still_there(self, job: JobRecord | EndedJob) -> bool:
        """Whether the job is there, by a consistent read."""
        return await self.fresh(job) is not None
