"""A ComputeJob's status from its Dispatches, its bill and what placement said. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from isthmus.api.computejob import FINISHED, SHARD_LIMIT, ComputeJob, ComputeJobStatus, Explanation, Money, Phase, Shard
from isthmus.api.conditions import Condition, truncated, with_condition
from isthmus.api.core import Manifest
from isthmus.api.dispatch import Dispatch, DispatchState
from isthmus.api.indexes import IndexSet
from isthmus.manifests import Refusal
from isthmus.placement import Unplaced

from .preemptionmark import mark_of, preempted
from .progress import Progress
from .work import Work

INDEXES_LIMIT = 4096
_RAN = frozenset({DispatchState.SUCCEEDED, DispatchState.FAILED})
_BEGINNING = frozenset({"Admitted", "Placed"})
_UNDER_WAY = frozenset({Phase.PENDING, Phase.DISPATCHED, Phase.RUNNING})
_UNTIMELY = frozenset({DispatchState.LOST, DispatchState.REFUSED})
# What a job that is being cancelled comes to only because it is.
_OBEYED = frozenset({"PartlyLost", "TooManyAttempts"})


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a job's status is made of."""

    job: ComputeJob
    work: Work
    dispatches: Sequence[tuple[str, Dispatch]]
    progress: Progress
    refusal: Refusal | None
    admitted: bool
    unplaced: Unplaced | None
    problem: tuple[str, str] | None
    cost: Money | None
    explanation: Explanation | None
    estimate: Money | None
    completions: int | None
    gpus: int
    unreachable: dict[str, str]
    """Nodes that can't be reached now, with why."""
    uncleared: Sequence[str]
    """Nodes that have not cleared away their part of a job that is being deleted, in the time that this takes."""
    waits: Mapping[str, str]
    """What is waited for there, by the name of the Dispatch."""
    leaving: Mapping[str, str]
    """What becomes of a shard that can't be run in part, by its node, which is drained."""
    now: str


def job_status(facts: Facts) -> ComputeJobStatus:
    """The whole status that the job should have now."""
    progress, phase = facts.progress, _phase(facts)
    told = progress.live or tuple(facts.dispatches[-1:])
    update = {
        "observed_generation": facts.job.metadata.get("generation", 0),
        "phase": phase,
        "completions": facts.completions,
        "active": sum(d.status.active for _, d in progress.live),
        "succeeded": progress.succeeded,
        "failed": progress.failures,
        "completed_indexes": _indexes(progress.completed),
        "failed_indexes": _indexes(progress.failed),
        "nodes": ",".join(sorted({node for node, _ in told}))[:256],
        "done": str(progress.succeeded) + (f"/{facts.completions}" if facts.completions is not None else ""),
        "gpus": facts.gpus,
        "start_time": min((d.status.start_time for _, d in facts.dispatches if d.status.start_time), default=None),
        "completion_time": _completion(facts, phase),
        "estimate": facts.estimate or facts.job.status.estimate,
        "cost": facts.cost or facts.job.status.cost,
        "shards": [_shard(node, dispatch) for node, dispatch in facts.dispatches][-SHARD_LIMIT:],
        "explanation": facts.explanation or facts.job.status.explanation,
    }
    return facts.job.status.model_copy(update={**update, "conditions": _conditions(facts, phase)})


def _phase(facts: Facts) -> Phase:
    progress = facts.progress
    if facts.refusal is not None:
        return Phase.FAILED
    if progress.live:
        states = {d.status.state for _, d in progress.live}
        if states == {DispatchState.SUSPENDED}:
            return Phase.SUSPENDED
        return Phase.RUNNING if DispatchState.RUNNING in states or progress.succeeded else Phase.DISPATCHED
    if progress.ending is not None and not (facts.job.spec.cancel and progress.ending.reason in _OBEYED):
        return progress.ending.phase
    if facts.job.spec.cancel:
        return Phase.CANCELLED
    return Phase.SUSPENDED if facts.job.spec.suspend else Phase.PENDING


def _completion(facts: Facts, phase: Phase) -> str | None:
    if phase not in FINISHED:
        return None
    ended = max((d.status.completion_time for _, d in facts.dispatches if d.status.completion_time), default=None)
    return facts.job.status.completion_time or ended or facts.now


