"""Work of lower priority makes room in two members at once, and what it had not finished runs again."""

from tests.cluster.federation.podrecorder import PodRecorder
from tests.cluster.federation.proof import check_each_index_once, runs_by_index, shards, wait_complete

from federation import Federation, compute_job, job_spec
from isthmus.api.indexes import IndexSet
from testbed import Machine, wait_for

MEMBERS = {"east": [Machine("e1", "8", "32Gi")], "west": [Machine("w1", "8", "32Gi")]}
LOW = {"split": "ByIndex", "preemptible": True}
FIXED = {"split": "ByIndex"}


def running(fed: Federation, name: str) -> int:
    """How many pods of a job run."""
    pods = fed.pods_of(name) if shards(fed, name) else []
    return sum(pod["status"]["phase"] == "Running" for pod in pods)


def events(fed: Federation, name: str, reason: str) -> list[str]:
    """The messages of the events on a job with that reason."""
    items = fed.hub.rest.get("/api/v1/namespaces/team-a/events")["items"]
    mine = [each for each in items if each["involvedObject"]["name"] == name and each["reason"] == reason]
    return [each["message"] for each in mine]


def test_a_higher_priority_makes_room_in_two_members(fed: Federation, recorder: PodRecorder) -> None:
    """Preemptible shards are stopped in both members; what is finished stays, the rest is rerun, others run on."""
    fed.hub.apply([compute_job("fixed", job_spec(run_seconds="30", completions=4, parallelism=4), placement=FIXED)])
    wait_for(lambda: running(fed, "fixed") == 4, 30, "what is not preemptible to run")
    fed.hub.apply([compute_job("low", job_spec(run_seconds="4", completions=36, parallelism=12), placement=LOW)])
    wait_for(lambda: fed.job("low").get("status", {}).get("succeeded", 0) >= 12, 30, "some indexes to be done")
    assert {shard["node"] for shard in shards(fed, "low")} == set(MEMBERS)
    urgent = job_spec(run_seconds="8", completions=12, parallelism=12)
    fed.hub.apply([compute_job("urgent", urgent, priority=100, placement={"split": "ByIndex"})])
    wait_for(lambda: running(fed, "urgent") == 12, 30, "the urgent job to run in both members")
    assert {shard["node"] for shard in shards(fed, "urgent")} == set(MEMBERS)
    assert running(fed, "fixed") == 4
    condition = fed.condition("computejobs", "low", "Preempted", "team-a")
    assert (condition["status"], condition["reason"]) == ("True", "Preempted")
    wait_complete(fed, ["urgent", "low", "fixed"])
    check_each_index_once(fed, recorder.runs(), {"urgent": 12, "low": 36, "fixed": 4})
    check_rerun(fed, recorder)
    assert fed.condition("computejobs", "low", "Preempted", "team-a")["status"] == "False"
    told = events(fed, "low", "Preempted")
    assert any("for a job of priority 100; what is not done by then runs again" in message for message in told), told
    assert [shard["state"] for shard in shards(fed, "fixed")] == ["Succeeded"]
    assert fed.job("low")["status"].get("failed", 0) == 0


def check_rerun(fed: Federation, recorder: PodRecorder) -> None:
    """What was done in the shards that made room was not done again, and all else of them was."""
    stopped = [shard for shard in shards(fed, "low") if shard["state"] == "Cancelled"]
    assert {shard["node"] for shard in stopped} == set(MEMBERS)
    assert all("for a job of priority 100" in shard["message"] for shard in stopped)
    done = IndexSet()
    for each in fed.items("dispatches"):
        if each["metadata"]["name"] in {shard["dispatch"] for shard in stopped}:
            done |= IndexSet.parse(each["status"].get("completedIndexes", ""))
    assert len(done) >= 12
    again = IndexSet()
    for shard in shards(fed, "low")[len(stopped) :]:
        again |= IndexSet.parse(shard["indexes"])
    assert not done & again
    assert len(done | again) == 36
    runs = runs_by_index(fed, recorder.runs(), ["low"])
    assert all(len(each) == 1 for (_, index), each in runs.items() if index in done)
    assert any(len(each) > 1 for each in runs.values()), "nothing was stopped"


def test_a_gang_has_one_shard_stopped_and_no_more(fed: Federation, recorder: PodRecorder) -> None:
    """For a job that one member's room is enough for, what runs in the other goes on."""
    fed.hub.apply([compute_job("wide", job_spec(run_seconds="6", completions=16, parallelism=16), placement=LOW)])
    wait_for(lambda: running(fed, "wide") == 16, 30, "both members to be full")
    gang = job_spec(run_seconds="2", completions=6, parallelism=6)
    fed.hub.apply([compute_job("gang", gang, priority=1, placement={"gang": True})])
    wait_complete(fed, ["gang", "wide"])
    check_each_index_once(fed, recorder.runs(), {"gang": 6, "wide": 16})
    (stopped,) = [shard for shard in shards(fed, "wide") if shard["state"] == "Cancelled"]
    (taken,) = shards(fed, "gang")
    assert stopped["node"] == taken["node"]


def test_equals_wait(fed: Federation, recorder: PodRecorder) -> None:
    """A job of the same priority stops nothing, preemptible or not; it waits for its turn."""
    fed.hub.apply([compute_job("first", job_spec(run_seconds="4", completions=16, parallelism=16), placement=LOW)])
    wait_for(lambda: running(fed, "first") == 16, 30, "both members to be full")
    fed.hub.apply([compute_job("second", job_spec(run_seconds="1", completions=8, parallelism=8))])
    wait_complete(fed, ["first", "second"])
    assert {shard["state"] for shard in shards(fed, "first")} == {"Succeeded"}
    check_each_index_once(fed, recorder.runs(), {"first": 16, "second": 8})
