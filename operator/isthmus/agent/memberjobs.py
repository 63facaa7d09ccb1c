"""The writes an agent makes in a member: Jobs, their suspension and deletion, and its pods' finalizer."""

import asyncio
from collections.abc import Iterable
from datetime import datetime

import structlog

from isthmus.api.core import Job, Manifest, Pod
from isthmus.api.dispatch import Dispatch
from isthmus.api.names import ANNOTATION_DISPATCH_UID, ANNOTATION_HELD, FINALIZER_POD, LABEL_JOB_UID
from isthmus.api.reference import reference
from isthmus.clusters import (
    JOBS,
    PODS,
    AlreadyExists,
    ApiError,
    ClusterError,
    Conflict,
    Forbidden,
    Invalid,
    KubernetesApi,
    NotFound,
    TooManyRequests,
    Unauthorized,
)
from isthmus.clusters.api import JsonPatch
from isthmus.manifests import placeholder

from .fence import first_limit
from .hints import Hints
from .memberqueue import MemberQueue
from .observe import timestamp
from .queued import is_queued
from .tenancy import Tenancy

logger = structlog.get_logger(__name__)

VANISHED = "vanished"
"""Stands for the UID of a Job that was there and went before it could be read."""

NAME_TAKEN = "NameTaken"
"""Reason of the refusal where the Job's name is held by one of somebody else's."""

# What the API server says only of a request that it has not carried out and will not.
_ANSWERS = (Unauthorized, Forbidden, NotFound, Conflict, Invalid, TooManyRequests)

_RELEASE: Manifest = {"metadata": {"$deleteFromPrimitiveList/finalizers": [FINALIZER_POD]}}


