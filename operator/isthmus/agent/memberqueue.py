"""What an agent asks of the queue of its member, which is Kueue: why a Job waits there, and to leave one suspended."""

from isthmus.api.core import Job, Workload
from isthmus.api.names import LABEL_WORKLOAD_JOB
from isthmus.clusters import (
    WORKLOADS,
    WORKLOADS_FORMERLY,
    ClusterError,
    Forbidden,
    KubernetesApi,
    NotFound,
    Resource,
    ServerFailure,
)

from .queued import why_waiting

DENIALS = (Forbidden, ServerFailure)
"""What is said where a queue may not be told anything; the latter where Kueue converts its objects and is down."""


class MemberQueue:
    """Of one member. Nothing is asked of it for a Job without a queue."""

    def __init__(self, member: KubernetesApi) -> None:
        self._member = member

    async def why(self, job: Job) -> str:
        """Why the Job waits, for people."""
        try:
            resource, workload = await self._workload(job)
        except ClusterError as error:
            return f"what Kueue says of it can't be read: {error}"
        return why_waiting(workload) if resource is not None else "there is no Kueue"

    async def hold(self, job: Job) -> bool:
        """Have Kueue leave the Job suspended from now on; False where it has yet to take notice of it.

        Where there is no Kueue nobody but us resumes it. Raises ClusterError.
        """
        resource, workload = await self._workload(job)
        if resource is None:
            return True
        return workload is not None and await self._activate(resource, workload, active=False)

    async def let_go(self, job: Job) -> bool:
        """Have Kueue queue the Job again; False where there is none. Raises ClusterError."""
        resource, workload = await self._workload(job)
        if resource is None:
            return False
        return workload is None or await self._activate(resource, workload, active=True)

    async def _activate(self, resource: Resource, workload: Workload, *, active: bool) -> bool:
        """A write that was held up and lands when another was made since is refused (Conflict)."""
        metadata = workload.metadata
        if workload.spec.active is not active:
            seen = {"uid": metadata.uid, "resourceVersion": metadata.resource_version}
            body = {"metadata": seen, "spec": {"active": active}}
            await self._member.patch(resource, metadata.name, metadata.namespace, body)
        return True

    async def _workload(self, job: Job) -> tuple[Resource | None, Workload | None]:
        """The Job's, by a consistent read, and as what it is served: None where it is not."""
        for resource in (WORKLOADS, WORKLOADS_FORMERLY):
            try:
                found = await self._member.list(
                    resource,
                    job.metadata.namespace,
                    labels=f"{LABEL_WORKLOAD_JOB}={job.metadata.uid}",
                    type=Workload,
                )
            except NotFound:
                continue
            live = (each for each in found.items if each.metadata.deletion_timestamp is None)
            return resource, next(live, None)
        return None, None
