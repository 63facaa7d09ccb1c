from datetime import timedelta
from typing import Any

import pytest
from tests.unit.agent.objects import MOMENT, job, pod
from tests.unit.agent.test_shardindexes import shard

from isthmus.agent.indexfailures import DISTINCT_LIMIT, failures_of, written
from isthmus.agent.shardindexes import tally
from isthmus.api.core import Pod
from isthmus.api.indexes import IndexSet

COUNT = "batch.kubernetes.io/job-index-failure-count"
DISRUPTED = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}
EVICTED = [{"type": "DisruptionTarget", "status": "True"}]


def tried(phase: str, index: int, before: str = "0", *, code: int = 1, **fields: Any) -> Pod:
    """A pod of an index that had failed so often before it; `code` is what its container ended with."""
    ended = [{"name": "main", "state": {"terminated": {"exitCode": code}}}] if phase == "Failed" else []
    found = pod(phase, index, uid=f"{index}-{before}-{phase}", containerStatuses=ended, **fields)
    found.metadata.annotations[COUNT] = before
    return found


def deleted(found: Pod, *, finished: int | None) -> Pod:
    """The same, to be deleted with 30 seconds' grace; `finished` is its end, in seconds after that was asked for."""
    found.metadata.deletion_timestamp = MOMENT + timedelta(seconds=30)
    found.metadata.deletion_grace_period_seconds = 30
    for status in found.status.container_statuses if finished is not None else ():
        assert status.state.terminated is not None
        status.state.terminated.finished_at = MOMENT + timedelta(seconds=finished or 0)
    return found


def exit_rule(action: str, operator: str, *values: int, container: str | None = None) -> dict[str, Any]:
    """A rule on exit codes."""
    named = {"containerName": container} if container else {}
    return {"action": action, "onExitCodes": {"operator": operator, "values": list(values), **named}}


SEEN: dict[str, tuple[list[Pod], list[dict[str, Any]], dict[int, int]]] = {
    "none": ([tried("Running", 0), tried("Succeeded", 1)], [], {}),
    "a second try runs": ([tried("Running", 0, "1")], [], {0: 1}),
    "it has failed since": ([tried("Failed", 0, "1")], [], {0: 2}),
    "the replacement tells the same": ([tried("Failed", 0, "1"), tried("Running", 0, "2")], [], {0: 2}),
    "evicted": ([tried("Failed", 0, "1", conditions=EVICTED)], [DISRUPTED], {0: 1}),
    "evicted, where that counts": ([tried("Failed", 0, "1", conditions=EVICTED)], [], {0: 2}),
    "condition of another status": (
        [tried("Failed", 0, conditions=[{"type": "DisruptionTarget", "status": "False"}])],
        [DISRUPTED],
        {0: 1},
    ),
    "ignored by its exit code": ([tried("Failed", 0, code=42)], [exit_rule("Ignore", "In", 7, 42)], {}),
    "another exit code": ([tried("Failed", 0, code=43)], [exit_rule("Ignore", "In", 7, 42)], {0: 1}),
    "any but these": ([tried("Failed", 0, code=43)], [exit_rule("Ignore", "NotIn", 7, 42)], {}),
    "another container's": ([tried("Failed", 0, code=42)], [exit_rule("Ignore", "In", 42, container="other")], {0: 1}),
    "this container's": ([tried("Failed", 0, code=42)], [exit_rule("Ignore", "In", 42, container="main")], {}),
    "the first rule decides": (
        [tried("Failed", 0, code=42)],
        [exit_rule("Count", "In", 42), exit_rule("Ignore", "In", 42)],
        {0: 1},
    ),
    "stopped by somebody": ([deleted(tried("Failed", 0, "1"), finished=2)], [], {0: 1}),
    "stopped in the same second": ([deleted(tried("Failed", 0, "1"), finished=0)], [], {0: 1}),
    "stopped, nobody knows when": ([deleted(tried("Failed", 0, "1"), finished=None)], [], {0: 1}),
    "failed, then cleared away": ([deleted(tried("Failed", 0, "1"), finished=-1)], [], {0: 2}),
    "no number": ([tried("Failed", 0, "x"), tried("Running", 1, "-3"), tried("Running", 2, "9" * 5000)], [], {0: 1}),
}


@pytest.mark.parametrize(("pods", "rules", "expected"), SEEN.values(), ids=SEEN)
def test_counted_as_the_controller_counts(
    pods: list[Pod], rules: list[dict[str, Any]], expected: dict[int, int]
) -> None:
    """A failed pod that its controller has not replaced yet counts as its controller will count it."""
    assert failures_of([(int(p.metadata.uid.split("-")[0]), p) for p in pods], rules, {}) == expected


def test_nothing_is_taken_back() -> None:
    """Failures of pods that are gone stay; more of them replace what was told."""
    told = {"1": IndexSet.parse("3,5"), "2": IndexSet.parse("9"), "x": IndexSet.parse("1")}
    assert failures_of([(5, tried("Failed", 0, "2")), (9, tried("Running", 1, "1"))], [], told) == {3: 1, 5: 3, 9: 2}


def test_written_by_count() -> None:
    """Unfinished indexes only, by how often they failed."""
    assert written({3: 1, 5: 1, 9: 2, 11: 4}, IndexSet.span(11)) == {"1": "3,5", "2": "9"}
    assert written({}, IndexSet.span(4)) == {}


def test_many_different_counts() -> None:
    """Never more counts than the field takes; the highest of them are told as less, never as more."""
    found = written({index: index + 1 for index in range(100)}, IndexSet.span(100))
    assert len(found) == DISTINCT_LIMIT
    assert found[str(DISTINCT_LIMIT)] == f"{DISTINCT_LIMIT - 1}-99"


def test_told_where_each_index_has_a_limit() -> None:
    """Failures are told by global index, of a Job with backoffLimitPerIndex alone, less what completed or failed."""
    pods = [tried("Failed", 0), tried("Running", 1, "2"), tried("Running", 2, "2"), tried("Running", 3, "1")]
    found = job(completedIndexes="2", failedIndexes="3")
    limited = tally(shard(spec={"backoffLimitPerIndex": 3}, indexFailures={"1": "44"}), found, pods)
    assert limited is not None
    assert limited.failures == {"1": "7,44", "2": "13"}
    unlimited = tally(shard(), found, pods)
    assert unlimited is not None
    assert unlimited.failures is None


def test_the_jobs_own_rules_hold() -> None:
    """The podFailurePolicy that the hub rendered decides which failures count."""
    limits = {"backoffLimitPerIndex": 3, "podFailurePolicy": {"rules": [DISRUPTED]}}
    seen = tally(shard(spec=limits), job(), [tried("Failed", 0, conditions=EVICTED), tried("Failed", 1)])
    assert seen is not None
    assert seen.failures == {"1": "13"}
