"""A ComputeJob's status from its Dispatches, its bill and what placement said. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from isthmus.api.computejob import ComputeJob, ComputeJobStatus, Explanation, Money, Phase, Shard
from isthmus.api.conditions import Condition, truncated, with_condition
from isthmus.api.core import Manifest
from isthmus.api.dispatch import TERMINAL, Dispatch, DispatchState
from isthmus.manifests import Refusal
from isthmus.placement import Unplaced

MAX_ATTEMPTS = 64
INDEXES_LIMIT = 4096
_UNTIMELY = frozenset({DispatchState.LOST, DispatchState.REFUSED})


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a job's status is made of."""

    job: ComputeJob
    dispatches: Sequence[tuple[str, Dispatch]]
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
    now: str


def job_status(facts: Facts) -> ComputeJobStatus:
    """The whole status that the job should have now."""
    last = facts.dispatches[-1][1] if facts.dispatches else None
    phase = _phase(facts, last)
    live = [(node, d) for node, d in facts.dispatches if d.status.state not in TERMINAL]
    told = live or list(facts.dispatches[-1:])
    succeeded = sum(d.status.succeeded for _, d in facts.dispatches)
    update = {
        "observed_generation": facts.job.metadata.get("generation", 0),
        "phase": phase,
        "completions": facts.completions,
        "active": sum(d.status.active for _, d in live),
        "succeeded": succeeded,
        "failed": sum(d.status.failed for _, d in facts.dispatches),
        "completed_indexes": _indexes(last.status.completed_indexes) if last else None,
        "failed_indexes": _indexes(last.status.failed_indexes) if last else None,
        "nodes": ",".join(sorted({node for node, _ in told}))[:256],
        "done": f"{succeeded}/{facts.completions}" if facts.completions is not None else f"{succeeded}",
        "gpus": facts.gpus,
        "start_time": min((d.status.start_time for _, d in facts.dispatches if d.status.start_time), default=None),
        "completion_time": _completion(facts, phase, last),
        "estimate": facts.estimate or facts.job.status.estimate,
        "cost": facts.cost or facts.job.status.cost,
        "shards": [_shard(node, dispatch) for node, dispatch in facts.dispatches][-64:],
        "explanation": facts.explanation or facts.job.status.explanation,
    }
    return facts.job.status.model_copy(update={**update, "conditions": _conditions(facts, phase, last, live)})


def _phase(facts: Facts, last: Dispatch | None) -> Phase:
    if facts.refusal is not None:
        return Phase.FAILED
    state = last.status.state if last else None
    if last is not None and state not in TERMINAL:
        running = {DispatchState.RUNNING: Phase.RUNNING, DispatchState.SUSPENDED: Phase.SUSPENDED}
        return running.get(state, Phase.DISPATCHED) if state else Phase.DISPATCHED
    if state is DispatchState.SUCCEEDED:
        return Phase.SUCCEEDED
    obeyed = facts.job.spec.cancel and state is DispatchState.CANCELLED
    if state is DispatchState.FAILED or (given_up(facts.dispatches) is not None and not obeyed):
        return Phase.FAILED
    if facts.job.spec.cancel:
        return Phase.CANCELLED
    return Phase.SUSPENDED if facts.job.spec.suspend else Phase.PENDING


def given_up(dispatches: Sequence[tuple[str, Dispatch]]) -> tuple[str, str] | None:
    """Why no further attempt is made after the last one was lost, or None where one is."""
    if not dispatches or dispatches[-1][1].status.state in (None, DispatchState.SUCCEEDED, DispatchState.FAILED):
        return None
    node, last = dispatches[-1]
    if last.status.state is DispatchState.LOST and last.status.succeeded > 0:
        message = f"{last.status.succeeded} pods had succeeded on {node} when its Job vanished; apply the job anew"
        return "PartlyLost", f"{message} to run it as a whole again"
    if last.spec.attempt >= MAX_ATTEMPTS and last.status.state in TERMINAL:
        return "TooManyAttempts", f"{last.spec.attempt} attempts were lost or refused, the last on {node}"
    return None


def _completion(facts: Facts, phase: Phase, last: Dispatch | None) -> str | None:
    if phase not in (Phase.SUCCEEDED, Phase.FAILED, Phase.CANCELLED):
        return None
    ended = last.status.completion_time if last else None
    return facts.job.status.completion_time or ended or facts.now