class MemberJobs:
    """Writes in one member. All raise ClusterError."""

    def __init__(self, member: KubernetesApi, tenancy: Tenancy, hints: Hints, queue: MemberQueue) -> None:
        self._member = member
        self._tenancy = tenancy
        self._hints = hints
        self._queue = queue

    async def create(self, dispatch: Dispatch) -> str:
        """Create the Dispatch's Job, or take up the one that an earlier try created. Its UID, or VANISHED."""
        namespace = await self._tenancy.ensure(dispatch)
        metadata = dispatch.spec.manifest["metadata"]
        annotations = {**metadata.get("annotations", {}), ANNOTATION_DISPATCH_UID: dispatch.metadata["uid"]}
        spec, limit = self._hints.apply(dispatch), first_limit(dispatch)
        if limit is not None:
            spec = {**spec, "activeDeadlineSeconds": limit}
        manifest = {**dispatch.spec.manifest, "metadata": {**metadata, "annotations": annotations}, "spec": spec}
        try:
            created = await self._member.create(JOBS, manifest, namespace, type=Job)
        except AlreadyExists:
            found = await self.find(dispatch)
            if found is not None and found.metadata.labels.get(LABEL_JOB_UID) != dispatch.spec.job.uid:
                raise Invalid(
                    409, NAME_TAKEN, f"Job {namespace}/{metadata['name']} is there and is not this hub's"
                ) from None
            return found.metadata.uid if found is not None else VANISHED
        except NotFound as error:
            self._tenancy.forget(namespace)
            raise Conflict(409, "NamespaceMissing", f"namespace {namespace} went away: {error.message}") from error
        return created.metadata.uid

    @staticmethod
    def leaves_open(error: ClusterError) -> bool:
        """Whether a create that ended in this may have been carried out, or may be yet."""
        return not isinstance(error, _ANSWERS)

    async def excluded(self, dispatch: Dispatch, refusal: ApiError) -> bool:
        """Whether, after a `refusal`, the Job is not there and an earlier create of unknown outcome can't land.

        False where the Job is there, or a placeholder now holds its name: the watch will show which.
        """
        if refusal.api_reason == NAME_TAKEN:
            return True
        return await self.find(dispatch) is None and not await self.hold_name(dispatch)

    @staticmethod
    def terminating(error: ApiError) -> bool:
        """Whether a create was refused only because its namespace is being deleted."""
        causes = error.details.get("causes") or []
        return any(cause.get("reason") == "NamespaceTerminating" for cause in causes)

    @staticmethod
    def denied(error: ApiError) -> bool:
        """Whether the member's authorization said no, not its admission: that is of us, not of this Job."""
        return isinstance(error, Forbidden) and 'User "' in error.message and " cannot " in error.message

    async def find(self, dispatch: Dispatch) -> Job | None:
        """The Job, by a consistent read."""
        namespace, name = _place(dispatch)
        try:
            return await self._member.get(JOBS, name, namespace, type=Job)
        except NotFound:
            return None

    async def hold_name(self, dispatch: Dispatch) -> bool:
        """Take the Job's name with a placeholder, so that a create still under way can't land.

        True where the name is now held, be it by the Job itself; False where its namespace is gone or going, so
        that nothing can be created there either.
        """
        namespace, name = _place(dispatch)
        manifest = placeholder(name, namespace, dispatch.spec.manifest["metadata"]["labels"])
        try:
            await self._member.create(JOBS, manifest, namespace)
        except AlreadyExists:
            return True
        except NotFound:
            self._tenancy.forget(namespace)
            return False
        except ApiError as error:
            if self.terminating(error):
                self._tenancy.forget(namespace)
                return False
            raise
        return True

    def server_time(self) -> datetime | None:
        """A lower bound of the member's own time of day."""
        return self._member.server_time()

    async def suspend(self, job: Job) -> bool:
        """Suspend this very Job; one that is gone is not an error here. False where its queue is not ready for that.

        Its queue is told first: a resumption that it had on its way then finds another version of the Job, and fails.
        """
        marks: Manifest = {}
        if is_queued(job.metadata.labels):
            if not await self._queue.hold(job):
                return False
            marks = {"annotations": {ANNOTATION_HELD: "true"}}
        await self._change(job, {"metadata": {"uid": job.metadata.uid, **marks}, "spec": {"suspend": True}})
        return True

    async def resume(self, job: Job, limit: int | None) -> None:
        """Resume this very Job, with its `activeDeadlineSeconds` in the same write, as its start begins anew.

        A write that was held up and lands when the Job has begun anew since is refused (Conflict): its limit was made
        for another start, and may be far too long. One with a queue is left to that.
        """
        seen: Manifest = {"uid": job.metadata.uid, "resourceVersion": job.metadata.resource_version}
        if is_queued(job.metadata.labels):
            if await self._queue.let_go(job):
                await self._change(job, {"metadata": {"uid": job.metadata.uid, "annotations": {ANNOTATION_HELD: None}}})
                return
            seen["annotations"] = {ANNOTATION_HELD: None}
        limited = {} if limit is None else {"activeDeadlineSeconds": limit}
        await self._change(job, {"metadata": seen, "spec": {"suspend": False, **limited}})

    async def _change(self, job: Job, body: Manifest) -> None:
        metadata = job.metadata
        try:
            await self._member.patch(JOBS, metadata.name, metadata.namespace, body)
        except NotFound:
            logger.info("Job to suspend or resume is gone", **reference("Job", metadata))

    async def set_limit(self, job: Job, seconds: int) -> None:
        """Set the `activeDeadlineSeconds` of this very Job, in the run that it is in, from the value that was seen.

        A write that was held up and lands when the Job has been resumed since, or has got another limit, is refused
        (Invalid), as is one for a Job that is being deleted or is not there (NotFound).
        """
        metadata, current = job.metadata, job.spec.active_deadline_seconds
        start = timestamp(job.status.start_time)
        seen: dict[str, str | int | None] = {"/metadata/uid": metadata.uid, "/status/startTime": start}
        if current is not None:
            seen["/spec/activeDeadlineSeconds"] = current
        body: JsonPatch = [{"op": "test", "path": path, "value": value} for path, value in seen.items()]
        body.append({"op": "add", "path": "/spec/activeDeadlineSeconds", "value": seconds})
        await self._member.patch(JOBS, metadata.name, metadata.namespace, body, kind="json", type=Job)

    async def delete(self, dispatch: Dispatch, job: Job | None) -> None:
        """Delete the Job, its pods first (a batch/v1 DELETE orphans them by default)."""
        namespace, name = _place(dispatch)
        await self._member.delete(
            JOBS, name, namespace, uid=job.metadata.uid if job else None, propagation="Foreground"
        )

    async def delete_orphan(self, job: Job) -> None:
        """Delete a Job of ours that no Dispatch stands behind any more."""
        logger.info("deleting orphan", **reference("Job", job.metadata))
        await self._member.delete(
            JOBS, job.metadata.name, job.metadata.namespace, uid=job.metadata.uid, propagation="Foreground"
        )

    async def delete_pods(self, pods: Iterable[Pod]) -> None:
        """Delete pods that their Job left behind."""
        for pod in pods:
            if pod.metadata.deletion_timestamp is None:
                await self._member.delete(
                    PODS, pod.metadata.name, pod.metadata.namespace, uid=pod.metadata.uid, propagation="Background"
                )

    async def release(self, pods: Iterable[Pod]) -> None:
        """Take our finalizer off pods whose reading is written, and off no others."""
        held = [pod for pod in pods if FINALIZER_POD in pod.metadata.finalizers]
        for error in await asyncio.gather(*(self._release(pod) for pod in held), return_exceptions=True):
            if isinstance(error, BaseException):
                raise error

    async def _release(self, pod: Pod) -> None:
        try:
            await self._member.patch(
                PODS, pod.metadata.name, pod.metadata.namespace, _RELEASE, kind="strategic", type=Pod
            )
        except NotFound:
            return


def _place(dispatch: Dispatch) -> tuple[str, str]:
    metadata = dispatch.spec.manifest["metadata"]
    return metadata["namespace"], metadata["name"]
