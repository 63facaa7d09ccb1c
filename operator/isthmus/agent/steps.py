"""What to do next for one Dispatch: the at-most-once protocol of DESIGN.md §5 as one pure decision."""

from dataclasses import dataclass
from enum import StrEnum

from isthmus.api.core import Job
from isthmus.api.dispatch import TERMINAL, Dispatch, DispatchState
from isthmus.manifests import is_placeholder

from .fence import unaccounted
from .observe import job_verdict
from .queued import is_held, is_queued, rests


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
    STOCK = "Stock"  # the hub gave the shard up: stop what still runs of it, and tell what became of it
    SETTLE = "Settle"  # pods came to light after the end: stop them and read them too
    RELEASE = "Release"  # take the finalizer off pods whose reading is written
    CLEAR = "Clear"  # nothing is left in the member: say so
    WAIT = "Wait"


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the decision looks at."""

    dispatch: Dispatch
    job: Job | None
    pods: int
    """Pods that carry our finalizer."""
    unsettled: int
    """Those of them that no written reading has settled."""
    may_create: bool
    """This process wrote Accepted, and no create of its own is known to have succeeded: no Job was there yet."""
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
    if desired == "Suspended":
        return Step.REPORT if rests(facts.job) else Step.SUSPEND
    # One that waits in a queue of the member is left to it.
    resumable = is_held(facts.job) if is_queued(facts.job.metadata.labels) else facts.job.spec.suspend
    return Step.RESUME if resumable else Step.REPORT


def _without_job(facts: Facts) -> Step:
    if facts.awaiting_watch:
        return Step.WAIT
    if facts.may_create and not facts.dispatch.status.job_uid and facts.dispatch.spec.desired_state != "Cancelled":
        return Step.CREATE
    return Step.RECOVER


def _after_end(facts: Facts) -> Step:
    status, job = facts.dispatch.status, facts.job
    if unaccounted(status) and not (job is not None and is_placeholder(job.metadata.labels)):
        return Step.STOCK
    leaving = facts.dispatch.spec.desired_state == "Cancelled" and not status.released
    if job is not None and job.metadata.deletion_timestamp is None and (leaving or _strayed(job, status.state)):
        return Step.DELETE
    if facts.unsettled:
        return Step.SETTLE
    if facts.pods:
        return Step.RELEASE
    return Step.CLEAR if leaving and job is None else Step.WAIT


def _strayed(job: Job, state: DispatchState | None) -> bool:
    """Whether the Job must not be there: a create that was given up landed after all, where no placeholder stood."""
    given_up = state in (DispatchState.CANCELLED, DispatchState.LOST, DispatchState.REFUSED)
    return given_up and not is_placeholder(job.metadata.labels)
