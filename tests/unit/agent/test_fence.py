from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.agent.objects import MOMENT, STAMP, dispatch, job, pod

from isthmus.agent.fence import (
    FENCED,
    FORGOTTEN,
    NEVER_ACCEPTED,
    as_lost,
    first_limit,
    lease_stale,
    limit_of,
    resumed_limit,
    seen_suspended,
    stopped_by_fence,
    unaccounted,
    uncounted,
    unstarted,
)
from isthmus.api.core import Job, Lease
from isthmus.api.dispatch import Dispatch, DispatchState, DispatchStatus

FENCE = 20
SUSPENDED = {"type": "Suspended", "status": "True"}


def _fenced(desired: str = "Running", *, own: int | None = None, after: int = FENCE, **status: Any) -> Dispatch:
    plain = dispatch("Running", desired, spec={"activeDeadlineSeconds": own} if own else None, **status)
    fence = {"afterSeconds": after, "stopAllowanceSeconds": 5}
    spec = plain.spec.model_copy(update={"fence": type(plain).model_validate(_with_fence(plain, fence)).spec.fence})
    return plain.model_copy(update={"spec": spec})


def _with_fence(plain: Dispatch, fence: dict[str, int]) -> dict[str, Any]:
    body: dict[str, Any] = {"metadata": plain.metadata, "spec": plain.spec.to_manifest()}
    body["spec"]["fence"] = fence
    return body


def _at(seconds: float) -> datetime:
    return MOMENT + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("own", "current", "at", "expected"),
    [
        pytest.param(None, 20, 0, (20, None, True), id="fresh"),
        pytest.param(None, 20, 9.5, (10.5, None, True), id="not yet half gone"),
        pytest.param(None, 20, 10.5, (9.5, 30, True), id="half gone"),
        pytest.param(None, 20, 19.9, (0.1, 39, True), id="just in time"),
        pytest.param(None, 20, 20.5, (-0.5, None, True), id="over, left to the member"),
        pytest.param(None, 20, 24, (-4, None, False), id="over, and the member does nothing"),
        pytest.param(None, None, 100, (20, 120, False), id="somebody took it off"),
        pytest.param(None, 5000, 100, (4900, 120, False), id="somebody put it off"),
        pytest.param(None, 10**12, 100, (10**12 - 100, 120, False), id="somebody put it off for ever"),
        pytest.param(None, 20, -3600, (3620, None, False), id="a clock set back"),
        pytest.param(None, 120, 98.5, (21.5, None, True), id="a time that lags"),
        pytest.param(25, 20, 11, (9, 25, True), id="up to the user's own"),
        pytest.param(25, 25, 24, (1, None, True), id="the user's own is the limit"),
        pytest.param(1000, 300, 290.2, (9.8, 310, True), id="the user's own is far"),
    ],
)
def test_limit(own: int | None, current: int | None, at: float, expected: tuple[float, int | None, bool]) -> None:
    """What is left, what is to be written, and whether the limit can be relied on."""
    limit = limit_of(
        _fenced(own=own), job(spec={"activeDeadlineSeconds": current} if current else None, startTime=STAMP), _at(at)
    )
    assert limit is not None
    assert limit.left == pytest.approx(expected[0])
    assert (limit.set_to, limit.holds) == expected[1:]
    assert limit.again > 0


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        pytest.param(dispatch("Running"), job(startTime=STAMP), id="no fence"),
        pytest.param(_fenced(), job(), id="not begun"),
        pytest.param(_fenced(), job(suspend=True, startTime=STAMP), id="suspended"),
        pytest.param(_fenced("Suspended"), job(startTime=STAMP), id="to be suspended"),
        pytest.param(_fenced("Cancelled"), job(startTime=STAMP), id="to be cancelled"),
        pytest.param(_fenced(), job(deleting=True, startTime=STAMP), id="being deleted"),
        pytest.param(_fenced(), job(condition="FailureTarget", startTime=STAMP), id="being stopped"),
        pytest.param(_fenced(), job(condition="SuccessCriteriaMet", startTime=STAMP), id="about to succeed"),
        pytest.param(_fenced(), job(condition="Complete", startTime=STAMP), id="complete"),
    ],
)
def test_nothing_to_limit(given: Dispatch, shown: Any) -> None:
    """Nothing is put off of what does not run, or shall not."""
    assert limit_of(given, shown, _at(15)) is None


