from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from tests.unit.agent.objects import MOMENT, STAMP, dispatch, job, pod

from isthmus.agent.observe import (
    awaits_controller,
    job_verdict,
    observe,
    pod_ended,
    pod_problem,
    succeeded_in,
    timestamp,
    without_job,
)
from isthmus.api.core import Job, Pod, SchedulingGate
from isthmus.api.dispatch import DispatchState, PodProblem


@pytest.mark.parametrize(
    ("found", "pods", "state"),
    [
        pytest.param(job(), [], "Accepted", id="nothing yet"),
        pytest.param(job(active=1), [pod("Pending")], "Accepted", id="pods wait"),
        pytest.param(job(active=1), [pod("Running")], "Running", id="a pod runs"),
        pytest.param(job(active=1, ready=1), [], "Running", id="the Job says so first"),
        pytest.param(job(succeeded=1), [pod("Pending")], "Running", id="one is done"),
        pytest.param(job(failed=1), [pod("Pending")], "Running", id="one has failed"),
        pytest.param(job(), [pod("Succeeded")], "Running", id="one is done, uncounted"),
        pytest.param(job(suspend=True), [], "Suspended", id="suspended"),
        pytest.param(job(suspend=True), [pod("Running")], "Suspended", id="suspended, still stopping"),
        pytest.param(job(condition="Complete"), [pod("Succeeded")], "Succeeded", id="complete"),
        pytest.param(job(condition="Failed"), [pod("Failed")], "Failed", id="failed"),
        pytest.param(job(condition="Complete"), [], "Succeeded", id="complete, no pods left"),
        pytest.param(job(condition="Complete"), [pod("Running")], "Running", id="complete, a pod not seen to end"),
        pytest.param(job(condition="Failed"), [pod("Pending")], "Accepted", id="failed, a pod might still run"),
        pytest.param(job(condition="SuccessCriteriaMet"), [pod("Succeeded")], "Running", id="about to be complete"),
        pytest.param(job(condition="FailureTarget"), [pod("Failed")], "Running", id="about to have failed"),
    ],
)
def test_state(found: Job, pods: list[Pod], state: str) -> None:
    """A shard has ended only when its Job has, and no pod is left that could still run."""
    seen = observe(found, pods)
    assert (seen.state, seen.ended) == (DispatchState(state), state in {"Succeeded", "Failed"})
    assert (seen.reason, seen.message) == (("Why", "so") if seen.ended else ("", ""))
    assert seen.completion_time == (STAMP if seen.ended else None)


def test_the_jobs_own_completion_time_goes_before_its_conditions() -> None:
    """A failed Job has none, and ended when its condition came; a complete one says when."""
    assert observe(job(condition="Complete", completionTime="2026-11-22T11:59:00Z"), []).completion_time == (
        "2026-11-22T11:59:00Z"
    )
    assert observe(job(condition="Failed"), []).completion_time == STAMP


@pytest.mark.parametrize(
    ("found", "pods", "succeeded"),
    [
        pytest.param(job(succeeded=2), [pod("Succeeded", 0)], 2, id="the Job knows of more"),
        pytest.param(job(succeeded=0), [pod("Succeeded", 0), pod("Succeeded", 1)], 2, id="the pods do"),
        pytest.param(job(), [pod("Succeeded", 1, uid="a"), pod("Succeeded", 1, uid="b")], 1, id="an index counts once"),
        pytest.param(job(), [pod("Succeeded", uid="a"), pod("Succeeded", uid="b")], 2, id="without indexes"),
        pytest.param(
            job(condition="Complete", succeeded=1),
            [pod("Succeeded", 0), pod("Succeeded", 1)],
            1,
            id="at the end the Job's count holds",
        ),
    ],
)
def test_succeeded(found: Job, pods: list[Pod], succeeded: int) -> None:
    """Pods that succeeded count before their Job counts them: should it vanish, they must not be run again."""
    assert observe(found, pods).succeeded == succeeded


def test_nothing_is_taken_back() -> None:
    """Pods that succeeded and are gone, from a Job that has not counted them yet, stay counted until it ends."""
    told = dispatch("Running", succeeded=2).status
    seen = observe(job(active=2), [], told)
    assert (seen.state, seen.succeeded) == (DispatchState.RUNNING, 2)
    assert observe(job(condition="Complete", succeeded=1), [], told).succeeded == 1
    assert observe(job(), [], dispatch("Suspended").status).state is DispatchState.ACCEPTED


