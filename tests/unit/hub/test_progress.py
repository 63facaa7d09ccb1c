"""What is left of a job, and how it ends, over shards and attempts."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.api.computejob import Phase
from isthmus.api.dispatch import Dispatch
from isthmus.api.indexes import INDEX_LIMIT, IndexSet
from isthmus.hub.attempts import MAX_ATTEMPTS
from isthmus.hub.parcels import pieces_of
from isthmus.hub.progress import Ending, Progress, Rest, covered, progress_of
from isthmus.hub.work import work_of

Object = dict[str, Any]
POD: Object = {"template": {"spec": {"containers": [{"name": "main"}]}}}
INDEXED: Object = {**POD, "completionMode": "Indexed", "completions": 10, "parallelism": 4}
COUNTED: Object = {**POD, "completions": 10, "parallelism": 4}
QUEUE: Object = {**POD, "parallelism": 4}


def shard(
    state: str | None,
    indexes: str | None = None,
    width: int = 2,
    attempt: int = 1,
    own: int | None = None,
    **status: Any,
) -> tuple[str, Dispatch]:
    """A Dispatch of so many pods at once, with its node; `own` is its activeDeadlineSeconds."""
    count = len(IndexSet.parse(indexes)) if indexes else 10
    spec = {
        "job": {"namespace": "team-a", "name": "train", "uid": "u1"},
        "account": "team-a",
        "shard": 0,
        "attempt": attempt,
        "sequence": attempt,
        "indexes": indexes,
        "manifest": {
            "spec": {"parallelism": width, "completions": count, **({"activeDeadlineSeconds": own} if own else {})}
        },
    }
    metadata = {"name": f"train-{attempt}-{indexes}", "uid": f"d{attempt}", "resourceVersion": "1"}
    return "n1", Dispatch.model_validate({"metadata": metadata, "spec": spec, "status": {"state": state, **status}})


def of(template: Object, *dispatches: tuple[str, Dispatch]) -> Progress:
    """The progress of a job with that template."""
    return progress_of(work_of(template), dispatches)


def rest(width: int, indexes: str | None = None, count: int | None = None, failures: int = 0) -> Rest:
    """What is to be dispatched."""
    return Rest(width, IndexSet.parse(indexes) if indexes else None, count, failures)


RESTS = [
    pytest.param(INDEXED, (), rest(4), id="nothing-yet"),
    pytest.param({**INDEXED, "completions": 2}, (), rest(2), id="fewer-than-parallelism"),
    pytest.param(INDEXED, (shard("Running"),), None, id="whole-job-runs"),
    pytest.param(INDEXED, (shard("Lost"),), rest(4), id="lost-with-nothing-done"),
    pytest.param(INDEXED, (shard("Lost", completedIndexes="0-3"),), rest(4, "4-9"), id="lost-with-some-done"),
    pytest.param(
        INDEXED, (shard("Lost", completedIndexes="0-3", lateIndexes="4,7"),), rest(4, "5,6,8,9"), id="late-ones-count"
    ),
    pytest.param(INDEXED, (shard("Lost", completedIndexes="0-7", succeeded=8),), rest(2, "8,9"), id="two-left"),
    pytest.param(INDEXED, (shard("Cancelled", completedIndexes="1"),), rest(4, "0,2-9"), id="drained"),
    pytest.param(
        INDEXED, (shard("Lost", failedIndexes="2", completedIndexes="1"),), rest(4, "0,3-9"), id="failed-stay"
    ),
    pytest.param(INDEXED, (shard("Running", "0-4"),), rest(2, "5-9"), id="a-part-runs"),
    pytest.param(INDEXED, (shard("Running", "0-4", width=4),), None, id="parallelism-used-up"),
    pytest.param(
        INDEXED, (shard("Running", "0-4", width=4, completedIndexes="0-3"),), rest(3, "5-9"), id="tail-frees-room"
    ),
    pytest.param(INDEXED, (shard("Running", "0-4"), shard("Running", "5-9")), None, id="all-parts-run"),
    pytest.param(
        INDEXED,
        (shard("Running", "0-4"), shard("Lost", "5-9", completedIndexes="6")),
        rest(2, "5,7-9"),
        id="one-part-lost",
    ),
    pytest.param(
        INDEXED, (shard("Lost", "0-4", completedIndexes="0-9"),), rest(4, "5-9"), id="others-indexes-are-no-claim"
    ),
    pytest.param(INDEXED, (shard("Lost", completedIndexes="nonsense"),), rest(4), id="nonsense-is-no-claim"),
    pytest.param(COUNTED, (shard("Lost", succeeded=3),), rest(4, count=7), id="count-left"),
    pytest.param(COUNTED, (shard("Lost", succeeded=8),), rest(2, count=2), id="count-below-parallelism"),
    pytest.param(COUNTED, (shard("Running", succeeded=3),), None, id="count-runs"),
    pytest.param(QUEUE, (shard("Lost"),), rest(4), id="queue-with-nothing-done"),
    pytest.param(
        {**INDEXED, "backoffLimitPerIndex": 3},
        (shard("Lost", indexFailures={"1": "2,3", "2": "5"}, completedIndexes="0"),),
        rest(4, "1,4,6-9"),
        id="least-failed-first",
    ),
    pytest.param(
        {**INDEXED, "backoffLimitPerIndex": 3},
        (
            shard("Lost", indexFailures={"1": "2,3"}, completedIndexes="0"),
            shard("Running", "0,1,4-9", width=1),
        ),
        rest(2, "2,3", failures=1),
        id="then-the-others",
    ),
]


RESTS += [
    pytest.param(
        {**INDEXED, "backoffLimitPerIndex": 3},
        (shard("Lost", indexFailures={"1": "2,3"}),),
        rest(4, "0,1,4-9"),
        id="failures-count-though-nothing-succeeded",
    ),
    pytest.param(
        {**INDEXED, "backoffLimitPerIndex": 3},
        (shard("Lost", indexFailures={"1": "0-9"}), shard("Lost", indexFailures={"1": "4", "2": "5-9"}, attempt=2)),
        rest(4, "0-3", failures=1),
        id="failures-add-up",
    ),
    pytest.param(
        {**INDEXED, "completions": INDEX_LIMIT + 1},
        (shard("Lost"),),
        rest(4),
        id="more-than-can-be-told-with-nothing-done",
    ),
]


@pytest.mark.parametrize(("template", "dispatches", "expected"), RESTS)
def test_what_is_left(template: Object, dispatches: tuple[tuple[str, Dispatch], ...], expected: Rest | None) -> None:
    """What is neither done nor under way is dispatched, as wide as the parallelism that is not in use."""
    found = of(template, *dispatches)
    assert found.rest == expected
    assert found.ending is None


ENDINGS = [
    pytest.param(INDEXED, (shard("Succeeded", reason="Done"),), Phase.SUCCEEDED, "Done", id="whole"),
    pytest.param(
        INDEXED, (shard("Succeeded", "0-4"), shard("Succeeded", "5-9")), Phase.SUCCEEDED, "Complete", id="parts"
    ),
    pytest.param(
        INDEXED,
        (shard("Lost", completedIndexes="0-4"), shard("Succeeded", "5-9", attempt=2)),
        Phase.SUCCEEDED,
        "Complete",
        id="lost-and-rerun",
    ),
    pytest.param(INDEXED, (shard("Lost", completedIndexes="0-9"),), Phase.SUCCEEDED, "Complete", id="lost-when-done"),
    pytest.param(
        INDEXED,
        (shard("Running", "0-4"), shard("Failed", "5-9", reason="PodFailurePolicy")),
        Phase.FAILED,
        "PodFailurePolicy",
        id="fail-job-in-one-part",
    ),
    pytest.param(
        INDEXED,
        (shard("Running", "0-4", failed=4), shard("Running", "5-9", failed=3)),
        Phase.FAILED,
        "BackoffLimitExceeded",
        id="backoff-over-all",
    ),
    pytest.param(
        {**INDEXED, "backoffLimitPerIndex": 1, "maxFailedIndexes": 2},
        (shard("Running", "0-4", failedIndexes="0,1"), shard("Running", "5-9", failedIndexes="5")),
        Phase.FAILED,
        "MaxFailedIndexesExceeded",
        id="failed-indexes-over-all",
    ),
    pytest.param(
        {**INDEXED, "backoffLimitPerIndex": 1},
        (
            shard("Failed", "0-4", reason="FailedIndexes", failedIndexes="3", completedIndexes="0-2,4"),
            shard("Succeeded", "5-9"),
        ),
        Phase.FAILED,
        "FailedIndexes",
        id="an-index-failed",
    ),
    pytest.param(
        COUNTED,
        (shard("Lost", succeeded=4), shard("Succeeded", succeeded=6, attempt=2)),
        Phase.SUCCEEDED,
        "Complete",
        id="counts-add-up",
    ),
    pytest.param(QUEUE, (shard("Lost", succeeded=1),), Phase.FAILED, "PartlyLost", id="queue-lost"),
    pytest.param(
        {**INDEXED, "template": {"spec": {**POD["template"]["spec"], "subdomain": "peers"}}},
        (shard("Lost", completedIndexes="0"),),
        Phase.FAILED,
        "PartlyLost",
        id="unsplittable-lost",
    ),
    pytest.param(
        {**INDEXED, "completions": INDEX_LIMIT + 1},
        (shard("Lost", succeeded=1),),
        Phase.FAILED,
        "PartlyLost",
        id="more-than-can-be-told-lost",
    ),
    pytest.param(
        QUEUE,
        tuple(shard("Lost", attempt=n) for n in range(1, MAX_ATTEMPTS + 1)),
        Phase.FAILED,
        "TooManyAttempts",
        id="in-vain",
    ),
]


@pytest.mark.parametrize(("template", "dispatches", "phase", "reason"), ENDINGS)
def test_endings(template: Object, dispatches: tuple[tuple[str, Dispatch], ...], phase: Phase, reason: str) -> None:
    """The job ends by what all shards say together, and nothing more of it is dispatched."""
    found = of(template, *dispatches)
    assert isinstance(found.ending, Ending)
    assert (found.ending.phase, found.ending.reason) == (phase, reason)
    assert found.rest is None


ON_FAILURE: Object = {**INDEXED, "template": {"spec": {**POD["template"]["spec"], "restartPolicy": "OnFailure"}}}


def test_restarts_that_may_yet_not_count() -> None:
    """What is left of the limit for another shard is less by the restarts in shards that have ended, and no others."""
    pod = {"spec": {"restartPolicy": "OnFailure", "containers": [{"name": "main"}]}}
    template = {**INDEXED, "backoffLimit": 6, "template": pod}
    live, lost = shard("Running", "0-4", width=2, restarts=3), shard("Lost", "5-6", restarts=2)
    found = of(template, lost, live)
    assert found.ending is None
    assert found.ended_restarts == 2
    assert found.rest is not None
    pieces = pieces_of(work_of(template), found, found.rest, [2], first=False)
    assert [piece.backoff_limit for piece in pieces.values() if piece is not None] == [4]


@pytest.mark.parametrize(
    ("template", "restarts", "failed", "ends"),
    [
        pytest.param(ON_FAILURE, (3, 2), (0, 0), False, id="one-less-than-the-limit"),
        pytest.param(ON_FAILURE, (3, 3), (0, 0), True, id="as-many-as-the-limit"),
        pytest.param(ON_FAILURE, (5, 0), (3, 3), False, id="failures-count-by-themselves"),
        pytest.param({**ON_FAILURE, "backoffLimit": 0}, (0, 0), (0, 0), False, id="none-is-allowed-and-none-was"),
        pytest.param({**ON_FAILURE, "backoffLimit": 0}, (1, 0), (0, 0), True, id="none-is-allowed"),
        pytest.param(INDEXED, (9, 9), (0, 0), False, id="restarts-under-another-policy"),
    ],
)
def test_restarts_of_all_shards_count(
    template: Object, restarts: tuple[int, int], failed: tuple[int, int], ends: bool
) -> None:
    """Restarts fail a job as its one Job's controller would, over all shards, live and lost."""
    first = shard("Lost", "0-4", restarts=restarts[0], failed=failed[0])
    second = shard("Running", "5-9", attempt=2, restarts=restarts[1], failed=failed[1])
    ending = of(template, first, second).ending
    assert (ending.reason if ending else None) == ("BackoffLimitExceeded" if ends else None)
    assert of(template, shard("Running", restarts=99)).ending is None  # of a single one its member is the judge