def _shard(node: str, dispatch: Dispatch) -> Shard:
    indexes = dispatch.spec.indexes
    return Shard(
        node=node,
        dispatch=dispatch.metadata["name"],
        attempt=dispatch.spec.attempt,
        indexes=truncated(indexes, 256) if indexes is not None else None,
        variant=dispatch.spec.variant,
        # That a node has taken it and has not begun is no news worth a write of its own.
        state="Pending" if dispatch.status.state in (None, DispatchState.ACCEPTED) else str(dispatch.status.state),
        message=_why_ended(dispatch),
        start_time=dispatch.status.start_time,
        completion_time=dispatch.status.completion_time,
    )


def _why_ended(dispatch: Dispatch) -> str:
    if dispatch.status.state in _UNTIMELY:
        return truncated(dispatch.status.message, 256)
    mark = mark_of(dispatch)
    return f"stopped {mark.told()}" if mark is not None and preempted(dispatch) else ""


def _indexes(indexes: IndexSet) -> str | None:
    text = str(indexes)
    return text if text and len(text) <= INDEXES_LIMIT else None


Verdict = tuple[str, Literal["True", "False", "Unknown"], str, str]


def _conditions(facts: Facts, phase: Phase) -> list[Condition]:
    verdicts = [*_admitted(facts), *_placed(facts), *_ended(facts, phase), *_preempted(facts), *_stalled(facts)]
    verdicts += _late(facts, phase)
    conditions = list(facts.job.status.conditions)
    for kind, status, reason, message in verdicts:
        condition = Condition(
            type=kind,
            status=status,
            observed_generation=facts.job.metadata.get("generation", 0),
            last_transition_time=facts.now,
            reason=reason,
            message=truncated(message),
        )
        conditions = with_condition(conditions, condition)
    return conditions


def _admitted(facts: Facts) -> list[Verdict]:
    if facts.refusal is not None:
        return [("Admitted", "False", facts.refusal.reason, facts.refusal.message)]
    if facts.admitted and facts.job.spec.placement.split == "ByIndex" and facts.work.unsplittable is not None:
        message = f"the job runs on one node at a time, as it can't be split: {facts.work.unsplittable.message}"
        return [("Admitted", "True", facts.work.unsplittable.reason, message)]
    if facts.admitted:
        return [("Admitted", "True", "TemplateValid", "the template is one that the API server takes")]
    return []


def _placed(facts: Facts) -> list[Verdict]:
    progress = facts.progress
    if progress.live or (progress.ending is not None and any(d.status.state in _RAN for _, d in facts.dispatches)):
        return [("Placed", "True", "Draining" if facts.leaving else "Dispatched", _where(facts))]
    if facts.refusal is not None or facts.job.spec.cancel:
        return []
    if facts.job.spec.suspend:
        return [("Placed", "False", "Suspended", "the job is suspended; set spec.suspend to false to have it placed")]
    if facts.problem is not None:
        return [("Placed", "False", *facts.problem)]
    if facts.unplaced is not None:
        before = ""
        if facts.dispatches:
            node, last = facts.dispatches[-1]
            before = f"; {node} had it before: {last.status.message}" if last.status.message else ""
        return [("Placed", "False", facts.unplaced.reason, facts.unplaced.message + before)]
    return []


def _where(facts: Facts) -> str:
    nodes = sorted({node for node, _ in facts.progress.live or facts.dispatches[-1:]})
    rest, message = facts.progress.rest, "; ".join((f"placed on {', '.join(nodes)}", *facts.leaving.values()))
    if rest is None or rest.indexes is None:
        return message
    why = f": {facts.unplaced.message}" if facts.unplaced is not None else ""
    return f"{message}; {len(rest.indexes)} of {facts.completions} indexes wait{why}"


def _ended(facts: Facts, phase: Phase) -> list[Verdict]:
    ending = facts.progress.ending
    if facts.refusal is not None:
        return [("Failed", "True", facts.refusal.reason, facts.refusal.message)]
    if phase is Phase.CANCELLED:
        return [("Failed", "True", "Cancelled", "spec.cancel was set")]
    if ending is None:
        return []
    if phase not in FINISHED:  # as a Job does: why it will have failed, while its last pods stop
        return [("FailureTarget", "True", ending.reason, ending.message)] if ending.phase is Phase.FAILED else []
    kind = "Complete" if phase is Phase.SUCCEEDED else "Failed"
    return [(kind, "True", ending.reason, ending.message)]


