import pytest
from tests.cluster.federation.podrecorder import PodRecorder
from tests.cluster.federation.proof import check_each_index_once

from federation import compute_job
from installation import Installation, work

INDEXES = 6  # with a GPU each: more than either member has


def test_indexed_job_runs_on_both_members(site: Installation, recorder: PodRecorder) -> None:
    """A job that no member has room for is split; each index succeeds once, under its number in the whole job."""
    site.apply(compute_job("wide", work(3, completions=INDEXES, gpus=1), placement={"split": "ByIndex"}))
    site.wait("computejob/wide", "Complete", seconds=120)
    status = site.status("wide")
    assert {shard["node"] for shard in status["shards"]} == set(site.members)
    assert (status["done"], status["completedIndexes"]) == (f"{INDEXES}/{INDEXES}", f"0-{INDEXES - 1}")
    check_each_index_once(site, recorder.runs(), {"wide": INDEXES})


def test_each_container_saw_its_own_index(site: Installation) -> None:
    """The log of each index, wherever it ran, is that of a container that saw the whole job's number."""
    if not site.runs_containers:
        pytest.skip("kwok's machines run no container that could write a log: --provider=kind does")
    for index in range(INDEXES):
        said = site.desk.isthmus("logs", "wide", "-n", "team-a", f"--index={index}")
        assert said.strip() == f"index {index}"
