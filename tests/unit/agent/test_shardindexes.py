from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.agent.objects import dispatch, job, pod

from isthmus.agent.observe import observe, without_job
from isthmus.agent.shardindexes import global_index, shard_indexes, tally
from isthmus.api.core import Job, Pod
from isthmus.api.dispatch import Dispatch, DispatchState
from isthmus.api.indexes import IndexSet


def shard(indexes: str | None = "7,13,42-44", *, completions: int | None = None, spec: Any = None, **told: Any) -> Any:
    """A Dispatch of a piece, or of the whole job."""
    count = completions if completions is not None else len(IndexSet.parse(indexes))
    counts = {"completions": count, "completionMode": "Indexed", **(spec or {})}
    found = dispatch("Running", spec=counts, **told)
    return found.model_copy(update={"spec": found.spec.model_copy(update={"indexes": indexes})})


NUMBERED = {
    "a piece": (shard(), "7,13,42-44"),
    "the whole job": (shard(None, completions=4), "0-3"),
    "a million": (shard(None, completions=1_000_000), "0-999999"),
    "more than can be told": (shard(None, completions=1_000_001), None),
    "not Indexed": (dispatch("Running", spec={"completions": 4}), None),
    "a work queue": (dispatch("Running", spec={"parallelism": 4}), None),
}


@pytest.mark.parametrize(("given", "indexes"), NUMBERED.values(), ids=NUMBERED)
def test_which_indexes(given: Dispatch, indexes: str | None) -> None:
    """A shard has the indexes that the hub wrote, or all of an Indexed job's, or none."""
    found = shard_indexes(given)
    assert (None if found is None else str(found)) == indexes


LOCAL = {
    "0": 7,
    "1": 13,
    "4": 44,
    "5": None,
    "-1": None,
    "": None,
    "x": None,
    "1.0": None,
    "１": None,
    "9" * 5000: None,
}


@pytest.mark.parametrize(("text", "index"), LOCAL.items(), ids=[key[:8] for key in LOCAL])
def test_global_index(text: str, index: int | None) -> None:
    """A pod's own index is turned into the job's; one that is no number or beyond the shard is none."""
    found = pod("Running")
    found.metadata.annotations["batch.kubernetes.io/job-completion-index"] = text
    assert global_index(IndexSet.parse("7,13,42-44"), found) == index


TALLIES: dict[str, tuple[Dispatch, Job | None, list[Pod], str, str]] = {
    "nothing": (shard(), job(), [], "", ""),
    "the Job counts": (shard(), job(completedIndexes="0,2-3", failedIndexes="1"), [], "7,42,43", "13"),
    "pods the Job has not counted": (
        shard(),
        job(completedIndexes="0"),
        [pod("Succeeded", 0), pod("Succeeded", 4), pod("Running", 2), pod("Failed", 3)],
        "7,44",
        "",
    ),
    "nothing is taken back": (
        shard(completedIndexes="13", failedIndexes="42"),
        job(completedIndexes="0"),
        [],
        "7,13",
        "42",
    ),
    "what a deletion kills has not failed": (
        shard(failedIndexes="42"),
        job(deleting=True, completedIndexes="0", failedIndexes="1-3"),
        [],
        "7",
        "42",
    ),
    "what a deadline kills has not failed": (
        shard(),
        job(condition="Failed", reason="DeadlineExceeded", completedIndexes="0", failedIndexes="1-3"),
        [],
        "7",
        "",
    ),
    "without a Job": (shard(completedIndexes="13"), None, [pod("Succeeded", 0)], "7,13", ""),
    "what succeeded has not failed": (shard(failedIndexes="7"), job(completedIndexes="0"), [], "7", ""),
    "beyond the shard": (shard(), job(completedIndexes="3-99", failedIndexes="7"), [pod("Succeeded", 5)], "43,44", ""),
    "told of others' indexes": (shard(completedIndexes="8,13"), job(), [], "13", ""),
    "malformed": (shard(), job(completedIndexes="0-", failedIndexes="z:%%"), [pod("Succeeded", 1)], "13", ""),
    "told malformed": (shard(completedIndexes="7;13"), job(completedIndexes="1"), [], "13", ""),
    "the whole job": (shard(None, completions=5), job(completedIndexes="0,2-9"), [pod("Succeeded", 1)], "0-4", ""),
}


