from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.api.core import Pod
from isthmus.metering import LIVE_LAG, Interval, pod_interval

DAY = datetime(2026, 11, 22, tzinfo=UTC)
NOW = DAY + timedelta(seconds=1000)
SURE = 1000 - LIVE_LAG // timedelta(seconds=1)


def at(second: float | None) -> str | None:
    """A time as the API server writes it."""
    return None if second is None else (DAY + timedelta(seconds=second)).isoformat()


def ran(start: float | None, end: float | None) -> dict[str, Any]:
    """A run of a container that has ended."""
    return {"terminated": {"startedAt": at(start), "finishedAt": at(end)}}


def runs(start: float) -> dict[str, Any]:
    """A run of a container that goes on."""
    return {"running": {"startedAt": at(start)}}


WAITS = {"waiting": {"reason": "ContainerCreating"}}


def pod(
    phase: str,
    *states: dict[str, Any] | tuple[dict[str, Any], dict[str, Any]],
    init: tuple[dict[str, Any], ...] = (),
    conditions: dict[str, float] | None = None,
) -> Pod:
    """A pod created at second 0 with containers in these states; a pair is the state and the one before it."""
    pairs = [state if isinstance(state, tuple) else (state, {}) for state in states]
    manifest = {
        "metadata": {"name": "p", "uid": "p", "creationTimestamp": at(0)},
        "status": {
            "phase": phase,
            "containerStatuses": [{"state": state, "lastState": last} for state, last in pairs],
            "initContainerStatuses": [{"state": state} for state in init],
            "conditions": [
                {"type": name, "status": "True", "lastTransitionTime": at(time)}
                for name, time in (conditions or {}).items()
            ],
        },
    }
    return msgspec.convert(manifest, Pod)


@pytest.mark.parametrize(
    ("given_", "told"),
    [
        pytest.param(pod("Pending"), None, id="never started"),
        pytest.param(pod("Pending", WAITS), None, id="waits for its image"),
        pytest.param(pod("Failed", WAITS), None, id="failed before it started"),
        pytest.param(pod("Pending", WAITS, init=(runs(10),)), (10, SURE), id="an init container starts the clock"),
        pytest.param(pod("Running", runs(20), init=(ran(10, 15),)), (10, SURE), id="and it goes on"),
        pytest.param(pod("Running", runs(20), runs(12)), (12, SURE), id="the earliest container"),
        pytest.param(pod("Running", (runs(90), ran(20, 60))), (20, SURE), id="gaps between restarts are inside"),
        pytest.param(pod("Running", (WAITS, ran(20, 60))), (20, SURE), id="also while it waits for the next"),
        pytest.param(pod("Running", runs(999)), (999, 999), id="just started"),
        pytest.param(pod("Succeeded", ran(20, 60)), (20, 60, True), id="succeeded"),
        pytest.param(pod("Failed", ran(20, 60), ran(20, 75), init=(ran(5, 20),)), (5, 75, True), id="the last finish"),
        pytest.param(pod("Succeeded", (ran(90, 95), ran(20, 60))), (20, 95, True), id="the last run counts"),
        pytest.param(pod("Failed", ran(20, 60), WAITS), (20, 60, True), id="one never started"),
        pytest.param(
            pod("Failed", runs(20), conditions={"DisruptionTarget": 300}), (20, 300, True), id="gone with its machine"
        ),
        pytest.param(
            pod("Failed", runs(20), init=(ran(10, 15),), conditions={"DisruptionTarget": 300}),
            (10, 300, True),
            id="an init container's finish is not the pod's",
        ),
        pytest.param(
            pod("Failed", ran(20, 310), conditions={"DisruptionTarget": 300}), (20, 310, True), id="grace period counts"
        ),
        pytest.param(
            pod("Running", runs(20), conditions={"DisruptionTarget": 300}), (20, SURE), id="being evicted still runs"
        ),
        pytest.param(
            pod("Failed", runs(20), conditions={"Ready": 40, "Initialized": 5}), (20, 40, True, True), id="nobody saw"
        ),
        pytest.param(
            pod("Failed", ran(20, None), ran(20, 50), conditions={"Ready": 40}), (20, 50, True, True), id="half seen"
        ),
        pytest.param(pod("Failed", runs(20)), (20, 20, True, True), id="nothing is known of its end"),
        pytest.param(
            pod("Failed", ran(-(10**9), -(10**9)), ran(20, 30)), (20, 30, True), id="a start at the epoch is none"
        ),
    ],
)
def test_pod_interval(given_: Pod, told: tuple[Any, ...] | None) -> None:
    """A pod is metered from its first start to its last finish, or as far as is known."""
    interval = pod_interval(given_, now=NOW)
    if told is None:
        assert interval is None
        return
    start, end, *flags = told
    expected = Interval(DAY + timedelta(seconds=start), DAY + timedelta(seconds=end), *(flags or [False]))
    assert interval == expected
    assert expected.seconds == end - start