@pytest.mark.parametrize(
    ("spec", "pods", "state", "reason"),
    [
        pytest.param({}, [], "Lost", "JobVanished", id="one pod, none left"),
        pytest.param({}, [pod("Failed")], "Lost", "JobVanished", id="one pod, failed"),
        pytest.param({}, [pod("Succeeded")], "Succeeded", "PodsSucceeded", id="one pod, succeeded"),
        pytest.param({"completions": 2}, [pod("Succeeded", 0)], "Lost", "JobVanished", id="one of two"),
        pytest.param(
            {"completions": 2},
            [pod("Succeeded", 0, uid="a"), pod("Succeeded", 0, uid="b")],
            "Lost",
            "JobVanished",
            id="one of two, twice",
        ),
        pytest.param(
            {"completions": 2},
            [pod("Succeeded", 0), pod("Failed", 1), pod("Succeeded", 1)],
            "Succeeded",
            "PodsSucceeded",
            id="both, one at the second try",
        ),
        pytest.param({"parallelism": 3}, [pod("Succeeded")], "Lost", "JobVanished", id="work queue: nobody can know"),
        pytest.param({"completions": 0}, [], "Lost", "JobVanished", id="no completions at all"),
    ],
)
def test_without_job(spec: Any, pods: list[Pod], state: str, reason: str) -> None:
    """A shard whose Job somebody deleted has succeeded where its pods show that, and is lost elsewhere."""
    found = without_job(dispatch("Running", spec=spec), pods)
    assert found[:2] == (DispatchState(state), reason)
    assert found[2]


@pytest.mark.parametrize(("told", "state"), [(1, "Lost"), (2, "Succeeded")])
def test_without_job_and_pods(told: int, state: str) -> None:
    """What was told of pods that are gone by now holds."""
    shown = dispatch("Running", spec={"completions": 2}, succeeded=told)
    assert without_job(shown, [])[0] is DispatchState(state)


def _waiting(reason: str, uid: str) -> Pod:
    return pod(
        "Pending", uid=uid, containerStatuses=[{"name": "c", "state": {"waiting": {"reason": reason, "message": "m"}}}]
    )


def _condition(reason: str, uid: str) -> Pod:
    condition = {"type": "PodScheduled", "status": "False", "reason": reason, "message": "0/3 nodes"}
    return pod("Pending", uid=uid, conditions=[condition])


@pytest.mark.parametrize(
    ("pods", "problem"),
    [
        pytest.param([], None, id="none"),
        pytest.param([_waiting("ContainerCreating", "a")], None, id="only slow"),
        pytest.param([_waiting("ErrImagePull", "a")], ("ErrImagePull", "m", 1), id="image"),
        pytest.param(
            [_waiting("ErrImagePull", "a"), _condition("Unschedulable", "b"), _condition("Unschedulable", "c")],
            ("Unschedulable", "0/3 nodes", 2),
            id="the commonest",
        ),
        pytest.param(
            [_waiting("ImagePullBackOff", "a"), _waiting("CrashLoopBackOff", "b")],
            ("CrashLoopBackOff", "m", 1),
            id="of equals the first by name",
        ),
        pytest.param([_condition("SchedulingGated", "a")], None, id="gated on purpose"),
        pytest.param([_condition("", "a")], ("Unschedulable", "0/3 nodes", 1), id="no reason given"),
        pytest.param(
            [pod("Failed", containerStatuses=[{"name": "c", "state": {"waiting": {"reason": "ErrImagePull"}}}])],
            None,
            id="it has ended",
        ),
    ],
)
def test_pod_problem(pods: list[Pod], problem: tuple[str, str, int] | None) -> None:
    """What keeps most pods from running is told, where waiting alone will not help."""
    expected = None if problem is None else PodProblem(reason=problem[0], message=problem[1], pods=problem[2])
    assert pod_problem(pods) == expected


@pytest.mark.parametrize(
    ("phase", "late", "told"),
    [
        pytest.param("Running", 59, False, id="within its time"),
        pytest.param("Running", 61, True, id="over its time"),
        pytest.param("Succeeded", 600, False, id="ended, and only held"),
    ],
)
def test_pods_that_do_not_end(phase: str, late: float, told: bool) -> None:
    """A pod that has not ended a minute after its grace is told of, by the member's clock: its machine may be dead."""
    held = pod(phase, machine="m1")
    held.metadata.deletion_timestamp = MOMENT
    found = observe(job(), [held], now=MOMENT + timedelta(seconds=late)).problem
    assert (found is not None and (found.reason, found.pods) == ("Terminating", 1)) is told
    assert observe(job(), [held]).problem is None


@pytest.mark.parametrize(
    ("made", "late", "told"),
    [
        pytest.param({}, 59, False, id="it may be about to"),
        pytest.param({}, 61, True, id="none has"),
        pytest.param({"machine": "m1"}, 600, False, id="bound"),
        pytest.param({"conditions": [{"type": "PodScheduled", "status": "True"}]}, 600, False, id="one has"),
    ],
)
def test_pods_that_no_scheduler_looks_at(made: dict[str, Any], late: float, told: bool) -> None:
    """A scheduler that does not run says nothing: after a minute that is told."""
    waiting = pod("Pending", **made)
    waiting.metadata.creation_timestamp = MOMENT
    found = observe(job(), [waiting], now=MOMENT + timedelta(seconds=late)).problem
    assert (found is not None and found.reason == "NoScheduler") is told
    waiting.spec.scheduling_gates = [SchedulingGate(name="held")]
    assert observe(job(), [waiting], now=MOMENT + timedelta(seconds=600)).problem is None


