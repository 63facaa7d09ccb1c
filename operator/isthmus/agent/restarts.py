"""How often a shard's containers were restarted, as `backoffLimit` counts under restartPolicy OnFailure. Pure."""

from collections.abc import Iterable

from isthmus.api.core import Job, Pod
from isthmus.api.dispatch import Dispatch

from .jobconditions import failings


def restarts_of(dispatch: Dispatch, job: Job, pods: Iterable[Pod]) -> int:
    """As the Job controller counts them: over init and main containers of pods that are pending or run.

    So those of a pod that has ended count no longer. Those of a Job that is being deleted or stopped stay as they were
    told: its work goes on elsewhere, and what failed of it has failed. (pastBackoffLimitOnFailure in job_controller.go)
    """
    pod_spec = dispatch.spec.manifest["spec"]["template"].get("spec") or {}
    if pod_spec.get("restartPolicy") != "OnFailure":
        return 0
    count = sum(
        status.restart_count
        for pod in pods
        if pod.status.phase in {"Pending", "Running"}
        for status in (*pod.status.init_container_statuses, *pod.status.container_statuses)
    )
    stops = job.metadata.deletion_timestamp is not None or failings(job)
    return max(count, dispatch.status.restarts) if stops else count