def test_begun_anew() -> None:
    """Until a resumed Job's controller has begun it anew, nothing holds, and nothing is put off from the former start.

    That takes moments; where it does not, the controller is silent.
    """
    former = {"activeDeadlineSeconds": 120}
    resumed = job(condition="Suspended", spec=former, startTime=STAMP)
    for at in (100, 119, 3600):
        limit = limit_of(_fenced(), resumed, _at(at))
        assert limit is not None
        assert (limit.left, limit.set_to, limit.holds) == (FENCE, None, False)
    assert unstarted(resumed)
    assert limit_of(_fenced(), job(condition="Suspended", suspend=True, spec=former, startTime=STAMP), _at(100)) is None
    begun = limit_of(_fenced(), job(spec=former, startTime=_at(101).isoformat()), _at(102))
    assert begun is not None
    assert (begun.set_to, begun.holds) == (FENCE + 1, False), "the limit that it was resumed with is set right"


@given(
    after=st.integers(5, 100_000),
    own=st.none() | st.integers(1, 200_000),
    current=st.none() | st.integers(1, 400_000),
    at=st.floats(0, 300_000),
)
def test_never_beyond(after: int, own: int | None, current: int | None, at: float) -> None:
    """What is written ends within the fence and within the user's own limit, and puts off what it replaces."""
    shown = job(spec={"activeDeadlineSeconds": current} if current else None, startTime=STAMP)
    limit = limit_of(_fenced(own=own, after=after), shown, _at(at))
    assert limit is not None
    assert limit.again > 0
    if limit.set_to is None:
        return
    assert limit.set_to <= at + after + 1e-6, "times are told in microseconds"
    assert own is None or limit.set_to <= own
    if current is not None and current <= at + after:
        assert limit.set_to > current
        assert current > at, "what is over is not taken up again"


@pytest.mark.parametrize(("own", "expected"), [(None, 20), (7, 7), (100, 20)])
def test_first_limit(own: int | None, expected: int) -> None:
    """A Job begins with the fence, or with the user's own limit where that is shorter."""
    assert first_limit(_fenced(own=own)) == expected


@pytest.mark.parametrize(
    ("status", "seen", "limit"),
    [
        pytest.param({}, True, 20, id="start cleared"),
        pytest.param({"startTime": STAMP}, False, 120, id="not seen yet"),
        pytest.param({"startTime": STAMP, "conditions": [SUSPENDED]}, True, 120, id="start kept"),
    ],
)
def test_resumed_limit(status: dict[str, Any], seen: bool, limit: int) -> None:
    """A resumed Job is not over at once where its controller keeps the former start until it begins anew."""
    shown = msgspec.convert({"metadata": {"name": "d"}, "spec": {"suspend": True}, "status": status}, Job)
    assert seen_suspended(shown) is seen
    assert resumed_limit(_fenced(), shown, _at(100)) == limit


@pytest.mark.parametrize(
    ("own", "at", "limit"),
    [
        pytest.param(7, 5, 7, id="own below the fence"),
        pytest.param(7, 100, 7, id="own below the fence, over by the former start"),
        pytest.param(100, 5, 25, id="own beyond the fence"),
        pytest.param(100, 90, 100, id="own beyond the fence, and below what the former start asks for"),
    ],
)
def test_resumed_with_a_limit_of_its_own(own: int, at: float, limit: int) -> None:
    """The user's own limit is never made longer by a resumption, whichever start the controller goes by."""
    kept = job(condition="Suspended", suspend=True, startTime=STAMP)
    assert resumed_limit(_fenced(own=own), kept, _at(at)) == limit
    cleared = job(condition="Suspended", suspend=True)
    assert resumed_limit(_fenced(own=own), cleared, _at(at)) == min(own, FENCE)


