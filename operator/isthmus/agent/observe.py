"""What a member's Job and pods say of a shard, in the words of a Dispatch status. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from isthmus.api.core import Job, Pod
from isthmus.api.dispatch import Dispatch, DispatchState, DispatchStatus, PodProblem

from .fence import seen_suspended, uncounted
from .jobconditions import failing_since, says_suspended
from .queued import rests, waits
from .shardindexes import INDEX, IndexTally, tally

_ENDED = frozenset({"Succeeded", "Failed"})
# A kubelet may take a while beyond a pod's grace; one whose machine is down says nothing any more.
TERMINATING_SECONDS = 60.0
# A scheduler says of a pod within moments that it finds no machine for it; with many in its queue it takes a while.
UNSCHEDULED_SECONDS = 60.0
# A container that waits for one of these will not start by waiting alone.
_WAITING_PROBLEMS = frozenset(
    {
        "CreateContainerConfigError",
        "CreateContainerError",
        "CrashLoopBackOff",
        "ErrImageNeverPull",
        "ErrImagePull",
        "ImageInspectError",
        "ImagePullBackOff",
        "InvalidImageName",
        "RunContainerError",
    }
)


@dataclass(frozen=True, slots=True)
class Observation:
    """The shard as the member shows it; `ended` only once no pod is left that could still run."""

    state: DispatchState
    ended: bool
    reason: str
    message: str
    active: int
    succeeded: int
    failed: int
    completed_indexes: str | None
    failed_indexes: str | None
    start_time: str | None
    completion_time: str | None
    index_failures: dict[str, str] | None
    problem: PodProblem | None


def pod_ended(pod: Pod) -> bool:
    """Whether no container of the pod runs or will run again.

    One that is deleted before it is bound will not: the API server binds no pod that is being deleted. Its phase says
    so only when the member's pod garbage collector comes by, every 20 seconds.
    """
    never_bound = pod.metadata.deletion_timestamp is not None and not pod.spec.node_name
    return never_bound or pod.status.phase in _ENDED


def timestamp(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC, whole seconds, as Kubernetes writes it."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def job_verdict(job: Job) -> tuple[DispatchState, str, str] | None:
    """How the Job ended, with its controller's reason and message, or None while it has not.

    A controller may count the pods that a deletion of the Job kills as failures, and fail the Job for them: of one that
    is being deleted only what it said before is believed.
    """
    killed = job.metadata.deletion_timestamp is not None and not _failing_before(job, job.metadata.deletion_timestamp)
    for condition in job.status.conditions:
        if condition.status != "True":
            continue
        if condition.type == "Complete":
            return DispatchState.SUCCEEDED, condition.reason or "Complete", condition.message
        if condition.type == "Failed" and not killed:
            return DispatchState.FAILED, condition.reason or "Failed", condition.message
    return None


def _failing_before(job: Job, deletion: datetime) -> bool:
    """Whether the Job's controller had found it failed before its deletion was asked for."""
    since = failing_since(job)
    return since is not None and since < deletion


def observe(
    job: Job,
    pods: Iterable[Pod],
    told: DispatchStatus | None = None,
    numbered: IndexTally | None = None,
    now: datetime | None = None,
) -> Observation:
    """Read the shard's state off its Job, those of its pods that are known, and what was `told` of it before.

    The Job may be older than the pods: it counts them late, and each is watched apart. Nothing is taken back for that.
    `numbered` are the indexes of a shard that has them: there, they are what counts. `now` is the member's own time.
    """
    known = list(pods)
    verdict = job_verdict(job)
    running = any(pod.status.phase == "Running" for pod in known) or job.status.ready > 0
    # What its queue has stopped waits as it did at first; of a part that is done there is word below.
    begun = running or (told is not None and told.state is DispatchState.RUNNING and not waits(job))
    begun = begun or job.status.succeeded + job.status.failed > 0 or any(pod.status.phase in _ENDED for pod in known)
    if verdict is not None and all(map(pod_ended, known)):
        state, reason, message = verdict
    elif rests(job):
        state, reason, message = DispatchState.SUSPENDED, "", ""
    else:
        state = DispatchState.RUNNING if begun else DispatchState.ACCEPTED
        reason = message = ""
    ended = state in (DispatchState.SUCCEEDED, DispatchState.FAILED)
    # Pods are seen to succeed before their Job counts them; should it vanish, they must not be run again.
    before = told.succeeded if told is not None else 0
    succeeded = max(job.status.succeeded, 0 if verdict is not None else max(succeeded_in(known), before))
    if numbered is not None:
        succeeded = len(numbered.completed)
    last = max((c.last_transition_time for c in job.status.conditions if c.last_transition_time), default=None)
    return Observation(
        state=state,
        ended=ended,
        reason=reason,
        message=message[:1024],
        active=job.status.active,
        succeeded=succeeded,
        failed=job.status.failed if job.metadata.deletion_timestamp is None else told.failed if told is not None else 0,
        completed_indexes=numbered.completed_text if numbered else None,
        failed_indexes=numbered.failed_text if numbered else None,
        start_time=timestamp(job.status.start_time),
        completion_time=timestamp(job.status.completion_time or last) if ended else None,
        index_failures=numbered.failures if numbered else None,
        problem=None if ended else pod_problem(known, now),
    )


