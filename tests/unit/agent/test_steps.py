from itertools import product
from typing import Any

import pytest
from tests.unit.agent.objects import dispatch, job

from isthmus.agent.steps import Facts, Step, next_step

LIVE = ("Accepted", "Running", "Suspended")
ENDED = ("Succeeded", "Failed", "Cancelled", "Refused", "Lost")


def _step(
    state: str | None, desired: str = "Running", *, job_uid: str = "", released: bool = False, **facts: Any
) -> Step:
    shown = dispatch(state, desired, jobUid=job_uid, released=released)
    usual = {"job": None, "pods": 0, "unsettled": 0, "may_create": False, "awaiting_watch": False}
    return next_step(Facts(shown, **{**usual, **facts}))


@pytest.mark.parametrize(
    ("expected", "state", "desired", "facts"),
    [
        pytest.param(Step.ACCEPT, None, "Running", {}, id="new"),
        pytest.param(Step.ACCEPT, None, "Suspended", {}, id="new, suspended"),
        pytest.param(Step.ACCEPT, None, "Running", {"job": job()}, id="not accepted, its Job there already"),
        pytest.param(Step.WITHDRAW, None, "Cancelled", {}, id="cancelled before it was accepted"),
        pytest.param(Step.CREATE, "Accepted", "Running", {"may_create": True}, id="accepted here"),
        pytest.param(Step.RECOVER, "Accepted", "Running", {}, id="accepted by another process"),
        pytest.param(Step.RECOVER, "Accepted", "Cancelled", {"may_create": True}, id="accepted here, then cancelled"),
        pytest.param(
            Step.RECOVER, "Running", "Running", {"may_create": True, "job_uid": "u"}, id="its Job was there once"
        ),
        pytest.param(Step.WAIT, "Accepted", "Running", {"awaiting_watch": True}, id="created just now"),
        pytest.param(Step.WAIT, "Accepted", "Cancelled", {"awaiting_watch": True}, id="created just now, cancelled"),
        pytest.param(Step.REPORT, "Accepted", "Running", {"job": job()}, id="runs"),
        pytest.param(Step.LOSE, "Accepted", "Running", {"job": job(placeholder=True, suspend=True)}, id="placeholder"),
        pytest.param(Step.LOSE, "Accepted", "Cancelled", {"job": job(placeholder=True)}, id="placeholder, cancelled"),
        pytest.param(Step.SUSPEND, "Running", "Suspended", {"job": job()}, id="to be suspended"),
        pytest.param(Step.RESUME, "Suspended", "Running", {"job": job(suspend=True)}, id="to be resumed"),
        pytest.param(Step.REPORT, "Suspended", "Suspended", {"job": job(suspend=True)}, id="is suspended"),
        pytest.param(Step.DELETE, "Running", "Cancelled", {"job": job()}, id="to be cancelled"),
        pytest.param(Step.DELETE, "Suspended", "Cancelled", {"job": job(suspend=True)}, id="cancelled while suspended"),
        pytest.param(Step.REPORT, "Running", "Cancelled", {"job": job(deleting=True)}, id="is being deleted"),
        pytest.param(
            Step.REPORT, "Running", "Cancelled", {"job": job(condition="Complete")}, id="ended, then cancelled"
        ),
        pytest.param(
            Step.REPORT, "Running", "Suspended", {"job": job(condition="Failed")}, id="failed, then suspended"
        ),
        pytest.param(Step.REPORT, "Accepted", "Running", {"job": job(suspend=True, queued=True)}, id="held by a queue"),
        pytest.param(Step.SUSPEND, "Running", "Suspended", {"job": job(queued=True)}, id="a queue's, to be suspended"),
        pytest.param(
            Step.SUSPEND, "Accepted", "Suspended", {"job": job(suspend=True, queued=True)}, id="may begin at any moment"
        ),
        pytest.param(Step.REPORT, "Running", "Suspended", {"job": job(suspend=True, held=True)}, id="held suspended"),
        pytest.param(
            Step.SUSPEND, "Running", "Suspended", {"job": job(held=True)}, id="held, and resumed all the same"
        ),
        pytest.param(Step.RESUME, "Suspended", "Running", {"job": job(suspend=True, held=True)}, id="to be let go"),
        pytest.param(Step.RESUME, "Suspended", "Running", {"job": job(held=True)}, id="let go, and not marked so yet"),
        pytest.param(Step.REPORT, "Running", "Running", {"job": job(queued=True)}, id="a queue lets it run"),
        pytest.param(Step.DELETE, "Running", "Cancelled", {"job": job(queued=True)}, id="in a queue, to be cancelled"),
        pytest.param(Step.WAIT, "Succeeded", "Running", {"job": job(condition="Complete")}, id="a tombstone"),
        pytest.param(Step.RELEASE, "Succeeded", "Running", {"pods": 1}, id="ended, pods settled and held"),
        pytest.param(Step.SETTLE, "Succeeded", "Running", {"pods": 2, "unsettled": 1}, id="ended, a pod unsettled"),
        pytest.param(Step.DELETE, "Succeeded", "Cancelled", {"job": job(condition="Complete")}, id="to be cleared"),
        pytest.param(Step.DELETE, "Succeeded", "Cancelled", {"job": job(), "pods": 1}, id="to be cleared, pods held"),
        pytest.param(Step.WAIT, "Succeeded", "Cancelled", {"job": job(deleting=True)}, id="being cleared"),
        pytest.param(
            Step.RELEASE, "Succeeded", "Cancelled", {"job": job(deleting=True), "pods": 1}, id="cleared but for pods"
        ),
        pytest.param(Step.CLEAR, "Succeeded", "Cancelled", {}, id="nothing left"),
        pytest.param(Step.WAIT, "Succeeded", "Cancelled", {"released": True}, id="said so"),
        pytest.param(Step.DELETE, "Lost", "Running", {"job": job()}, id="lost, and its Job came after all"),
        pytest.param(
            Step.DELETE, "Cancelled", "Cancelled", {"job": job(), "released": True}, id="released, and its Job came"
        ),
        pytest.param(Step.WAIT, "Lost", "Running", {"job": job(placeholder=True)}, id="lost, its name held"),
        pytest.param(Step.DELETE, "Lost", "Cancelled", {"job": job(placeholder=True)}, id="lost, its name let go"),
        pytest.param(Step.DELETE, "Refused", "Running", {"job": job()}, id="refused, and an earlier create landed"),
    ],
)
def test_step(expected: Step, state: str | None, desired: str, facts: dict[str, Any]) -> None:
    """Each row of the protocol has its one step."""
    assert _step(state, desired, **facts) is expected