def test_a_job_that_loses_one_node_often_goes_on() -> None:
    """Shards that are lost in vain don't fail a job of which another part gets on, or an attempt between got on."""
    lost = [shard("Lost", "5-9", attempt=n) for n in range(2, 3 * MAX_ATTEMPTS)]
    assert of(INDEXED, shard("Running", "0-4"), *lost).ending is None
    many = [shard("Lost", f"{n}", attempt=2) for n in range(1, 10)] * MAX_ATTEMPTS
    assert of(INDEXED, shard("Lost", completedIndexes="0"), *many).ending is None
    half, one = lost[: MAX_ATTEMPTS - 1], shard("Lost", "5-9", attempt=MAX_ATTEMPTS + 1, completedIndexes="5")
    more = [shard("Lost", "6-9", attempt=n) for n in range(MAX_ATTEMPTS + 2, 2 * MAX_ATTEMPTS + 1)]
    assert of(INDEXED, *half, one, *more).ending is None


def test_a_failed_index_does_not_end_the_other_parts() -> None:
    """FailedIndexes of one shard is told when all is done."""
    template = {**INDEXED, "backoffLimitPerIndex": 1}
    failed = shard("Failed", "0-4", reason="FailedIndexes", failedIndexes="3", completedIndexes="0-2,4")
    assert of(template, failed, shard("Running", "5-9")).ending is None