@given(after=st.integers(5, 100_000), own=st.integers(1, 200_000), ran=st.floats(0, 300_000), waits=st.floats(0, 1000))
def test_resumed_never_beyond_own(after: int, own: int, ran: float, waits: float) -> None:
    """From the new start on, a resumed Job never has longer than the user's own limit, put off or not."""
    given = _fenced(own=own, after=after)
    first = resumed_limit(given, job(condition="Suspended", suspend=True, startTime=STAMP), _at(ran))
    assert first is not None
    assert first <= own
    begun = job(spec={"activeDeadlineSeconds": first}, startTime=_at(ran + waits).isoformat())
    limit = limit_of(given, begun, _at(ran + waits + 1))
    assert limit is not None
    assert limit.set_to is None or limit.set_to <= own


@pytest.mark.parametrize(
    ("own", "current", "reason", "expected"),
    [
        pytest.param(None, 30, "DeadlineExceeded", True, id="the fence"),
        pytest.param(100, 30, "DeadlineExceeded", True, id="the fence before the user's own"),
        pytest.param(30, 30, "DeadlineExceeded", False, id="the user's own"),
        pytest.param(None, 30, "BackoffLimitExceeded", False, id="another end"),
    ],
)
def test_whose_limit(own: int | None, current: int, reason: str, expected: bool) -> None:
    """A Job that its limit stopped was fenced, unless the limit was the user's own."""
    why = {"type": "Failed", "status": "True", "reason": reason, "message": ""}
    shown = job(spec={"activeDeadlineSeconds": current}, startTime=STAMP)
    shown = msgspec.convert({**msgspec.to_builtins(shown), "status": {"conditions": [why]}}, type(shown))
    assert stopped_by_fence(_fenced(own=own), shown) is expected


@pytest.mark.parametrize(
    ("own", "current", "reason", "found", "expected"),
    [
        pytest.param(None, 30, "BackoffLimitExceeded", 29, False, id="failed before the limit was over"),
        pytest.param(None, 30, "BackoffLimitExceeded", 30, True, id="its controller was away"),
        pytest.param(100, 30, "PodFailurePolicy", 99, True, id="its controller was away, for less than the user's own"),
        pytest.param(100, 30, "BackoffLimitExceeded", 100, False, id="the user's own was over too"),
        pytest.param(100, 30, "DeadlineExceeded", 100, False, id="the user's own"),
        pytest.param(
            100, 100, "DeadlineExceeded", 30, True, id="put off to the user's own when it was stopped already"
        ),
        pytest.param(100, 100, "BackoffLimitExceeded", 30, False, id="failed under the user's own"),
        pytest.param(None, 60, "DeadlineExceeded", 30, True, id="put off when it was stopped already"),
    ],
)
def test_what_comes_after_the_fence(own: int | None, current: int, reason: str, found: int, expected: bool) -> None:
    """Whatever its controller finds of a Job once its fence is over, and not the user's own limit, the fence did."""
    first = {"type": "FailureTarget", "status": "True", "reason": reason, "lastTransitionTime": _at(found)}
    later = {**first, "type": "Failed", "lastTransitionTime": _at(found + 600)}
    shown = job(spec={"activeDeadlineSeconds": current}, startTime=STAMP)
    for conditions in ([first], [first, later]):
        held = msgspec.convert({**msgspec.to_builtins(shown), "status": {"conditions": conditions}}, Job)
        held.status.start_time = MOMENT
        assert stopped_by_fence(_fenced(own=own), held) is expected