JOBS = {
    "none": None,
    "running": job(),
    "suspended": job(suspend=True),
    "deleting": job(deleting=True),
    "complete": job(condition="Complete"),
    "placeholder": job(placeholder=True, suspend=True),
}


def test_only_the_process_that_accepted_creates() -> None:
    """Whatever else holds: a Job is created only after this process accepted, never again once one was there."""
    for state, desired, found, uid, awaiting in product(
        (None, *LIVE, *ENDED), ("Running", "Suspended", "Cancelled"), JOBS.values(), ("", "u"), (False, True)
    ):
        step = _step(state, desired, job=found, job_uid=uid, awaiting_watch=awaiting)
        assert step is not Step.CREATE
        if _step(state, desired, job=found, job_uid=uid, awaiting_watch=awaiting, may_create=True) is Step.CREATE:
            assert (state in LIVE, found, uid, awaiting) == (True, None, "", False)


def test_an_ended_shard_never_begins_again() -> None:
    """From an ended Dispatch no step leads to a Job, or to another state than the one it ended in."""
    allowed = {Step.WAIT, Step.RELEASE, Step.SETTLE, Step.DELETE, Step.CLEAR}
    for state, desired, found, pods in product(ENDED, ("Running", "Suspended", "Cancelled"), JOBS.values(), (0, 1)):
        for unsettled, may_create in product(range(pods + 1), (False, True)):
            facts: dict[str, Any] = {"job": found, "pods": pods, "unsettled": unsettled, "may_create": may_create}
            assert _step(state, desired, **facts) in allowed


def test_no_pod_is_let_go_before_its_reading_stands() -> None:
    """While a held pod is in no written reading, no finalizer is taken off."""
    for state, desired, found in product((None, *LIVE, *ENDED), ("Running", "Suspended", "Cancelled"), JOBS.values()):
        assert _step(state, desired, job=found, pods=2, unsettled=1) is not Step.RELEASE
        assert _step(state, desired, job=found, pods=2, unsettled=1) is not Step.CLEAR
