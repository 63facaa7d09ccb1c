import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.api.computejob import ComputeJob, Explanation
from isthmus.api.dispatch import Dispatch, Fence
from isthmus.api.indexes import IndexSet
from isthmus.api.names import ANNOTATION_PLACEMENT
from isthmus.hub.dispatchmanifest import dispatch_manifest
from isthmus.hub.parcels import Parcel, overtaken, pieces_of
from isthmus.hub.progress import Progress, Rest, progress_of
from isthmus.hub.work import work_of
from isthmus.manifests import Piece
from isthmus.placement import Assignment, demand_of

Object = dict[str, Any]
POD: Object = {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "work"}]}}}
INDEXED: Object = {**POD, "completionMode": "Indexed", "completions": 100, "parallelism": 20}
COUNTED: Object = {**POD, "completions": 100, "parallelism": 20}
NOTHING = Progress(IndexSet(), IndexSet(), 0, 0, (), None, None)


def indexes(text: str) -> IndexSet:
    """A set of them."""
    return IndexSet.parse(text)


def pieces(template: Object, rest: Rest, widths: list[int], **known: Any) -> dict[int, Piece | None]:
    """The pieces of what is left, at the first attempt or a later one."""
    progress: Progress = known.pop("progress", NOTHING)
    given: Object = {"first": True, **known}
    return pieces_of(work_of(template), progress, rest, widths, **given)


def told(completed: str = "", failed: str = "", failures: int = 0) -> Progress:
    """What earlier shards have done."""
    done = indexes(completed)
    return Progress(done, indexes(failed), len(done), failures, (), None, None)


PIECES = [
    pytest.param(INDEXED, Rest(20), [20], {0: None}, id="whole"),
    pytest.param(INDEXED, Rest(20), [30], {0: None}, id="whole-with-room-to-spare"),
    pytest.param(POD, Rest(1), [1], {0: None}, id="single-pod"),
    pytest.param(COUNTED, Rest(20), [20], {0: None}, id="counted"),
    pytest.param(
        INDEXED,
        Rest(20),
        [15, 5],
        {0: Piece(15, indexes("0-74")), 1: Piece(5, indexes("75-99"))},
        id="in-proportion",
    ),
    pytest.param(INDEXED, Rest(20), [5], {0: Piece(5, indexes("0-24"))}, id="the-rest-waits"),
    pytest.param(
        INDEXED,
        Rest(3, indexes("7,42,43")),
        [2, 2],
        {0: Piece(2, indexes("7,42")), 1: Piece(1, indexes("43"))},
        id="scattered",
    ),
    pytest.param(
        INDEXED, Rest(1, indexes("7")), [1, 1, 1], {0: Piece(1, indexes("7"))}, id="nothing-left-for-two-of-three"
    ),
    pytest.param(COUNTED, Rest(20, count=60), [20], {0: Piece(20, completions=60)}, id="count-left"),
]


@pytest.mark.parametrize(("template", "rest", "widths", "expected"), PIECES)
def test_pieces(template: Object, rest: Rest, widths: list[int], expected: dict[int, Piece | None]) -> None:
    """Indexes go to widths in proportion; what is the whole job stays as the template says."""
    assert pieces(template, rest, widths) == expected


LIMITED: Object = {**INDEXED, "backoffLimit": 6, "maxFailedIndexes": 4, "backoffLimitPerIndex": 2}
LIMITS = [
    pytest.param(told(), Rest(20), {}, id="untouched"),
    pytest.param(told(failures=2), Rest(20), {"backoff_limit": 4}, id="pods-failed"),
    pytest.param(told(failures=9), Rest(20), {"backoff_limit": 0}, id="never-below-zero"),
    pytest.param(replace(told(), ended_restarts=2), Rest(20), {"backoff_limit": 4}, id="containers-restarted"),
    pytest.param(replace(told(failures=1), ended_restarts=2), Rest(20), {"backoff_limit": 4}, id="the-larger-counts"),
    pytest.param(told(failed="3,4"), Rest(9, indexes("5-9")), {"max_failed_indexes": 2}, id="indexes-failed"),
    pytest.param(
        told(), Rest(9, indexes("5-9"), index_failures=1), {"backoff_limit_per_index": 1}, id="failed-once-each"
    ),
    pytest.param(told(), Rest(9, indexes("5-9"), index_failures=3), {"backoff_limit_per_index": 0}, id="last-chance"),
]