@pytest.mark.parametrize(
    ("given_", "heartbeat", "told"),
    [
        pytest.param(pod("Running", runs(20)), 400, (400, False, False), id="lives as far as its machine was heard"),
        pytest.param(pod("Running", runs(20)), 5, (20, False, False), id="started after it was heard"),
        pytest.param(pod("Running", runs(20)), 2000, (SURE, False, False), id="never past now"),
        pytest.param(pod("Failed", runs(20)), 400, (400, True, True), id="ends there, as an estimate"),
        pytest.param(pod("Failed", ran(20, 60)), 400, (60, True, False), id="unless its end was seen"),
        pytest.param(
            pod("Failed", runs(20), conditions={"DisruptionTarget": 300}),
            400,
            (300, True, False),
            id="or evicted",
        ),
    ],
)
def test_lost_machine(given_: Pod, heartbeat: float, told: tuple[int, bool, bool]) -> None:
    """On a machine that is not heard any more a pod is metered up to its last heartbeat."""
    interval = pod_interval(given_, now=NOW, machine_heartbeat=DAY + timedelta(seconds=heartbeat))
    end, ended, estimated = told
    assert interval == Interval(DAY + timedelta(seconds=20), DAY + timedelta(seconds=end), ended, estimated)


def test_first_start() -> None:
    """The start that was seen first stays, though the pod's status has forgotten that run."""
    restarted = pod("Running", (runs(500), ran(300, 400)))
    remembered = pod_interval(restarted, now=NOW, first_start=DAY + timedelta(seconds=20))
    assert remembered is not None
    assert remembered.start == DAY + timedelta(seconds=20)
    waiting = pod_interval(pod("Failed", WAITS), now=NOW, first_start=DAY)
    assert waiting == Interval(DAY, DAY, ended=True, estimated=True)


@given(st.integers(0, 500), st.integers(0, 500), st.floats(0, 1000), st.floats(0, 5))
def test_never_past_the_end(start: int, length: int, looked: float, late: float) -> None:
    """While news of a pod's end is up to five seconds late, no earlier look has counted it past that end."""
    end = start + length
    now = DAY + timedelta(seconds=looked)
    seen = pod("Succeeded", ran(start, end)) if looked >= end + late else pod("Running", runs(start))
    final = pod_interval(pod("Succeeded", ran(start, end)), now=DAY + timedelta(days=1))
    earlier = pod_interval(seen, now=now)
    assert earlier is not None
    assert final is not None
    assert 0 <= earlier.seconds <= final.seconds == length


def test_whole_seconds() -> None:
    """Seconds are whole and half-open: the one that has begun does not count."""
    assert Interval(DAY, DAY + timedelta(seconds=2, microseconds=999_999), ended=True).seconds == 2
    assert Interval(DAY, DAY - timedelta(seconds=1), ended=True).seconds == 0
