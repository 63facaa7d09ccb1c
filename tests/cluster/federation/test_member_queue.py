"""A member whose Kueue decides when Jobs begin, with Kueue's part played by the test."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from tests.cluster.federation.proof import recorded
from tests.cluster.federation.queueplayer import LABEL, NO_ROOM, QueuePlayer, shard_of

from federation import Federation, compute_job, compute_node, job_spec
from testbed import Machine, wait_for

MEMBERS = {"queued": [Machine("q1", "16", "64Gi")], "other": [Machine("o1", "8", "64Gi")]}
QUEUED = {"regions": ["queued"]}
LONG = "3600"


@pytest.fixture(scope="module")
def queue(fed: Federation) -> Iterator[QueuePlayer]:
    """The member's queue, which its offer names; all that pods ran is booked in the end."""
    fed.hub.apply([compute_node("queued", "queued", region={"code": "queued"}, offer={"labels": {LABEL: "lent"}})])
    with QueuePlayer(fed.clusters["queued"]) as player, recorded(fed, MEMBERS):
        yield player


def submit(fed: Federation, name: str, template: Any = None, **spec: Any) -> str:
    """Hand in a job for the member with the queue; the name of its Job there."""
    fed.hub.apply([compute_job(name, template or job_spec(run_seconds=LONG), **{"placement": QUEUED, **spec})])
    return shard_of(fed, name)


def wait_phase(fed: Federation, name: str, phase: str, active: int | None = None, seconds: float = 40) -> None:
    """Wait until the job is in the phase, with so many pods."""

    def holds() -> bool:
        status = fed.job(name).get("status", {})
        return status.get("phase") == phase and active in (None, status.get("active", 0))

    wait_for(holds, seconds, f"{name} to be {phase}")


def wait_queued(fed: Federation, name: str) -> str:
    """Wait until the job is told to wait in the queue; why."""
    stalled = fed.wait_condition("computejobs", name, "Stalled", "True", reason="QueuedInMember", namespace="team-a")
    return str(stalled["message"])


def delete(fed: Federation, *names: str) -> None:
    """Delete jobs, and wait until they are gone."""
    fed.hub.kubectl("delete", "cjob", *names, "-n", "team-a", "--timeout=60s")


def test_one_that_waits(fed: Federation, queue: QueuePlayer) -> None:
    """It counts as Dispatched and says why it waits, until its queue lets it run; nobody else touches it."""
    shard = submit(fed, "waits", job_spec(run_seconds="1", completions=2, parallelism=2))
    message = wait_queued(fed, "waits")
    assert re.fullmatch(rf"2 pods on queued: in the member's queue lent waits Job iwt-\S+/{shard}: {NO_ROOM}", message)
    wait_phase(fed, "waits", "Dispatched", 0)
    assert [turn for turn in queue.turns if turn[0] == shard] == []
    queue.admitted.add(shard)
    fed.wait_job("waits")
    fed.wait_condition("computejobs", "waits", "Stalled", "False", namespace="team-a")
    assert [turn for turn in queue.turns if turn[0] == shard] == [(shard, False)]
    delete(fed, "waits")


def test_one_that_is_preempted(fed: Federation, queue: QueuePlayer) -> None:
    """It is told as waiting, its pods count as no failures, and their time is booked, before and after."""
    shard = submit(fed, "victim", job_spec(run_seconds="5", completions=2, parallelism=2, backoffLimit=0))
    queue.admitted.add(shard)
    wait_phase(fed, "victim", "Running", 2)
    queue.admitted.remove(shard)
    wait_phase(fed, "victim", "Dispatched", 0)
    assert wait_queued(fed, "victim").endswith(NO_ROOM)
    assert fed.job("victim")["status"].get("failed", 0) == 0
    queue.admitted.add(shard)
    done = fed.wait_job("victim")["status"]
    assert (done["done"], done.get("failed", 0)) == ("2/2", 0)
    assert [turn for turn in queue.turns if turn[0] == shard] == [(shard, False), (shard, True), (shard, False)]


