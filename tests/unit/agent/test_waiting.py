"""What a Job in a queue of its member is, and what is told of it; and how often what is undone there is tried."""

import msgspec
import pytest
from tests.unit.agent.objects import dispatch, job
from tests.unit.agent.world import Object

from isthmus.agent.observe import observe
from isthmus.agent.queued import rests, waits, wanted_pods, why_waiting
from isthmus.agent.tries import Tries
from isthmus.api.core import Job, Workload


def test_tries() -> None:
    """The first is at once, each further one waits twice as long, and a long run in between is forgiven."""
    tries = Tries()
    now, pauses = 0.0, []
    for _ in range(9):
        pauses.append(tries.pause(now))
        now += max(pauses[-1], 0.0)
        tries.sent(now)
    assert pauses == [0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
    assert tries.undone
    tries.sent(now + 1000)
    assert not tries.undone


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(job(), (False, False), id="runs"),
        pytest.param(job(suspend=True), (False, True), id="suspended"),
        pytest.param(job(suspend=True, queued=True), (True, False), id="in a queue"),
        pytest.param(job(queued=True), (False, False), id="a queue lets it run"),
        pytest.param(job(suspend=True, held=True), (False, True), id="held in a queue"),
    ],
)
def test_waits_or_rests(found: Job, expected: tuple[bool, bool]) -> None:
    """What is suspended waits for its queue, or rests until we resume it."""
    assert (waits(found), rests(found)) == expected


@pytest.mark.parametrize(
    ("spec", "expected"),
    [({}, 1), ({"parallelism": 3}, 3), ({"parallelism": 3, "completions": 2}, 2), ({"parallelism": 0}, 1)],
)
def test_wanted_pods(spec: Object, expected: int) -> None:
    """As many as would run at once."""
    assert wanted_pods(job(spec=spec)) == expected


def _workload(*, active: bool = True, **conditions: str) -> Workload:
    said = [{"type": kind, "status": "False" if said else "True", "message": said} for kind, said in conditions.items()]
    return msgspec.convert({"metadata": {}, "spec": {"active": active}, "status": {"conditions": said}}, Workload)


@pytest.mark.parametrize(
    ("workload", "expected"),
    [
        pytest.param(None, "Kueue has made no Workload for it; does it run?", id="none"),
        pytest.param(_workload(), "Kueue has not judged it yet", id="new"),
        pytest.param(_workload(QuotaReserved="LocalQueue lent doesn't exist"), "LocalQueue lent doesn't exist", id="q"),
        pytest.param(_workload(QuotaReserved="", Admitted="checks"), "checks", id="checks"),
        pytest.param(_workload(QuotaReserved="", Admitted=""), "it is about to begin", id="admitted"),
        pytest.param(_workload(active=False), "its Workload was made inactive there", id="inactive"),
    ],
)
def test_why_waiting(workload: Workload | None, expected: str) -> None:
    """The queue's own words, where it has any."""
    assert why_waiting(workload) == expected


def test_what_ran_and_waits_again_has_not_begun() -> None:
    """But for a part of it that is done."""
    told = dispatch("Running").status
    assert observe(job(suspend=True, queued=True), [], told).state == "Accepted"
    assert observe(job(suspend=True, queued=True, succeeded=1), [], told).state == "Running"