@pytest.mark.parametrize(("progress", "rest", "limits"), LIMITS)
def test_limits_left_over(progress: Progress, rest: Rest, limits: Object) -> None:
    """A later shard gets what earlier ones have left of the job's limits, and else the template's own."""
    (piece,) = pieces(LIMITED, rest, [20], first=False, progress=progress).values()
    names = ("backoff_limit", "max_failed_indexes", "backoff_limit_per_index", "active_deadline_seconds")
    found = {name: getattr(piece, name) for name in names} if piece is not None else dict.fromkeys(names)
    assert {name: value for name, value in found.items() if value is not None} == limits


@pytest.mark.parametrize(("elapsed", "left"), [(0, 100), (30, 70), (100, 1), (500, 1)])
def test_the_deadline_left_over(elapsed: int, left: int) -> None:
    """A later shard gets what is left of the user's deadline; the API server takes no limit below a second."""
    template, used = {**INDEXED, "activeDeadlineSeconds": 100}, replace(NOTHING, active_seconds=elapsed)
    (piece,) = pieces(template, Rest(20), [20], first=False, progress=used).values()
    assert piece is not None
    assert (piece.active_deadline_seconds, piece.indexes, piece.width) == (left, None, 20)
    assert pieces(template, Rest(20), [20], progress=used) == {0: None}


@given(
    st.frozensets(st.integers(0, 99), min_size=1),
    st.lists(st.integers(1, 8), min_size=1, max_size=5),
    st.integers(1, 40),
)
def test_pieces_are_parts_of_what_is_left(left: frozenset[int], widths: list[int], width: int) -> None:
    """Whatever is left and wherever it goes: parts are disjoint, none is wider than it is long or than its node."""
    rest = Rest(min(width, len(left)), IndexSet.of(left))
    found = pieces(INDEXED, rest, widths, first=False)
    parts = [(widths[place], piece) for place, piece in found.items() if piece is not None]
    assert len(parts) == len(found) > 0
    every = [index for _, piece in parts for index in piece.indexes or ()]
    assert len(every) == len(set(every))
    assert set(every) <= left
    assert all(1 <= piece.width <= min(node, len(piece.indexes or ())) for node, piece in parts)
    if sum(widths) >= rest.width:
        assert set(every) == left


def job(template: Object, **placement: Any) -> ComputeJob:
    """A job with that template."""
    metadata = {"namespace": "team-a", "name": "train", "uid": "u1", "resourceVersion": "9"}
    return ComputeJob.model_validate({"metadata": metadata, "spec": {"template": template, "placement": placement}})


def parcel(piece: Piece | None, fence: Fence | None = None) -> Parcel:
    """The second shard of an attempt, sent to n1 as its seventh Dispatch."""
    assignment = Assignment(
        demand=demand_of(job(INDEXED), "team-a"),
        node="n1",
        width=5,
        affinity=(),
        estimate_per_hour=None,
        currency="",
        explanation=Explanation(),
    )
    return Parcel(assignment, 7, 1, piece, fence)


def written(made: Parcel) -> Dispatch:
    """The Dispatch that is written for it."""
    body = dispatch_manifest(job(INDEXED), made, attempt=3, hub_uid="h1", cluster_uid="c1", tariff=None)
    return Dispatch.model_validate({**body, "metadata": {**body["metadata"], "uid": "d1", "resourceVersion": "1"}})


