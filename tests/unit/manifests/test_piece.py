from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.api.computejob import ComputeJob
from isthmus.api.indexes import IndexSet
from isthmus.manifests import SEGMENT_LIMIT, Piece, index_map, render

GATE = {"name": "isthmus.dev/index"}
INDEX = {
    "name": "JOB_COMPLETION_INDEX",
    "valueFrom": {"fieldRef": {"fieldPath": "metadata.annotations['isthmus.dev/index']"}},
}
MAIN = {"name": "main", "image": "work"}


def rendered(template: dict[str, Any], piece: Piece | None) -> dict[str, Any]:
    """The member's JobSpec."""
    metadata = {"metadata": {"name": "train", "namespace": "team", "uid": "u"}, "spec": {"template": template}}
    job = ComputeJob.model_validate(metadata)
    manifest = render(job, hub_uid="h", node="n", shard=0, attempt=1, affinity=(), suspend=False, piece=piece)
    spec: dict[str, Any] = manifest["spec"]
    return spec


def indexed(pod: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """An Indexed JobSpec of a hundred, twenty at once."""
    spec = {"restartPolicy": "Never", "containers": [MAIN], **(pod or {})}
    counts = {"completions": 100, "parallelism": 20, "completionMode": "Indexed"}
    return {**counts, "template": {"metadata": {"annotations": {"a": "b"}}, "spec": spec}, **fields}


SCATTERED = IndexSet.parse("7,13,42-44")


def test_whole_difference() -> None:
    """A piece differs from the whole job by its counts, the map, the gate and the variable, and by nothing else."""
    asked = indexed()
    untouched = deepcopy(asked)
    whole = rendered(asked, None)
    piece = rendered(asked, Piece(width=2, indexes=SCATTERED))
    assert asked == untouched
    expected = deepcopy(whole) | {"completions": 5, "parallelism": 2}
    expected["template"]["metadata"]["annotations"]["isthmus.dev/index-map"] = "0:7,1:13,2:42"
    expected["template"]["spec"]["schedulingGates"] = [GATE]
    expected["template"]["spec"]["containers"] = [MAIN | {"env": [INDEX]}]
    assert piece == expected


def test_every_container_is_told() -> None:
    """Init containers and sidecars get the variable too, last, and gates of the user's own stay before ours."""
    own = {"name": "A", "value": "b"}
    pod = {
        "initContainers": [{"name": "first", "image": "i", "env": [own]}],
        "containers": [MAIN, {"name": "second", "image": "s"}],
        "schedulingGates": [{"name": "example.com/quota"}],
    }
    spec = rendered(indexed(pod), Piece(width=1, indexes=SCATTERED))["template"]["spec"]
    assert spec["initContainers"] == [{"name": "first", "image": "i", "env": [own, INDEX]}]
    assert [container["env"] for container in spec["containers"]] == [[INDEX], [INDEX]]
    assert spec["schedulingGates"] == [{"name": "example.com/quota"}, GATE]


def test_a_variable_of_the_users_own_stays() -> None:
    """A container that sets JOB_COMPLETION_INDEX itself is left as it is, as the Job controller leaves it."""
    own = MAIN | {"env": [{"name": "JOB_COMPLETION_INDEX", "value": "7"}]}
    spec = rendered(indexed({"containers": [own, MAIN | {"name": "other"}]}), Piece(width=1, indexes=SCATTERED))
    assert spec["template"]["spec"]["containers"] == [own, MAIN | {"name": "other", "env": [INDEX]}]


LIMITS: dict[str, Any] = {
    "backoffLimit": 3,
    "backoffLimitPerIndex": 2,
    "maxFailedIndexes": 4,
    "activeDeadlineSeconds": 600,
}
PIECES = {
    "the whole job": (indexed(**LIMITS), Piece(width=20), {}),
    "the whole job, narrower": (indexed(**LIMITS), Piece(width=3), {"parallelism": 3}),
    "the whole job under a fence": (
        indexed(**LIMITS),
        Piece(width=20, active_deadline_seconds=300),
        {"activeDeadlineSeconds": 300},
    ),
    "a fence where there is no deadline": (
        indexed(),
        Piece(width=20, active_deadline_seconds=300),
        {"activeDeadlineSeconds": 300},
    ),
    "what is left of a count": (
        {"completions": 9, "parallelism": 3, "template": {"spec": {"containers": [MAIN]}}},
        Piece(width=2, completions=4, backoff_limit=0),
        {"completions": 4, "parallelism": 2, "backoffLimit": 0},
    ),
    "what is left of the limits": (
        indexed(**LIMITS),
        Piece(width=20, backoff_limit=1, backoff_limit_per_index=0, max_failed_indexes=0),
        {"backoffLimit": 1, "backoffLimitPerIndex": 0, "maxFailedIndexes": 0},
    ),
}


@pytest.mark.parametrize(("asked", "piece", "changed"), PIECES.values(), ids=PIECES)
def test_plain_pieces(asked: dict[str, Any], piece: Piece, changed: dict[str, Any]) -> None:
    """Without indexes of its own, only what the piece says is changed: no map, no gate, no variable."""
    assert rendered(asked, piece) == rendered(asked, None) | changed


MAXIMA = {"above": (40, None, 5), "below": (4, None, 4), "overridden above": (4, 9, 5), "overridden": (40, 0, 0)}


@pytest.mark.parametrize(("template", "override", "expected"), MAXIMA.values(), ids=MAXIMA)
def test_max_failed_indexes_fits(template: int, override: int | None, expected: int) -> None:
    """No piece of five says more than five failed indexes, which the API server would refuse."""
    piece = Piece(width=1, indexes=SCATTERED, max_failed_indexes=override)
    assert rendered(indexed(backoffLimitPerIndex=1, maxFailedIndexes=template), piece)["maxFailedIndexes"] == expected


def test_too_many_ranges() -> None:
    """A piece of more ranges than the map may have is an error of the caller."""
    with pytest.raises(ValueError, match="513 ranges"):
        rendered(indexed(), Piece(width=1, indexes=IndexSet.of(range(0, 2 * SEGMENT_LIMIT + 2, 2))))


@given(st.sets(st.integers(0, 99_999), min_size=1, max_size=300))
def test_map_gives_every_index(chosen: set[int]) -> None:
    """Read as the member reads it, the map turns local indexes into the global ones, in ascending order."""
    rows = [tuple(map(int, row.split(":"))) for row in index_map(IndexSet.of(chosen)).split(",")]

    def resolved(local: int) -> int:
        start, first = [row for row in rows if row[0] <= local][-1]
        return first + local - start

    assert [resolved(local) for local in range(len(chosen))] == sorted(chosen)