def test_jobs_of_more_indexes_than_can_be_told_are_counted() -> None:
    """Of a job with more indexes than a status can name, pods are counted as of any other."""
    found = of({**INDEXED, "completions": INDEX_LIMIT + 1}, shard("Running", succeeded=7))
    assert (found.succeeded, len(found.completed), found.rest) == (7, 0, None)


def test_many_scattered_failures_take_no_time() -> None:
    """50,000 indexes that have each failed are sorted out within a second, as they are at each look at the job."""
    template = {**INDEXED, "completions": 100_000, "backoffLimitPerIndex": 3}
    half, all_others = IndexSet.of(range(0, 100_000, 2)), IndexSet.of(range(1, 100_000, 2))
    lost = shard("Lost", indexFailures={"1": half.encoded(), "2": all_others.encoded()})
    began = time.process_time()
    found = of(template, lost)
    assert time.process_time() - began < 1.0
    assert found.rest == Rest(4, half, index_failures=1)


LIMITED: Object = {**INDEXED, "activeDeadlineSeconds": 100}


@pytest.mark.parametrize(
    ("dispatches", "used"),
    [
        pytest.param((), 0, id="nothing"),
        pytest.param((shard("Running", activeSeconds=30),), 30, id="one"),
        pytest.param((shard("Running", activeSeconds=30), shard("Lost", activeSeconds=70)), 70, id="the-longest-run"),
        pytest.param(
            (shard("Lost", activeSeconds=30), shard("Running", own=70, activeSeconds=9)), 39, id="a-later-one"
        ),
        pytest.param((shard("Lost", activeSeconds=30), shard("Running", own=70)), 30, id="gaps-do-not-count"),
        pytest.param(
            (shard("Running", activeSeconds=50), shard("Running", own=80, activeSeconds=10)), 50, id="side-by-side"
        ),
        pytest.param((shard("Lost", activeSeconds=40), shard("Suspended", own=60)), 40, id="a-resumption-begins-anew"),
    ],
)
def test_how_long_a_job_was_active(dispatches: tuple[tuple[str, Dispatch], ...], used: int) -> None:
    """What a shard was not given of the limit was used before it; clocks of members alone count, and no gaps."""
    assert of(LIMITED, *dispatches).active_seconds == used


