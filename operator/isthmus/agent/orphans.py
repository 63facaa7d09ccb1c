"""What a member holds of a shard whose Dispatch is gone: taken away, once the hub has said for certain that it is."""

from isthmus.clusters import DISPATCHES, KubernetesApi, NotFound

from .due import REPORT_SECONDS
from .memberjobs import MemberJobs
from .observe import pod_ended
from .view import MemberView


async def sweep(name: str, *, hub: KubernetesApi, namespace: str, view: MemberView, jobs: MemberJobs) -> float | None:
    """Do what is due for the leavings of the Dispatch `name`; the answer is when, in seconds, to look again.

    `namespace` is the hub's, where the Dispatch would be. Raises ClusterError.
    """
    job, pods = view.job(name), view.pods(name)
    if job is None and not pods:
        return None
    try:
        await hub.get(DISPATCHES, name, namespace)
    except NotFound:
        if job is not None and job.metadata.deletion_timestamp is None:
            await jobs.delete_orphan(job)
        await jobs.release([pod for pod in pods if pod_ended(pod)])
        if job is None:
            await jobs.delete_pods([pod for pod in pods if not pod_ended(pod)])
    return REPORT_SECONDS