def test_the_hub_pauses_one(fed: Federation, queue: QueuePlayer) -> None:
    """One that runs and one that waits are Suspended, whatever room their queue has, until the hub ends the pause."""
    names = ("runs", "queues")
    shards = {name: submit(fed, name) for name in names}
    queue.admitted.add(shards["runs"])
    wait_phase(fed, "runs", "Running", 1)
    wait_queued(fed, "queues")
    fed.hub.apply([compute_job(name, job_spec(run_seconds=LONG), placement=QUEUED, suspend=True) for name in names])
    for name in names:
        wait_phase(fed, name, "Suspended", 0)
    fed.wait_condition("computejobs", "queues", "Stalled", "False", namespace="team-a")
    turns = list(queue.turns)
    queue.admitted.add(shards["queues"])
    passing = submit(fed, "passing", job_spec(run_seconds="1"))
    queue.admitted.add(passing)
    fed.wait_job("passing")  # queue and hub were at work meanwhile
    assert [turn for turn in queue.turns if turn[0] != passing] == turns
    fed.hub.apply([compute_job(name, job_spec(run_seconds=LONG), placement=QUEUED, suspend=False) for name in names])
    for name in names:
        wait_phase(fed, name, "Running", 1)
    delete(fed, *names, "passing")


def test_a_drain_moves_one_that_waits(fed: Federation, queue: QueuePlayer) -> None:
    """It is held in its queue, so that it can't begin meanwhile, and runs on another node."""
    shard = submit(fed, "moves", job_spec(run_seconds="2"), placement={})
    if fed.job("moves")["status"]["nodes"] != "queued":
        raise AssertionError("the larger node is not the one that is chosen")
    wait_queued(fed, "moves")
    terms: dict[str, Any] = {"region": {"code": "queued"}, "offer": {"labels": {LABEL: "lent"}}}
    fed.hub.apply([compute_node("queued", "queued", schedulingState="Drained", **terms)])
    fed.wait_job("moves")
    assert [(s["node"], s["state"]) for s in fed.job("moves")["status"]["shards"]] == [
        ("queued", "Cancelled"),
        ("other", "Succeeded"),
    ]
    assert not [turn for turn in queue.turns if turn[0] == shard]
    fed.hub.apply([compute_node("queued", "queued", schedulingState="Active", **terms)])
    fed.wait_condition("computenodes", "queued", "Schedulable", "True")
    delete(fed, "moves")


def test_room_that_waiting_jobs_will_take(fed: Federation, queue: QueuePlayer) -> None:
    """What waits in the queue may begin at any moment: the hub sends no more than the member's machines hold."""
    assert queue
    names = [f"wide-{number}" for number in range(3)]
    template = job_spec(run_seconds=LONG, cpu="7")
    fed.hub.apply([compute_job(name, template, placement=QUEUED) for name in names])
    wait_for(lambda: sum(bool(fed.job(name).get("status", {}).get("shards")) for name in names) == 2, 30, "two sent")
    waiting = next(name for name in names if not fed.job(name).get("status", {}).get("shards"))
    for name in names:
        if name != waiting:
            wait_queued(fed, name)  # the figures have been told anew by then
    placed = fed.wait_condition("computejobs", waiting, "Placed", "False", namespace="team-a")
    assert "1 RegionMismatch" in placed["message"]
    assert not fed.job(waiting)["status"].get("shards")
    delete(fed, *names)


def test_what_must_keep_its_limit_goes_elsewhere(fed: Federation, queue: QueuePlayer) -> None:
    """A job with `onNodeLost: Rerun` is not sent where a queue may begin it at any time."""
    assert queue
    fed.hub.apply([compute_job("fenced", placement={**QUEUED, "onNodeLost": "Rerun"})])
    fed.wait_condition("computejobs", "fenced", "Placed", "False", namespace="team-a")
    told = {v["node"]: v for v in fed.job("fenced")["status"]["explanation"]["nodes"]}
    assert told["queued"]["reason"] == "QueuedByMember"
    delete(fed, "fenced")