def test_the_users_deadline_holds_over_attempts() -> None:
    """Once the time that the user gave is over, nothing is dispatched again, however often the job was lost."""
    lost = shard("Lost", activeSeconds=60)
    assert of(LIMITED, lost, shard("Lost", own=40, attempt=2, activeSeconds=39)).ending is None
    ending = of(LIMITED, lost, shard("Lost", own=40, attempt=2, activeSeconds=40)).ending
    assert ending is not None
    assert ending.reason == "DeadlineExceeded"


def test_what_succeeds_at_the_last_moment_has_succeeded() -> None:
    """A job of which everything is done is not failed for the time or the attempts that it took."""
    parts = shard("Succeeded", "0-4", activeSeconds=101), shard("Succeeded", "5-9", activeSeconds=100)
    late = shard("Lost", completedIndexes="0-9"), *(shard("Lost", attempt=n) for n in range(2, 2 * MAX_ATTEMPTS))
    settling = shard("Succeeded", "0-4", activeSeconds=101), shard("Running", "5-9", completedIndexes="5-9")
    endings = [of(LIMITED, *each).ending for each in (parts, late, settling)]
    assert [ending and ending.phase for ending in endings] == [Phase.SUCCEEDED, Phase.SUCCEEDED, None]


STATES = st.sampled_from([None, "Accepted", "Running", "Lost", "Cancelled", "Refused", "Succeeded"])
SETS = st.frozensets(st.integers(0, 9), min_size=1)


@given(st.lists(st.tuples(STATES, SETS, SETS, st.integers(1, 4)), max_size=5))
def test_nothing_is_dispatched_twice_or_forgotten(shards: list[tuple[str | None, set[int], set[int], int]]) -> None:
    """Whatever the shards say: what is left is apart from what is done or under way, and all three are the job."""
    made = [
        shard(state, str(IndexSet.of(mine)), width, n, completedIndexes=str(IndexSet.of(done)))
        for n, (state, mine, done, width) in enumerate(shards, 1)
    ]
    work, found = work_of(INDEXED), of(INDEXED, *made)
    held = IndexSet.of(index for _, d in found.live for index in covered(work, d))
    left = IndexSet.span(10) - found.completed - held
    if found.rest is None:
        assert found.ending is not None or not left or sum(width for *_, width in shards) >= 4
        return
    indexes = found.rest.indexes or IndexSet.span(10)
    assert set(indexes) == set(left)
    assert 1 <= found.rest.width <= min(4, len(indexes))
