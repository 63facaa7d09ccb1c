"""Jobs that a queue of the member begins and suspends, as Kueue does: what may be done to them, and why one waits.

Kueue suspends a Job with the label of a queue as it is created, resumes it once there is quota, and suspends it again
to make room. Whoever else resumes it is undone, and so is whoever suspends it, unless its Workload, which is what Kueue
queues, is made inactive first. Pure.
"""

from collections.abc import Mapping

from isthmus.api.core import Job, Workload
from isthmus.api.names import ANNOTATION_HELD, LABEL_QUEUE


def is_queued(labels: Mapping[str, str]) -> bool:
    """Whether a queue of the member suspends and resumes the Job of these labels."""
    return LABEL_QUEUE in labels


def is_held(job: Job) -> bool:
    """Whether the Job's queue was told to leave it suspended."""
    return ANNOTATION_HELD in job.metadata.annotations


def waits(job: Job) -> bool:
    """Whether the Job is suspended by its queue, which will have it run when it sees fit."""
    return job.spec.suspend and is_queued(job.metadata.labels) and not is_held(job)


def rests(job: Job) -> bool:
    """Whether the Job is suspended and nobody but us will resume it."""
    return job.spec.suspend and not waits(job)


def wanted_pods(job: Job) -> int:
    """How many pods of the Job would run at once, at least one."""
    width = 1 if job.spec.parallelism is None else job.spec.parallelism
    return max(width if job.spec.completions is None else min(width, job.spec.completions), 1)


def why_waiting(workload: Workload | None) -> str:
    """Why a Job waits, in Kueue's own words where it has any."""
    if workload is None:
        return "Kueue has made no Workload for it; does it run?"
    if not workload.spec.active:
        return "its Workload was made inactive there"
    said = {each.type: each for each in workload.status.conditions}
    quota, admitted = said.get("QuotaReserved"), said.get("Admitted")
    if quota is None:
        return "Kueue has not judged it yet"
    if quota.status != "True":
        return quota.message
    return admitted.message if admitted is not None and admitted.status != "True" else "it is about to begin"
