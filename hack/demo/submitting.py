"""Hands the jobs in as their teams' engineers, each at its time, and takes the time of every call."""

import threading
import time
from collections.abc import Mapping, Sequence

from demo.latency import Stopwatch
from demo.objects import compute_job
from demo.workload import DemoJob
from isthmus.api.names import API_VERSION
from testbed import RestClient


class Submission:
    """The jobs on their way into the hub, in a thread of its own."""

    def __init__(self, jobs: Sequence[DemoJob], clients: Mapping[str, RestClient], stopwatch: Stopwatch) -> None:
        """Starts at once; `clients` are the engineers' by namespace."""
        self._jobs = jobs
        self._clients = clients
        self._stopwatch = stopwatch
        self._lock = threading.Lock()
        self._submitted: dict[str, DemoJob] = {}
        self._stopped = threading.Event()
        self._failure: Exception | None = None
        self.started = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="submission", daemon=True)
        self._thread.start()

    @property
    def submitted(self) -> dict[str, DemoJob]:
        """The jobs that the hub's API server has taken, by their UID."""
        with self._lock:
            return dict(self._submitted)

    @property
    def elapsed(self) -> float:
        """Seconds since the first call."""
        return time.monotonic() - self.started

    def check(self) -> None:
        """Raises what has ended the submission, if anything has."""
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Hands in no more."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            for job in self._jobs:
                if self._stopped.wait(max(0.0, self.started + job.arrival_seconds - time.monotonic())):
                    return
                self._create(job)
        except Exception as error:  # noqa: BLE001 - it is raised again where the demo waits
            self._failure = error

    def _create(self, job: DemoJob) -> None:
        namespace = job.team.namespace
        manifest = compute_job(job)
        at = time.monotonic()
        created = self._clients[namespace].post(f"/apis/{API_VERSION}/namespaces/{namespace}/computejobs", manifest)
        uid = created["metadata"]["uid"]
        self._stopwatch.created(uid, at)
        with self._lock:
            self._submitted[uid] = job
