from datetime import timedelta
from typing import Any

import msgspec
import pytest
from tests.unit.agent.objects import MOMENT, STAMP, dispatch, job
from tests.unit.agent.test_indexfailures import deleted, exit_rule, tried
from tests.unit.agent.world import TENANT, Process, stamp

from isthmus.agent.failedpods import failed_by_pause
from isthmus.api.core import Job, Pod
from isthmus.clusters import JOBS, PODS

RULES = [exit_rule("FailJob", "In", 143)]


def _failed(suspended: str, reason: str = "PodFailurePolicy", *, at: float = 0) -> Job:
    """A Job whose controller failed it, and last saw it suspended or resumed; `at` in seconds after the moment."""
    moment = (MOMENT + timedelta(seconds=at)).isoformat()
    conditions: list[dict[str, Any]] = [{"type": "Failed", "status": "True", "reason": reason}]
    if suspended:
        conditions.append({"type": "Suspended", "status": suspended, "lastTransitionTime": moment})
    plain = msgspec.to_builtins(job(startTime=STAMP))
    return msgspec.convert({**plain, "status": {"conditions": conditions}}, Job)


STOPPED = deleted(tried("Failed", 1, code=143), finished=2)
FAILED = tried("Failed", 2, code=143)
BEFORE = deleted(tried("Failed", 3, code=143), finished=-2)
OTHER = tried("Failed", 4, code=1)


@pytest.mark.parametrize(
    ("found", "pods", "expected"),
    [
        pytest.param(_failed("True"), [STOPPED], True, id="stopped by its suspension"),
        pytest.param(_failed("True"), [STOPPED, OTHER], True, id="and another failed otherwise"),
        pytest.param(_failed("True"), [STOPPED, FAILED], False, id="one met the rule by itself"),
        pytest.param(_failed("True"), [BEFORE], False, id="ended before it was to be deleted"),
        pytest.param(_failed("True"), [OTHER], False, id="none met the rule as we read it"),
        pytest.param(_failed("True", "BackoffLimitExceeded"), [STOPPED], False, id="another reason"),
        pytest.param(_failed(""), [STOPPED], False, id="never suspended"),
        pytest.param(_failed("False", at=5), [STOPPED], True, id="resumed since"),
        pytest.param(_failed("False", at=-5), [STOPPED], False, id="resumed before, and deleted by somebody"),
    ],
)
def test_failed_by_pause(found: Job, pods: list[Pod], expected: bool) -> None:
    """A FailJob rule that only pods met which the Job's suspension stopped is no failure of the work."""
    policy = {"podFailurePolicy": {"rules": RULES}}
    assert failed_by_pause(dispatch("Running", spec=policy), found, pods) is expected


@pytest.mark.simulated_time
async def test_a_pause_is_no_failure(worlds: Any) -> None:
    """A shard whose pods a rule takes for failed, as they are stopped for a pause, is lost and has failed nothing."""
    async with worlds(run_seconds=1000) as world:
        name = world.dispatch(podFailurePolicy={"rules": RULES})
        process = Process(world)
        await world.until(lambda: world.state(name) == "Running")
        plain = world._run_job

        def judging(found: dict[str, Any]) -> None:
            plain(found)
            shown = world.member.object(JOBS, name, TENANT)
            if shown is not None and any(pod["status"]["phase"] == "Failed" for pod in world.objects(PODS)):
                why = {"status": "True", "reason": "PodFailurePolicy", "lastTransitionTime": stamp()}
                ends = [{**why, "type": kind} for kind in ("FailureTarget", "Failed")]
                conditions = [*shown["status"].get("conditions", ()), *ends]
                world.member.put(JOBS, {**shown, "status": {**shown["status"], "conditions": conditions}})

        world._run_job = judging
        world.desire(name, "Suspended")
        await world.until(lambda: world.state(name) not in {"Running", "Suspended"})
        status = world.shown(name).status
        assert (status.state, status.reason, status.failed) == ("Lost", "StoppedByPause", 0)
        await process.kill()
        process.check()
