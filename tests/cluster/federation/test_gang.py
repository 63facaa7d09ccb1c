"""A gang that no member has room for waits, says what it lacks, and is not kept out by small jobs for ever."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.cluster.federation.podrecorder import PodRecorder
from tests.cluster.federation.proof import check_each_index_once, wait_complete

from federation import Federation, compute_job, job_spec
from testbed import Machine, wait_for

MEMBERS = {
    "east": [Machine("e1", "4", "32Gi"), Machine("e2", "4", "32Gi")],
    "west": [Machine("w1", "4", "32Gi")],
}
GANG = job_spec(run_seconds="2", cpu="4", completions=2, parallelism=2)


def placed(fed: Federation, name: str) -> dict[str, Any]:
    """A job's condition Placed."""
    return dict(fed.condition("computejobs", name, "Placed", "team-a"))


class Stream:
    """Small jobs that come faster than they end."""

    def __init__(self, fed: Federation) -> None:
        self._fed = fed
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.names: list[str] = []

    def _run(self) -> None:
        while not self._over.wait(0.5):
            names = [f"small-{len(self.names) + n}" for n in range(3)]
            self._fed.hub.apply([compute_job(name, job_spec(run_seconds="4")) for name in names])
            self.names += names

    @contextmanager
    def flowing(self) -> Iterator[None]:
        """They come until the end of this."""
        self._thread.start()
        try:
            yield
        finally:
            self._over.set()
            self._thread.join(30)

    def waiting(self) -> list[str]:
        """Those that have found no room."""
        jobs = {job["metadata"]["name"]: job.get("status", {}).get("phase") for job in self._fed.items("computejobs")}
        return [name for name in self.names if jobs.get(name) in (None, "Pending")]


def test_a_gang_contradicts_a_split(fed: Federation) -> None:
    """All pods in one member, and pods over several, can't both be: the API server's refusal names the pair."""
    with pytest.raises(Exception, match=r"gang \(all pods on one node\) contradicts split ByIndex"):
        fed.hub.apply([compute_job("both", GANG, placement={"gang": True, "split": "ByIndex"})])


def test_a_gang_says_what_it_lacks(fed: Federation, recorder: PodRecorder) -> None:
    """A gang that no member has room for says what it needs, and where most of it would fit; it starts with all."""
    blocks = [compute_job(f"block-{n}", job_spec(run_seconds="12", cpu="3")) for n in range(3)]
    fed.hub.apply(blocks)
    wait_for(lambda: all(placed(fed, f"block-{n}").get("status") == "True" for n in range(3)), 30, "machines in use")
    fed.hub.apply(
        [
            compute_job(
                "gang", job_spec(run_seconds="1", cpu="2", completions=4, parallelism=4), placement={"gang": True}
            )
        ]
    )
    wait_for(lambda: placed(fed, "gang").get("status") == "False", 20, "the gang to say why it waits")
    told = placed(fed, "gang")
    assert told["reason"] in ("InsufficientCapacity", "NoSuitableNode"), told
    assert "needs 4 pods of 2 cpu + 1Gi memory" in told["message"]
    assert fed.member_jobs("east") or fed.member_jobs("west")
    wait_complete(fed, ["gang", "block-0", "block-1", "block-2"])
    check_each_index_once(fed, recorder.runs(), {"gang": 4})
    assert [shard["node"] for shard in fed.job("gang")["status"]["shards"]] == ["east"]


def test_a_stream_of_small_jobs_starves_no_gang(fed: Federation, recorder: PodRecorder) -> None:
    """While small jobs take whatever gets free, the machines that a gang needs are kept for it until it starts."""
    stream = Stream(fed)
    with stream.flowing():
        wait_for(lambda: len(stream.waiting()) >= 6, 60, "more small jobs than there is room for")
        fed.hub.apply([compute_job("large", GANG, placement={"gang": True})])
        wait_for(
            lambda: "reserved on east: room for" in placed(fed, "large").get("message", ""), 20, "machines to be kept"
        )
        held = "held for job team-a/large"
        wait_for(
            lambda: any(held in placed(fed, name).get("message", "") for name in stream.waiting()),
            20,
            "a small job to say for whom room is held",
        )
        wait_for(lambda: placed(fed, "large").get("status") == "True", 45, "the gang to start")
        assert len(stream.waiting()) >= 6, "there was no stream any more"
    fed.hub.rest.delete("/apis/isthmus.dev/v1alpha1/namespaces/team-a/computejobs?fieldSelector=metadata.name!=large")
    wait_complete(fed, ["large"])
    check_each_index_once(fed, recorder.runs(), {"large": 2})
