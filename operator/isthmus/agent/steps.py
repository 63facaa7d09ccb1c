"""What to do next for one Dispatch: the at-most-once protocol of DESIGN.md §5 as one pure decision."""

from dataclasses import dataclass
from enum import StrEnum

from isthmus.api.core import Job
from isthmus.api.dispatch import TERMINAL, Dispatch
from isthmus.manifests import is_placeholder

from .observe import job_verdict


class Step(StrEnum):
    """One step. Each is safe to repeat, and after each a crash leaves what the next decision understands."""

    ACCEPT = "Accept"  # write Accepted with resourceVersion, then create the Job
    WITHDRAW = "Withdraw"  # cancelled before it was accepted: end it, nothing exists
    CREATE = "Create"  # accepted by this process, which has not seen its create succeed
    RECOVER = "Recover"  # accepted, and no Job to be seen: find out what became of it
    SUSPEND = "Suspend"
    RESUME = "Resume"
    DELETE = "Delete"  # delete the member's Job
    REPORT = "Report"  # tell what the member shows
    LOSE = "Lose"  # the name is held by a placeholder: the Job never came to be
    RELEASE = "Release"  # take the finalizer off pods whose reading is written
    CLEAR = "Clear"  # nothing is left in the member: say so
    WAIT = "Wait"


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the decision looks at."""

    dispatch: Dispatch
    job: Job | None
    pods: int
    accepted_here: bool
    """This process wrote Accepted: no other can have created the Job."""
    awaiting_watch: bool
    """This process created the Job and the watch has not shown it yet."""


def next_step(facts: Facts) -> Step:  # noqa: PLR0911 - one return a row of the protocol
    """The one step that is due."""
    state, desired = facts.dispatch.status.state, facts.dispatch.spec.desired_state
    if state is None:
        return Step.WITHDRAW if desired == "Cancelled" else Step.ACCEPT
    if state in TERMINAL:
        return _after_end(facts)
    if facts.job is None:
        return _without_job(facts)
    if is_placeholder(facts.job.metadata.labels):
        return Step.LOSE
    if facts.job.metadata.deletion_timestamp is not None or job_verdict(facts.job) is not None:
        return Step.REPORT
    if desired == "Cancelled":
        return Step.DELETE
    if facts.job.spec.suspend != (desired == "Suspended"):
        return Step.SUSPEND if desired == "Suspended" else Step.RESUME
    return Step.REPORT


def _without_job(facts: Facts) -> Step:
    if facts.awaiting_watch:
        return Step.WAIT
    if facts.accepted_here and not facts.dispatch.status.job_uid and facts.dispatch.spec.desired_state != "Cancelled":
        return Step.CREATE
    return Step.RECOVER


def _after_end(facts: Facts) -> Step:
    if facts.dispatch.spec.desired_state != "Cancelled" or facts.dispatch.status.released:
        return Step.RELEASE if facts.pods else Step.WAIT
    if facts.job is not None:
        return Step.DELETE if facts.job.metadata.deletion_timestamp is None else Step.RELEASE
    return Step.RELEASE if facts.pods else Step.CLEAR