@pytest.mark.parametrize(("given", "found", "pods", "completed", "failed"), TALLIES.values(), ids=TALLIES)
def test_tally(given: Dispatch, found: Job | None, pods: list[Pod], completed: str, failed: str) -> None:
    """What was told, what the Job counts and what pods show make one set of the shard's own indexes."""
    seen = tally(given, found, pods)
    assert seen is not None
    assert (str(seen.completed), str(seen.failed), seen.failures) == (completed, failed, None)


def test_observed_by_index() -> None:
    """What is reported of a numbered shard are global indexes and their number, whatever the Job's count says."""
    given = shard(completedIndexes="44")
    found = job(condition="Failed", succeeded=1, completedIndexes="0")
    seen = observe(found, [pod("Succeeded", 1)], given.status, tally(given, found, [pod("Succeeded", 1)]))
    assert (seen.succeeded, seen.completed_indexes, seen.failed_indexes) == (3, "7,13,44", None)
    assert observe(job(succeeded=2), [], None, None).completed_indexes is None


ENDS = {
    "all told": (shard(completedIndexes="7,13,42-44"), [], "Succeeded"),
    "all but one": (shard(completedIndexes="7,13,42,43"), [], "Lost"),
    "the last one's pod is left": (shard(completedIndexes="7,13,42,43"), [pod("Succeeded", 4)], "Succeeded"),
    "a pod of one that was told": (shard(completedIndexes="7,13,42,43"), [pod("Succeeded", 0)], "Lost"),
    "a count proves nothing": (shard(succeeded=5), [], "Lost"),
    "the whole job": (shard(None, completions=2, completedIndexes="1"), [pod("Succeeded", 0)], "Succeeded"),
}


@pytest.mark.parametrize(("given", "pods", "state"), ENDS.values(), ids=ENDS)
def test_without_job(given: Dispatch, pods: list[Pod], state: str) -> None:
    """A numbered shard whose Job is gone has succeeded only where each of its indexes is known to have."""
    assert without_job(given, pods)[0] is DispatchState(state)


@given(st.sets(st.integers(0, 5000), min_size=1, max_size=200), st.data())
def test_counted_alike(chosen: set[int], data: st.DataObject) -> None:
    """However indexes are spread over told, Job and pods, exactly those of the shard come out, each once."""
    indexes = IndexSet.of(chosen)
    local = st.sets(st.integers(0, len(chosen) + 3))
    by_job, by_pods, told = data.draw(local), data.draw(local), data.draw(st.sets(st.sampled_from(sorted(chosen))))
    given = shard(str(indexes), completedIndexes=str(IndexSet.of(told)))
    seen = tally(given, job(completedIndexes=str(IndexSet.of(by_job))), [pod("Succeeded", i) for i in by_pods])
    assert seen is not None
    ordered = sorted(chosen)
    expected = told | {ordered[i] for i in by_job | by_pods if i < len(ordered)}
    assert set(seen.completed) == expected
    assert seen.all_completed == (expected == chosen)
    assert IndexSet.parse(seen.completed_text) == seen.completed


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=8))
def test_any_text(completed: str, failed: str, index: str) -> None:
    """Whatever a member writes where indexes stand, counting ends in indexes of the shard."""
    shown = pod("Succeeded")
    shown.metadata.annotations["batch.kubernetes.io/job-completion-index"] = index
    seen = tally(shard(), job(completedIndexes=completed, failedIndexes=failed), [shown])
    assert seen is not None
    assert not (seen.completed | seen.failed) - seen.indexes
