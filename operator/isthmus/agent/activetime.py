"""For how long a Job has been active, as its `activeDeadlineSeconds` counts: by its member's own clock. Pure."""

from datetime import datetime

from isthmus.api.core import Job

_OVER = frozenset({"Complete", "Failed"})


def active_seconds(job: Job, now: datetime | None, told: int) -> int:
    """Whole seconds of the Job's present run, from its start to its end or to `now`; a resumption begins it anew.

    `now` is the member's own time, or None where that is not known: then it is what was `told` before.
    """
    start, end = job.status.start_time, _end(job) or now
    if start is None or job.spec.suspend:
        return 0
    return told if end is None else max(int((end - start).total_seconds()), 0)


def _end(job: Job) -> datetime | None:
    over = [c.last_transition_time for c in job.status.conditions if c.type in _OVER and c.status == "True"]
    return job.status.completion_time or max((each for each in over if each is not None), default=None)