def _shard(node: str, dispatch: Dispatch) -> Shard:
    return Shard(
        node=node,
        dispatch=dispatch.metadata["name"],
        attempt=dispatch.spec.attempt,
        # That a node has taken it and has not begun is no news worth a write of its own.
        state="Pending" if dispatch.status.state in (None, DispatchState.ACCEPTED) else str(dispatch.status.state),
        message=truncated(dispatch.status.message, 256) if dispatch.status.state in _UNTIMELY else "",
        start_time=dispatch.status.start_time,
        completion_time=dispatch.status.completion_time,
    )


def _indexes(text: str | None) -> str | None:
    return text if text and len(text) <= INDEXES_LIMIT else None


Verdict = tuple[str, Literal["True", "False", "Unknown"], str, str]


def _conditions(
    facts: Facts, phase: Phase, last: Dispatch | None, live: Sequence[tuple[str, Dispatch]]
) -> list[Condition]:
    verdicts = [*_admitted(facts), *_placed(facts, last, live), *_ended(facts, phase, last), *_stalled(facts, live)]
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
    if facts.admitted:
        return [("Admitted", "True", "TemplateValid", "the template is one that the API server takes")]
    return []


def _placed(facts: Facts, last: Dispatch | None, live: Sequence[tuple[str, Dispatch]]) -> list[Verdict]:
    if live or (last is not None and last.status.state in (DispatchState.SUCCEEDED, DispatchState.FAILED)):
        node = (live or facts.dispatches)[-1][0]
        return [("Placed", "True", "Dispatched", f"placed on {node}")]
    if facts.refusal is not None or facts.job.spec.cancel:
        return []
    if facts.job.spec.suspend:
        return [("Placed", "False", "Suspended", "the job is suspended; set spec.suspend to false to have it placed")]
    if facts.problem is not None:
        return [("Placed", "False", *facts.problem)]
    if facts.unplaced is not None:
        before = f"; {facts.dispatches[-1][0]} had it before: {last.status.message}" if last is not None else ""
        return [("Placed", "False", facts.unplaced.reason, facts.unplaced.message + before)]
    return []


def _ended(facts: Facts, phase: Phase, last: Dispatch | None) -> list[Verdict]:
    if phase is Phase.SUCCEEDED and last is not None:
        return [("Complete", "True", last.status.reason or "Complete", last.status.message or "all pods succeeded")]
    if phase is Phase.CANCELLED:
        return [("Failed", "True", "Cancelled", "spec.cancel was set")]
    if phase is not Phase.FAILED:
        return []
    if facts.refusal is not None:
        return [("Failed", "True", facts.refusal.reason, facts.refusal.message)]
    reason, message = given_up(facts.dispatches) or ("Failed", "")
    if last is not None and last.status.state is DispatchState.FAILED:
        reason, message = last.status.reason or reason, last.status.message
    return [("Failed", "True", reason, message)]


def _stalled(facts: Facts, live: Sequence[tuple[str, Dispatch]]) -> list[Verdict]:
    """Stalled says that waiting is all that can be done; it is taken back as soon as that is over."""
    for node, dispatch in live:
        why = facts.unreachable.get(node)
        if why is not None:
            message = f"node {node} can't be reached ({why}); the job stays with it, and its state is told on return"
            return [("Stalled", "True", "NodeUnreachable", message)]
        problem = dispatch.status.pod_problem
        if problem is not None:
            return [("Stalled", "True", problem.reason, f"{problem.pods} pods on {node}: {problem.message}")]
    if any(c.type == "Stalled" and c.status == "True" for c in facts.job.status.conditions):
        return [("Stalled", "False", "Progressing", "")]
    return []


def urgent(old: ComputeJobStatus, new: ComputeJobStatus) -> bool:
    """Whether somebody may wait for the change: any condition, and any phase but that it runs now.

    Work that ends within the second is never written as Running, and progress is written once a second.
    """
    before = {(c.type, c.status, c.reason) for c in old.conditions}
    after = {(c.type, c.status, c.reason) for c in new.conditions}
    return before != after or (old.phase is not new.phase and new.phase is not Phase.RUNNING)


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
