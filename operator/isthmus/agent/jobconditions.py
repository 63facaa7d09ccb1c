"""What the conditions of a member's Job say. Pure."""

from collections.abc import Iterator
from datetime import datetime

from isthmus.api.core import ConditionView, Job

_FAILING = frozenset({"Failed", "FailureTarget"})
_ENDING = _FAILING | {"Complete", "SuccessCriteriaMet"}


def says_suspended(job: Job) -> bool:
    """Whether the Job's controller has suspended it, and has not seen that it was resumed."""
    return any(condition.type == "Suspended" for condition in _true(job))


def resumed_at(job: Job) -> datetime | None:
    """When the Job's controller last saw that it was resumed; None where it never was, or is suspended again."""
    found = (c for c in job.status.conditions if c.type == "Suspended" and c.status == "False")
    return next((condition.last_transition_time for condition in found), None)


def ends(job: Job) -> bool:
    """Whether the Job has ended, or is on its way to an end that its controller brings about."""
    return any(condition.type in _ENDING for condition in _true(job))


def failings(job: Job) -> list[ConditionView]:
    """The conditions by which the Job has failed, or is about to have."""
    return [condition for condition in _true(job) if condition.type in _FAILING]


def failing_since(job: Job) -> datetime | None:
    """When the Job's controller found that it fails; None where it has not, or does not say when."""
    return min((c.last_transition_time for c in failings(job) if c.last_transition_time is not None), default=None)


def _true(job: Job) -> Iterator[ConditionView]:
    return (condition for condition in job.status.conditions if condition.status == "True")