def _tracked(phase: str) -> Pod:
    found = pod(phase)
    found.metadata.finalizers = ["batch.kubernetes.io/job-tracking"]
    return found


@pytest.mark.parametrize(
    ("found", "pods", "awaits"),
    [
        pytest.param(job(active=1), [_tracked("Running"), _tracked("Succeeded")], "", id="a pod runs on"),
        pytest.param(job(active=1), [_tracked("Succeeded")], "count 1 pods that ended", id="all have ended"),
        pytest.param(job(), [pod("Succeeded")], "", id="counted"),
        pytest.param(job(condition="Complete"), [_tracked("Succeeded")], "", id="complete"),
        pytest.param(job(deleting=True), [_tracked("Succeeded")], "", id="being deleted"),
        pytest.param(
            job(suspend=True, startTime=STAMP),
            [_tracked("Running")],
            "stop the pods of a Job that was suspended",
            id="suspended, unseen",
        ),
        pytest.param(job(suspend=True, condition="Suspended"), [], "", id="suspended"),
        pytest.param(job(condition="Suspended"), [], "go on with a Job that was resumed", id="resumed, unseen"),
    ],
)
def test_what_waits_for_the_controller(found: Job, pods: list[Pod], awaits: str) -> None:
    """Where nothing but the Job's controller can get the shard on, it is known what that has to do."""
    assert awaits_controller(found, pods) == awaits


def test_a_shard_that_ended_has_no_problem() -> None:
    """What kept pods waiting is over with the shard."""
    assert observe(job(condition="Failed"), [pod("Failed")]).problem is None
    assert observe(job(), [_waiting("ErrImagePull", "a")]).problem is not None


def test_timestamps_are_utc_in_whole_seconds() -> None:
    """As Kubernetes writes them, whatever the offset."""
    assert timestamp(None) is None
    assert timestamp(datetime(2026, 11, 22, 20, 0, 0, 999, tzinfo=timezone(timedelta(hours=8)))) == STAMP
    assert timestamp(MOMENT) == STAMP


def test_verdict_and_end() -> None:
    """A condition that is not True is no verdict; a pod ends with its phase."""
    assert job_verdict(job()) is None
    assert job_verdict(job(condition="Complete")) == (DispatchState.SUCCEEDED, "Why", "so")
    assert [pod_ended(pod(phase)) for phase in ("Pending", "Running", "Unknown", "Succeeded", "Failed")] == [
        False,
        False,
        False,
        True,
        True,
    ]
    assert succeeded_in([]) == 0


def test_what_a_deletion_kills_is_no_failure() -> None:
    """Pods that die with their Job may be counted as failed, and it be failed for them: neither is believed."""
    told = dispatch("Running", failed=2).status
    killed = job(condition="Failed", reason="BackoffLimitExceeded", deleting=True, failed=9)
    seen = observe(killed, [pod("Failed")], told)
    assert (seen.state, seen.ended, seen.failed) == (DispatchState.RUNNING, False, 2)
    assert observe(killed, [], None).failed == 0
    running = job(failed=9)
    assert observe(running, [], told).failed == 9


def test_a_failure_before_the_deletion_stands() -> None:
    """A Job that had failed, or was about to, before somebody deleted it has failed."""
    before = job(condition="Failed", reason="BackoffLimitExceeded", deleting=True)
    before.metadata.deletion_timestamp = MOMENT + timedelta(seconds=1)
    assert job_verdict(before) == (DispatchState.FAILED, "BackoffLimitExceeded", "so")
    complete = job(condition="Complete", deleting=True)
    assert job_verdict(complete) == (DispatchState.SUCCEEDED, "Why", "so")


@pytest.mark.parametrize(
    ("deleted", "machine", "ended"),
    [
        pytest.param(True, "", True, id="deleted before it was bound"),
        pytest.param(True, "m1", False, id="deleted, its kubelet has yet to stop it"),
        pytest.param(False, "", False, id="it waits"),
    ],
)
def test_a_pod_that_can_not_be_bound_any_more_has_ended(deleted: bool, machine: str, ended: bool) -> None:
    """The end of a shard does not wait until the member's garbage collector marks such a pod, and nothing has begun."""
    waiting = pod("Pending", 0, machine=machine)
    waiting.metadata.deletion_timestamp = MOMENT if deleted else None
    assert pod_ended(waiting) is ended
    assert observe(job(), [waiting]).state is DispatchState.ACCEPTED
    assert observe(job(condition="Failed"), [waiting]).ended is ended
