from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.api.core import Metadata, Pod, PodStatus
from isthmus.api.dispatch import Dispatch, DispatchSpec, JobReference
from isthmus.api.indexes import IndexSet
from isthmus.hub.query.logoptions import options_of
from isthmus.hub.query.logtarget import checked_index, chosen, position, targets
from isthmus.hub.query.refusals import Refused
from isthmus.hub.work import work_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def dispatch(name: str, *, attempt: int = 1, indexes: str | None = None, completions: int = 6) -> Dispatch:
    """A shard of an Indexed job; without `indexes` it is the whole."""
    count = completions if indexes is None else len(IndexSet.parse(indexes))
    spec = DispatchSpec(
        job=JobReference(namespace="team", name="job", uid="u-1"),
        account="team",
        shard=0,
        attempt=attempt,
        sequence=1,
        indexes=indexes,
        manifest={"spec": {"completionMode": "Indexed", "completions": count}},
    )
    return Dispatch(metadata={"name": name}, spec=spec)


SHARDS = [
    ("east", dispatch("a", indexes="0-2")),
    ("west", dispatch("b", indexes="3,5")),
    ("east", dispatch("c", attempt=2, indexes="1,4")),
]


@pytest.mark.parametrize(
    ("index", "found"),
    [
        (0, [("a", 0)]),
        (1, [("c", 0), ("a", 1)]),
        (4, [("c", 1)]),
        (5, [("b", 1)]),
    ],
    ids=["first", "rerun", "only rerun", "gap"],
)
def test_index_of_a_split_job(index: int, found: list[tuple[str, int]]) -> None:
    """The last shard with the index comes first, and the index is counted as that shard's member counts it."""
    assert [(each.dispatch.metadata["name"], each.local) for each in targets(SHARDS, index)] == found


def test_index_of_a_whole_job() -> None:
    """A shard that is the whole job counts as the job does; pods without numbers are all meant."""
    (found,) = targets([("east", dispatch("a"))], 4)
    assert found.labels("hub-1") == (
        "isthmus.dev/hub=hub-1,isthmus.dev/dispatch=a,batch.kubernetes.io/job-completion-index=4"
    )
    (unnumbered,) = targets([("east", dispatch("a"))], None)
    assert unnumbered.labels("hub-1") == "isthmus.dev/hub=hub-1,isthmus.dev/dispatch=a"


@given(st.sets(st.integers(0, 300), min_size=1))
def test_position_is_where_the_index_is_found(indexes: set[int]) -> None:
    """What stands at an index's position is that index."""
    kept = IndexSet.of(indexes)
    assert all(kept.at(position(kept, index)) == index for index in indexes)
    with pytest.raises(ValueError, match="301"):
        position(kept, 301)


INDEXED = {"completionMode": "Indexed", "completions": 3}


@pytest.mark.parametrize(
    ("template", "index", "meant"),
    [
        (INDEXED, 2, 2),
        ({**INDEXED, "completions": 1}, None, 0),
        ({"completions": 3, "parallelism": 3}, None, None),
        ({}, None, None),
    ],
    ids=["given", "only one", "several pods without indexes", "one pod"],
)
def test_index_that_is_meant(template: dict[str, Any], index: int | None, meant: int | None) -> None:
    """An index need not be given where there is one pod, or none has an index."""
    assert checked_index(work_of(template), index) == meant


@pytest.mark.parametrize(
    ("template", "index", "words"),
    [
        (INDEXED, None, "the job has 3 indexes; say which by index=0 to index=2"),
        (INDEXED, 3, "no index 3; its last is 2"),
        ({"completions": 3}, 0, "the job's pods have no indexes"),
    ],
    ids=["none given", "beyond the last", "no indexes"],
)
def test_index_that_is_none(template: dict[str, Any], index: int | None, words: str) -> None:
    """What is wrong with an index is told with what would be right."""
    with pytest.raises(Refused, match=words) as refused:
        checked_index(work_of(template), index)
    assert refused.value.code == 400


def pod(name: str, age: int, phase: str = "Running") -> Pod:
    """A pod made so many seconds ago."""
    return Pod(
        metadata=Metadata(name=name, creation_timestamp=NOW - timedelta(seconds=age)), status=PodStatus(phase=phase)
    )


def test_pod_that_is_meant() -> None:
    """Of an index's pods it is the last; where pods have no indexes, one that runs goes before one that ended."""
    pods = [pod("first", 30), pod("last", 10, "Failed"), pod("second", 20)]
    assert (chosen(pods, numbered=True) or pods[0]).metadata.name == "last"
    assert (chosen(pods, numbered=False) or pods[0]).metadata.name == "second"
    assert chosen([], numbered=True) is None


def test_options() -> None:
    """The parameters are Kubernetes' own; what is not known is passed over."""
    asked = {"index": "3", "follow": "true", "tailLines": "0", "timestamps": "1", "container": "main", "pretty": "x"}
    found = options_of(asked)
    assert (found.index, found.follow) == (3, True)
    assert found.rest == {"tailLines": "0", "timestamps": "true", "container": "main"}


@pytest.mark.parametrize(
    "asked",
    [
        {"index": "-1"},
        {"index": "٣"},
        {"index": "1e3"},
        {"tailLines": "9" * 5000},
        {"limitBytes": "0"},
        {"follow": "yes"},
        {"container": "a/../b"},
        {"container": "<script>"},
        {"container": "a" * 64},
    ],
    ids=str,
)
def test_options_that_are_none(asked: dict[str, str]) -> None:
    """What is no number, flag or name is refused before anything is asked of a member."""
    with pytest.raises(Refused) as refused:
        options_of(asked)
    assert (refused.value.code, "<" in refused.value.message) == (400, False)