def _late(facts: Facts, phase: Phase) -> list[Verdict]:
    """Late says that the deadline has passed; it is taken back where that was moved. No end but success is late."""
    if phase in FINISHED and phase is not Phase.SUCCEEDED:
        return []
    told = any(c.type == "Late" and c.status == "True" for c in facts.job.status.conditions)
    deadline, end = facts.job.spec.deadline, _completion(facts, phase)
    if deadline is None or datetime.fromisoformat(end or facts.now) <= datetime.fromisoformat(deadline):
        return [("Late", "False", "InTime", "the deadline was moved or taken out")] if told else []
    if end is not None:
        return [("Late", "True", "DeadlinePassed", f"the job was done at {end}, after its deadline, {deadline}")]
    said = f"the deadline {deadline} has passed; the job goes on: cancel it if it is of no use any more"
    return [("Late", "True", "DeadlinePassed", said)]


def _preempted(facts: Facts) -> list[Verdict]:
    """Preempted says that shards are about to make room, or have and wait to run again; then it is taken back."""
    live = [f"{node} is stopped {m.told()}" for node, d in facts.progress.live if (m := mark_of(d)) is not None]
    if live:
        message = f"what runs on {'; '.join(live)}; what is not done by then runs again elsewhere or later"
        return [("Preempted", "True", "Preempted", message)]
    if facts.progress.rest is not None and not facts.job.spec.cancel and facts.refusal is None:
        last = facts.dispatches[-1][1].spec.attempt if facts.dispatches else 0
        stopped = [node for node, d in facts.dispatches if preempted(d) and d.spec.attempt == last]
        if stopped:
            nodes = ", ".join(sorted(set(stopped)))
            message = f"stopped on {nodes} to make room for a job of higher priority; what is not done waits for room"
            return [("Preempted", "True", "Preempted", message)]
    if any(c.type == "Preempted" and c.status == "True" for c in facts.job.status.conditions):
        return [("Preempted", "False", "Progressing", "")]
    return []


def _stalled(facts: Facts) -> list[Verdict]:
    """Stalled says that waiting is all that can be done; it is taken back as soon as that is over."""
    for node, dispatch in facts.progress.live:
        why = facts.unreachable.get(node)
        if why is not None:
            then = facts.waits.get(dispatch.metadata["name"], "its state is told on return")
            message = f"node {node} can't be reached ({why}); {then}"
            return [("Stalled", "True", "NodeUnreachable", message)]
        problem = dispatch.status.pod_problem
        if problem is not None:
            return [("Stalled", "True", problem.reason, f"{problem.pods} pods on {node}: {problem.message}")]
    if facts.uncleared:
        nodes = ", ".join(facts.uncleared)
        return [("Stalled", "True", "DeletionOverdue", f"not yet stopped and cleared away on {nodes}")]
    if any(c.type == "Stalled" and c.status == "True" for c in facts.job.status.conditions):
        return [("Stalled", "False", "Progressing", "")]
    return []


def urgent(old: ComputeJobStatus, new: ComputeJobStatus) -> bool:
    """Whether somebody may wait for the change: a refusal, an end, a pause, trouble and its end.

    That it waits for room, was placed and runs is not: work that ends soon is never written as any of these.
    """
    before = {(c.type, c.status, c.reason) for c in old.conditions}
    changed = {c.type for c in new.conditions if (c.type, c.status, c.reason) not in before}
    return not changed <= _BEGINNING or (old.phase is not new.phase and new.phase not in _UNDER_WAY)


def status_patch(old: ComputeJobStatus, new: ComputeJobStatus) -> Manifest | None:
    """The merge patch from one status to the other, or None where they are the same."""
    return merge_patch(old.to_manifest(), new.to_manifest()) or None


def merge_patch(before: Manifest, after: Manifest) -> Manifest:
    """The JSON merge patch (RFC 7386) that turns one object into the other."""
    patch: Manifest = {key: None for key in before if key not in after}
    for key, value in after.items():
        old = before.get(key)
        if old == value and key in before:
            continue
        patch[key] = merge_patch(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return patch