def succeeded_in(pods: Iterable[Pod]) -> int:
    """How many of the pods succeeded; of an Indexed Job, how many of its indexes have one that did."""
    succeeded = [pod.metadata for pod in pods if pod.status.phase == "Succeeded"]
    return len({metadata.annotations.get(INDEX, metadata.uid) for metadata in succeeded})


def without_job(dispatch: Dispatch, pods: Iterable[Pod]) -> tuple[DispatchState, str, str]:
    """How a shard ended whose Job is gone, by somebody else's hand: state, reason and message.

    `pods` are those that are left of it, all of them ended. Where they, or what was told before, show that everything
    had succeeded, it has; of an Indexed Job, that each of its indexes had.
    """
    known, spec = list(pods), dispatch.spec.manifest["spec"]
    numbered = tally(dispatch, None, known)
    completions = spec.get("completions") or (1 if spec.get("parallelism", 1) == 1 else None)
    if numbered is not None:
        everything = numbered.all_completed and bool(completions)
    else:
        everything = completions is not None and max(dispatch.status.succeeded, succeeded_in(known)) >= completions
    if everything:
        return DispatchState.SUCCEEDED, "PodsSucceeded", "the member's Job is gone, after all its pods had succeeded"
    return DispatchState.LOST, "JobVanished", "the member's Job is gone, and it was not Isthmus that deleted it"


def has_stopped(job: Job, pods: Iterable[Pod]) -> bool:
    """Whether the Job is suspended, its controller has seen that, and none of its pods could still succeed."""
    quiet = not (job.status.active or job.status.terminating)
    return job.spec.suspend and says_suspended(job) and quiet and all(map(pod_ended, pods))


def awaits_pods(job: Job, pods: Iterable[Pod]) -> bool:
    """Whether the Job should have a pod by now, and none was ever seen."""
    counted = job.status.active + job.status.succeeded + job.status.failed
    wanted = (job.spec.parallelism is None or job.spec.parallelism > 0) and job.spec.completions != 0
    going = job.metadata.deletion_timestamp is not None or job_verdict(job) is not None
    return wanted and not (counted or job.spec.suspend or going or any(True for _ in pods))


def awaits_controller(job: Job, pods: Iterable[Pod]) -> str:
    """What only the Job's controller can do next, for people; empty where something else may get the shard on."""
    if job.metadata.deletion_timestamp is not None or job_verdict(job) is not None:
        return ""
    if job.spec.suspend and not seen_suspended(job):
        return "stop the pods of a Job that was suspended"
    if not job.spec.suspend and says_suspended(job):
        return "go on with a Job that was resumed"
    known = list(pods)
    left = len(uncounted(known)) if all(map(pod_ended, known)) else 0
    return f"count {left} pods that ended" if left else ""


def pod_problem(pods: Iterable[Pod], now: datetime | None = None) -> PodProblem | None:
    """The commonest thing that keeps pods from running or from ending, where one does and it is worth telling.

    `now` is the member's own time, or None where that is not known.
    """
    counts: Counter[str] = Counter()
    messages: dict[str, str] = {}
    for pod in pods:
        for reason, message in _problems(pod, now):
            counts[reason] += 1
            messages.setdefault(reason, message)
            break
    if not counts:
        return None
    reason, number = min(counts.items(), key=lambda item: (-item[1], item[0]))
    return PodProblem(reason=reason[:128], message=messages[reason][:1024], pods=number)


def _problems(pod: Pod, now: datetime | None) -> Iterable[tuple[str, str]]:
    if pod_ended(pod):
        return
    due = pod.metadata.deletion_timestamp  # with the grace period
    if due is not None and now is not None and now - due > timedelta(seconds=TERMINATING_SECONDS):
        machine = pod.spec.node_name
        yield "Terminating", f"it was to have ended at {timestamp(due)}; its machine {machine} may be down"
    for status in (*pod.status.init_container_statuses, *pod.status.container_statuses):
        waiting = status.state.waiting
        if waiting is not None and waiting.reason in _WAITING_PROBLEMS:
            yield waiting.reason, waiting.message
    if now is not None and _unscheduled(pod, now):
        yield "NoScheduler", "no scheduler has looked at it; does the one that its schedulerName names run?"
    for condition in pod.status.conditions:
        if condition.type == "PodScheduled" and condition.status == "False" and condition.reason != "SchedulingGated":
            yield condition.reason or "Unschedulable", condition.message


def _unscheduled(pod: Pod, now: datetime) -> bool:
    """Whether the pod could long have been bound, and no scheduler has said anything of it."""
    made, bound = pod.metadata.creation_timestamp, bool(pod.spec.node_name)
    if bound or pod.spec.scheduling_gates or any(c.type == "PodScheduled" for c in pod.status.conditions):
        return False
    return made is not None and now - made > timedelta(seconds=UNSCHEDULED_SECONDS)
