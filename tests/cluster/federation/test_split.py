from tests.cluster.federation.podrecorder import PodRecorder
from tests.cluster.federation.proof import (
    check_each_index_once,
    runs_by_index,
    shards,
    wait_complete,
)

from federation import Federation, compute_job, job_spec
from isthmus.api.indexes import IndexSet
from testbed import Machine, wait_for

MEMBERS = {
    "east": [Machine("e1", "8", "32Gi"), Machine("e2", "8", "32Gi")],
    "west": [Machine("w1", "8", "32Gi"), Machine("w2", "8", "32Gi")],
}
SPLIT = {"split": "ByIndex"}


def test_one_job_on_two_nodes(fed: Federation, recorder: PodRecorder) -> None:
    """A job that no node has room for runs on both at once; each of its indexes succeeds once, under its own number."""
    template = job_spec(run_seconds="3", completions=24, parallelism=24)
    fed.hub.apply([compute_job("wide", template, placement=SPLIT)])
    wait_complete(fed, ["wide"])
    check_each_index_once(fed, recorder.runs(), {"wide": 24})
    status = fed.job("wide")["status"]
    assert (status["done"], status["completedIndexes"], status["succeeded"]) == ("24/24", "0-23", 24)
    assert {shard["node"] for shard in status["shards"]} == {"east", "west"}
    assert len(status["shards"]) == 2
    parts = [IndexSet.parse(shard["indexes"]) for shard in status["shards"]]
    assert not parts[0] & parts[1]
    assert len(parts[0] | parts[1]) == 24


def test_what_waits_runs_when_there_is_room(fed: Federation, recorder: PodRecorder) -> None:
    """Of a job that is too wide for all nodes together a part waits, says so, and is sent where room comes."""
    template = job_spec(run_seconds="4", completions=48, parallelism=48)
    fed.hub.apply([compute_job("wider", template, placement=SPLIT)])
    wait_for(lambda: len(shards(fed, "wider")) >= 2, 30, "the first parts to be placed")
    wait_for(
        lambda: "indexes wait" in fed.condition("computejobs", "wider", "Placed", "team-a").get("message", ""),
        30,
        "the job to say what of it waits",
    )
    wait_complete(fed, ["wider"])
    check_each_index_once(fed, recorder.runs(), {"wider": 48})


def test_what_fits_one_node_is_not_split(fed: Federation, recorder: PodRecorder) -> None:
    """A job that may be split and need not be stands on one node, as its template says."""
    template = job_spec(run_seconds="1", completions=4, parallelism=4)
    fed.hub.apply([compute_job("narrow", template, placement=SPLIT)])
    wait_complete(fed, ["narrow"])
    check_each_index_once(fed, recorder.runs(), {"narrow": 4})
    assert [shard.get("indexes") for shard in shards(fed, "narrow")] == [None]


def test_what_can_not_be_split_says_why(fed: Federation) -> None:
    """A template whose pods know each other by name runs whole, on one node, and the job says why."""
    template = job_spec(run_seconds="1", completions=4, parallelism=4, pod={"subdomain": "peers"})
    fed.hub.apply([compute_job("peers", template, placement=SPLIT)])
    wait_complete(fed, ["peers"])
    admitted = fed.condition("computejobs", "peers", "Admitted", "team-a")
    assert admitted["reason"] == "NotSplittable"
    assert "subdomain" in admitted["message"]


def test_a_drain_moves_work_and_keeps_what_is_done(fed: Federation, recorder: PodRecorder) -> None:
    """Of a drained node's work the finished indexes stay finished, and the rest runs elsewhere."""
    template = job_spec(run_seconds="4", completions=12, parallelism=4)
    fed.hub.apply([compute_job("moving", template)])
    wait_for(lambda: fed.job("moving").get("status", {}).get("succeeded", 0) >= 4, 60, "some indexes to be done")
    (first,) = shards(fed, "moving")
    fed.hub.rest.patch(
        f"/apis/isthmus.dev/v1alpha1/computenodes/{first['node']}", {"spec": {"schedulingState": "Drained"}}
    )
    fed.wait_condition("computenodes", first["node"], "Schedulable", "False", reason="Drained")
    wait_for(lambda: len(shards(fed, "moving")) == 2, 60, "the rest to be placed anew")
    wait_complete(fed, ["moving"])
    found = runs_by_index(fed, recorder.runs(), ["moving"])
    again = {index for (_, index), runs in found.items() if len(runs) > 1}
    check_each_index_once(fed, recorder.runs(), {"moving": 12})
    before, after = shards(fed, "moving")
    assert (before["state"], after["state"]) == ("Cancelled", "Succeeded")
    assert after["node"] != first["node"]
    rerun = IndexSet.parse(after["indexes"])
    assert again <= set(rerun)
    assert len(rerun) <= 8
    fed.hub.rest.patch(
        f"/apis/isthmus.dev/v1alpha1/computenodes/{first['node']}", {"spec": {"schedulingState": "Active"}}
    )
    fed.wait_condition("computenodes", first["node"], "Schedulable", "True")