def test_lost_is_no_failure() -> None:
    """What the fence killed counts as no failure; what had failed before does."""
    told = DispatchStatus(state=DispatchState.RUNNING, failed=1, failed_indexes="3", index_failures={"1": "4"})
    ended = DispatchStatus(
        state=DispatchState.FAILED, reason="DeadlineExceeded", failed=9, failed_indexes="3-8", index_failures={"2": "4"}
    )
    killed = [pod("Failed", number, uid=f"p{number}") for number in range(5)]
    for each in killed[2:]:
        each.metadata.deletion_timestamp = MOMENT
    found = as_lost(ended, told, killed, FENCED, "so")
    assert (found.state, found.reason, found.failed) == (DispatchState.LOST, FENCED, 2)
    assert (found.failed_indexes, found.index_failures) == ("3", {"1": "4"})
    assert as_lost(ended, told, (), FENCED, "so").failed == 1
    going = as_lost(ended.model_copy(update={"state": DispatchState.RUNNING}), told, killed, FENCED, "so")
    assert (going.state, going.failed) == (DispatchState.RUNNING, 2)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        pytest.param({"state": "Lost", "reason": FENCED}, True, id="by the hub"),
        pytest.param({"state": "Lost", "reason": FORGOTTEN}, True, id="by the operator"),
        pytest.param({"state": "Lost", "reason": NEVER_ACCEPTED}, False, id="nothing ever ran"),
        pytest.param({"state": "Lost", "reason": "JobVanished"}, False, id="by the agent"),
        pytest.param({"state": "Lost", "reason": FENCED, "released": True}, False, id="cleared away"),
        pytest.param({"state": "Cancelled", "reason": ""}, False, id="not lost"),
    ],
)
def test_unaccounted(status: dict[str, Any], expected: bool) -> None:
    """Stock is to be taken of what was given up without the member's word."""
    assert unaccounted(DispatchStatus.model_validate(status)) is expected
    reading = {"sequence": 3, "observedAt": STAMP, "final": True}
    assert not unaccounted(DispatchStatus.model_validate({**status, "reading": reading}))


def test_signs_of_controllers() -> None:
    """A Job without a start waits for its controller; a pod that ended and bears its finalizer waits to be counted."""
    assert unstarted(job())
    assert not unstarted(job(suspend=True))
    assert not unstarted(job(startTime=STAMP))
    assert not unstarted(job(suspend=True, condition="Suspended", startTime=STAMP))
    ended = msgspec.to_builtins(job(condition="Suspended", startTime=STAMP))
    ended["status"]["conditions"].append({"type": "Failed", "status": "True", "reason": "DeadlineExceeded"})
    assert not unstarted(msgspec.convert(ended, Job)), "one that is over as it begins keeps the condition for good"
    waiting, running, counted = pod("Failed", 0), pod("Running", 1), pod("Succeeded", 2)
    waiting.metadata.finalizers = running.metadata.finalizers = ["batch.kubernetes.io/job-tracking"]
    assert uncounted([waiting, running, counted]) == {waiting.metadata.uid}


@pytest.mark.parametrize(
    ("spec", "seconds", "stale"),
    [
        ({"leaseDurationSeconds": 15}, 0, False),
        ({"leaseDurationSeconds": 15, "renewTime": STAMP}, 45, False),
        ({"leaseDurationSeconds": 15, "renewTime": STAMP}, 46, True),
        ({"renewTime": STAMP}, 9999, False),
    ],
)
def test_lease(spec: dict[str, Any], seconds: int, stale: bool) -> None:
    """A controller manager is silent once its Lease was not renewed for three times its duration."""
    lease = msgspec.convert({"metadata": {"name": "kube-controller-manager"}, "spec": spec}, Lease)
    assert bool(lease_stale(lease, datetime(2026, 11, 22, 12, tzinfo=UTC) + timedelta(seconds=seconds))) is stale
