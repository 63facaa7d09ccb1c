"""The watch on ComputeJobs: each form is handed on once, and no more is kept of it than tells the next one apart."""

from collections.abc import Callable
from typing import Any, Protocol

from isthmus.api.core import Manifest
from isthmus.clusters import COMPUTEJOBS, ClusterError, KubernetesApi

from .kept import Kept, keeping_informer


class OnJob(Protocol):
    """Hears of a job."""

    def __call__(self, body: Manifest, *, gone: bool) -> None:
        """The job as it is now, or, where it is gone, its metadata."""
        ...


class JobWatch:
    """`on_job` follows each change."""

    def __init__(
        self, hub: KubernetesApi, on_job: OnJob, on_connection: Callable[[ClusterError | None], None] | None = None
    ) -> None:
        self._on_job = on_job
        self.informer = keeping_informer(
            hub, COMPUTEJOBS, hand_on=self._seen, on_change=self._changed, on_connection=on_connection
        )

    def _seen(self, body: Manifest) -> None:
        self._on_job(body, gone=False)

    def _changed(self, kind: str, _old: Kept | None, last: Any) -> None:  # noqa: ANN401 - as kept, or as it was seen last
        if kind == "DELETED":
            uid = last["metadata"]["uid"] if isinstance(last, dict) else last.metadata.uid
            self._on_job({"metadata": {"uid": uid}}, gone=True)