def test_a_piece_as_a_dispatch() -> None:
    """Indexes stand in it as they do in statuses; the Job in it has their number, and what is left of limits."""
    fence = Fence(after_seconds=300, stop_allowance_seconds=60)
    made = written(parcel(Piece(3, indexes("7,13,42-44"), backoff_limit=4), fence))
    spec = made.spec.manifest["spec"]
    assert (made.spec.shard, made.spec.attempt, made.spec.sequence) == (1, 3, 7)
    assert (made.spec.indexes, made.spec.fence) == ("7,13,42-44", fence)
    assert (spec["completions"], spec["parallelism"], spec["backoffLimit"]) == (5, 3, 4)
    assert spec["template"]["metadata"]["annotations"]["isthmus.dev/index-map"] == "0:7,1:13,2:42"
    assert "activeDeadlineSeconds" not in spec


def test_a_whole_job_as_a_dispatch() -> None:
    """It names no indexes and has no fence that nobody asked for, and its Job counts as the template does."""
    made = written(parcel(None))
    spec = made.spec.manifest["spec"]
    assert (made.spec.indexes, made.spec.fence) == (None, None)
    assert (spec["completions"], spec["parallelism"]) == (100, 20)
    assert "schedulingGates" not in spec["template"]["spec"]


@pytest.mark.parametrize("ranges", [1, 500, 512])
def test_long_indexes_are_within_the_field(ranges: int) -> None:
    """As many ranges as a piece may have, however far up, fit into the Dispatch and come out of it again."""
    chosen = IndexSet.joined((990_000 + 3 * n, 990_002 + 3 * n) for n in range(ranges))
    made = written(parcel(Piece(4, chosen)))
    assert made.spec.indexes is not None
    assert len(made.spec.indexes) <= 32768
    assert IndexSet.parse(made.spec.indexes) == chosen


OVERTAKEN = [
    pytest.param(INDEXED, Piece(2, indexes("5-9")), told("0-4"), False, id="others-done"),
    pytest.param(INDEXED, Piece(2, indexes("5-9")), told("0-5"), True, id="one-of-its-own-done"),
    pytest.param(INDEXED, Piece(2, indexes("5-9")), told(failed="9"), True, id="one-of-its-own-failed"),
    pytest.param(INDEXED, None, told(), False, id="whole-with-nothing-done"),
    pytest.param(INDEXED, None, told("1"), True, id="whole-with-one-done"),
    pytest.param(COUNTED, Piece(20, completions=60), told("0-39"), False, id="as-many-left"),
    pytest.param(COUNTED, Piece(20, completions=60), told("0-40"), True, id="fewer-left"),
]


@pytest.mark.parametrize(("template", "piece", "progress", "expected"), OVERTAKEN)
def test_overtaken(template: Object, piece: Piece | None, progress: Progress, expected: bool) -> None:
    """A parcel is not worth sending any more once something of it is done."""
    assert overtaken(work_of(template), progress, parcel(piece)) is expected


def test_progress_and_pieces_agree() -> None:
    """What progress says is left is what the pieces are made of."""
    metadata = {
        "name": "d",
        "uid": "d",
        "resourceVersion": "1",
        "creationTimestamp": str(datetime(2026, 1, 1, tzinfo=UTC)),
    }
    spec = {**written(parcel(Piece(5, indexes("0-49")))).spec.to_manifest()}
    lost = Dispatch.model_validate(
        {"metadata": metadata, "spec": spec, "status": {"state": "Lost", "completedIndexes": "0-9", "failed": 1}}
    )
    progress = progress_of(work_of(INDEXED), [("n1", lost)])
    assert progress.rest is not None
    found = pieces(INDEXED, progress.rest, [10, 10], first=False, progress=progress)
    assert [str(piece.indexes) for piece in found.values() if piece] == ["10-54", "55-99"]
    assert {piece.backoff_limit for piece in found.values() if piece} == {5}


def test_the_dearest_price_is_told() -> None:
    """An hour of all that a member can have, at the dearest price there may be, is written down to the last digit."""
    made = parcel(None)
    dearest = Decimal("9999999999999.999999999999") * 3600 * 10**10
    dispatch = written(replace(made, assignment=replace(made.assignment, estimate_per_hour=dearest, currency="CNY")))
    estimate = json.loads(dispatch.metadata["annotations"][ANNOTATION_PLACEMENT])["estimate"]
    assert Decimal(estimate["amount"]) == dearest > 10**26
