"""Limits that hold over a whole job, whose parts run in two members at once, and jobs that are out of the ordinary."""

import urllib.request
from collections.abc import Iterable
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.cluster.federation.podrecorder import PodRecorder
from tests.cluster.federation.proof import (
    check_each_index_once,
    runs_by_index,
    wait_complete,
)

from federation import Federation, compute_job, job_spec
from isthmus.api.indexes import IndexSet
from testbed import Machine, wait_for

CORES = 12
MEMBERS = {"east": [Machine("e1", str(CORES), "48Gi")], "west": [Machine("w1", str(CORES), "48Gi")]}
SPLIT = {"split": "ByIndex"}
FAIL_INDEXES = "testbed.isthmus.dev/fail-indexes"
VARIABLE = "JOB_COMPLETION_INDEX"
HUNDRED_THOUSAND = 100_000
# What the hub may come to hold more for jobs of 100,000 indexes each, of which hardly any are done.
GROWTH_MEBIBYTES = 40

Object = dict[str, Any]


@pytest.fixture(autouse=True)
def room(fed: Federation) -> None:
    """All room of both members is free, and the hub sees it: a test that begins while it does not has other parts."""
    wait_for(lambda: {free_cores(fed, member) for member in MEMBERS} == {CORES}, 30, "all room to be free")


def free_cores(fed: Federation, member: str) -> float:
    """What of a member's processors is free, by the figures that the hub places by."""
    with urllib.request.urlopen(f"{fed.process.served_at()}/metrics", timeout=30) as answer:  # noqa: S310 - http
        families = text_string_to_metric_families(answer.read().decode())
    wanted = {"node": member, "resource": "cpu", "unit": "core"}
    return sum(
        sample.value
        for family in families
        if family.name == "isthmus_node_free"
        for sample in family.samples
        if sample.labels == wanted
    )


def failing(indexes: Iterable[int], **fields: Any) -> Object:
    """A JobSpec of 48 indexes, half of them at once, of which these fail: 0 to 23 are one member's part."""
    counts: Object = {"run_seconds": "2", "completions": 48, "parallelism": 24}
    template = job_spec(**{**counts, **fields})
    template["template"]["metadata"]["annotations"][FAIL_INDEXES] = ",".join(map(str, indexes))
    return template


def dispatches(fed: Federation, name: str) -> list[Object]:
    """All Dispatches of a job, by attempt and shard."""
    mine = [each for each in fed.items("dispatches") if each["spec"]["job"]["name"] == name]
    return sorted(mine, key=lambda each: (each["spec"]["attempt"], each["spec"]["shard"]))


def indexes_of(dispatch: Object) -> IndexSet:
    """The indexes that a Dispatch of a part is for."""
    return IndexSet.parse(dispatch["spec"]["indexes"])


def check_failed_as_a_whole(fed: Federation, recorder: PodRecorder, name: str, reason: str) -> Object:
    """The job failed for that reason, which was told while its pods stopped; not one of them runs on. Its status."""
    condition = fed.wait_condition("computejobs", name, "Failed", "True", reason=reason, namespace="team-a")
    target = fed.condition("computejobs", name, "FailureTarget", "team-a")
    assert (target["status"], target["reason"]) == ("True", reason)
    assert target["lastTransitionTime"] <= condition["lastTransitionTime"]
    status: Object = fed.job(name)["status"]
    assert {shard["node"] for shard in status["shards"]} == set(MEMBERS)
    wait_for(lambda: not [pod for pod in fed.pods_of(name) if pod["status"]["phase"] == "Running"], 10, "no pod to run")
    found = [run for runs in runs_by_index(fed, recorder.runs(), [name]).values() for run in runs]
    assert all(run.time.ended is not None for run in found if run.time.started is not None)
    assert status["succeeded"] < 48
    return status


def test_failed_indexes_of_two_members(fed: Federation, recorder: PodRecorder) -> None:
    """With one failed index in each member and one allowed over all, the job fails and all its pods are stopped."""
    template = failing([0, 24], backoffLimitPerIndex=0, maxFailedIndexes=1)
    fed.hub.apply([compute_job("one-too-many", template, placement=SPLIT)])
    status = check_failed_as_a_whole(fed, recorder, "one-too-many", "MaxFailedIndexesExceeded")
    assert status["failedIndexes"] == "0,24"
    assert [each["status"]["failedIndexes"] for each in dispatches(fed, "one-too-many")] == ["0", "24"]
    assert {shard["state"] for shard in status["shards"]} == {"Cancelled"}


def test_failed_pods_of_two_members(fed: Federation, recorder: PodRecorder) -> None:
    """Of a backoffLimit of 3, two failed pods in each member are within it, and too many together."""
    fed.hub.apply([compute_job("four-pods", failing([0, 1, 24, 25], run_seconds="5", backoffLimit=3), placement=SPLIT)])
    status = check_failed_as_a_whole(fed, recorder, "four-pods", "BackoffLimitExceeded")
    told = [each["status"] for each in dispatches(fed, "four-pods")]
    assert [each["failed"] for each in told] == [2, 2]
    assert status["failed"] == 4


def test_a_failure_that_ends_the_job(fed: Federation, recorder: PodRecorder) -> None:
    """What podFailurePolicy calls the failure of the job in one member stops its pods in the other as well."""
    rule = {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}
    template = failing([30], exit_code=42, podFailurePolicy={"rules": [rule]})
    fed.hub.apply([compute_job("fatal", template, placement=SPLIT)])
    status = check_failed_as_a_whole(fed, recorder, "fatal", "PodFailurePolicy")
    assert {shard["state"] for shard in status["shards"]} == {"Cancelled", "Failed"}


def test_failed_indexes_are_told_at_the_end(fed: Federation, recorder: PodRecorder) -> None:
    """Indexes that fail in both members end nothing but themselves: all others complete before the job has failed."""
    template = failing([3, 11, 20], completions=24, backoffLimitPerIndex=0)
    fed.hub.apply([compute_job("some-fail", template, placement=SPLIT)])
    fed.wait_condition("computejobs", "some-fail", "Failed", "True", reason="FailedIndexes", namespace="team-a")
    status = fed.job("some-fail")["status"]
    assert (status["failedIndexes"], status["completedIndexes"]) == ("3,11,20", "0-2,4-10,12-19,21-23")
    found = runs_by_index(fed, recorder.runs(), ["some-fail"])
    assert {index: len(runs) for (_, index), runs in found.items()} == dict.fromkeys(range(24), 1)


def test_a_suspended_job_resumes_in_all_its_parts(fed: Federation, recorder: PodRecorder) -> None:
    """A split job that is suspended stops in both members; resumed, it runs what is missing, and no index twice."""
    fed.hub.apply([compute_job("paused", job_spec(run_seconds="3", completions=72, parallelism=24), placement=SPLIT)])
    wait_for(lambda: fed.job("paused").get("status", {}).get("succeeded", 0) >= 24, 30, "the first indexes to be done")
    suspend(fed, "paused", wish=True)
    wait_for(lambda: fed.job("paused")["status"]["phase"] == "Suspended", 30, "the job to be suspended")
    wait_for(lambda: not [pod for pod in fed.pods_of("paused") if pod["status"]["phase"] == "Running"], 10, "quiet")
    assert fed.job("paused")["status"]["succeeded"] < 72
    suspend(fed, "paused", wish=False)
    wait_complete(fed, ["paused"])
    status = fed.job("paused")["status"]
    assert (status["done"], status["succeeded"], status.get("failed", 0)) == ("72/72", 72, 0)
    found = runs_by_index(fed, recorder.runs(), ["paused"])
    assert {index for _, index in found} == set(range(72))
    for key, runs in found.items():
        # A Job controller lets go of a pod before it deletes it for a suspension: one that succeeds just then is not
        # counted in the member, and its index runs again there, as in any suspended Job.
        ended = [run.time for run in runs if run.time.phase == "Succeeded"]
        assert ended, key
        assert all(a.ended is not None and b.started is not None and a.ended <= b.started for a, b in pairwise(ended))
    # Each part went on where it was, and no index was given out anew; there may be a third one where at first not all
    # of the members' room was seen to be free again.
    parts = dispatches(fed, "paused")
    assert [each["status"]["state"] for each in parts] == ["Succeeded"] * len(parts)
    assert IndexSet.span(72) == IndexSet.of(chain.from_iterable(map(indexes_of, parts)))
    assert sum(len(indexes_of(each)) for each in parts) == 72


def suspend(fed: Federation, name: str, *, wish: bool) -> None:
    """Set spec.suspend."""
    fed.hub.rest.patch(f"/apis/isthmus.dev/v1alpha1/namespaces/team-a/computejobs/{name}", {"spec": {"suspend": wish}})


def drain(fed: Federation, node: str, state: str = "Drained") -> None:
    """Set a node's schedulingState."""
    fed.hub.rest.patch(f"/apis/isthmus.dev/v1alpha1/computenodes/{node}", {"spec": {"schedulingState": state}})
    fed.wait_condition("computenodes", node, "Schedulable", "True" if state == "Active" else "False")


def test_a_drain_of_one_of_two_parts(fed: Federation, recorder: PodRecorder) -> None:
    """The drained member's part goes on in the other beside what runs there; a failure before counts no less after."""
    template = failing([0, 18], completions=36, run_seconds="3", backoffLimitPerIndex=1)
    fed.hub.apply([compute_job("half-moves", template, placement=SPLIT)])
    wait_for(lambda: fed.job("half-moves").get("status", {}).get("failed", 0) >= 2, 30, "both indexes to fail once")
    leaving = dispatches(fed, "half-moves")[1]["metadata"]["namespace"].removeprefix("isthmus-node-")
    drain(fed, leaving)
    try:
        fed.wait_condition("computejobs", "half-moves", "Failed", "True", reason="FailedIndexes", namespace="team-a")
    finally:
        drain(fed, leaving, "Active")
    status = fed.job("half-moves")["status"]
    assert status["failedIndexes"] == "0,18"
    assert status["succeeded"] == 34
    moved = [each for each in dispatches(fed, "half-moves") if each["spec"]["attempt"] > 1]
    assert moved
    assert leaving not in {each["metadata"]["namespace"].removeprefix("isthmus-node-") for each in moved}
    limits = {each["spec"]["indexes"]: each["spec"]["manifest"]["spec"]["backoffLimitPerIndex"] for each in moved}
    assert limits["18"] == 0
    found = runs_by_index(fed, recorder.runs(), ["half-moves"])
    failures = {index: [r.time.phase for r in runs] for (_, index), runs in found.items() if index in {0, 18}}
    assert failures[0] == ["Failed"] * 2
    assert failures[18] in (["Failed"] * 2, ["Failed"] * 3)  # one more where the drain killed its second pod
    succeeded = [index for (_, index), runs in found.items() if any(r.time.phase == "Succeeded" for r in runs)]
    assert sorted(succeeded) == [index for index in range(36) if index not in {0, 18}]


def _complete_while_drained(fed: Federation, name: str) -> None:
    """Wait for the end of the job while the node of its one shard is drained."""
    (only,) = dispatches(fed, name)
    node = only["metadata"]["namespace"].removeprefix("isthmus-node-")
    drain(fed, node)
    try:
        wait_complete(fed, [name])
    finally:
        drain(fed, node, "Active")


def test_a_drain_is_no_failure(fed: Federation, recorder: PodRecorder) -> None:
    """More pods than may fail are stopped by a drain: they count as no failures, and the job completes elsewhere."""
    template = job_spec(run_seconds="3", completions=12, parallelism=12, backoffLimit=2)
    fed.hub.apply([compute_job("unharmed", template)])
    wait_for(lambda: fed.job("unharmed").get("status", {}).get("active") == 12, 30, "all pods to run")
    _complete_while_drained(fed, "unharmed")
    assert fed.job("unharmed")["status"].get("failed", 0) == 0
    check_each_index_once(fed, recorder.runs(), {"unharmed": 12})


def test_a_drain_of_what_can_not_be_moved(fed: Federation, recorder: PodRecorder) -> None:
    """Work that would have to begin anew stays on a drained node and ends there."""
    template = job_spec(run_seconds="2", completions=8, parallelism=4, pod={"subdomain": "peers"})
    fed.hub.apply([compute_job("rooted", template, placement=SPLIT)])
    wait_for(lambda: fed.job("rooted").get("status", {}).get("succeeded", 0) >= 4, 30, "some of it to be done")
    _complete_while_drained(fed, "rooted")
    assert [each["status"]["state"] for each in dispatches(fed, "rooted")] == ["Succeeded"]
    check_each_index_once(fed, recorder.runs(), {"rooted": 8})


def test_an_index_of_the_users_own(fed: Federation, recorder: PodRecorder) -> None:
    """A container that sets JOB_COMPLETION_INDEX itself keeps it, in a part as in a whole."""
    template = job_spec(run_seconds="1", completions=24, parallelism=24)
    own = [{"name": VARIABLE, "value": "mine"}]
    template["template"]["spec"]["containers"][0]["env"] = own
    fed.hub.apply([compute_job("own-index", template, placement=SPLIT)])
    wait_for(lambda: len(fed.job("own-index").get("status", {}).get("shards", [])) == 2, 30, "both parts")
    wait_for(lambda: len(fed.pods_of("own-index")) >= 12, 30, "pods to be seen", interval_seconds=0.05)
    for pod in fed.pods_of("own-index"):
        assert [each for each in pod["spec"]["containers"][0]["env"] if each["name"] == VARIABLE] == own
    wait_complete(fed, ["own-index"])
    check_each_index_once(fed, recorder.runs(), {"own-index": 24})


def resident_mebibytes(fed: Federation) -> int:
    """What the hub holds in memory."""
    lines = Path(f"/proc/{fed.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) // 1024


def test_a_hundred_thousand_indexes(fed: Federation, recorder: PodRecorder) -> None:
    """Such jobs are placed and run as promptly as any, take little memory and room, and go as promptly."""
    assert recorder
    before = resident_mebibytes(fed)
    template = job_spec(run_seconds="1", completions=HUNDRED_THOUSAND, parallelism=24)
    fed.hub.apply([compute_job("huge", template, placement=SPLIT)])
    wait_for(lambda: fed.job("huge").get("status", {}).get("succeeded", 0) >= 48, 20, "some of it to be done")
    parts = [indexes_of(each) for each in dispatches(fed, "huge")]
    assert sum(map(len, parts)) == len(parts[0] | parts[1]) == HUNDRED_THOUSAND
    assert max(len(str(each)) for each in (fed.job("huge"), *dispatches(fed, "huge"))) < 16384
    fed.hub.rest.patch("/apis/isthmus.dev/v1alpha1/namespaces/team-a/computejobs/huge", {"spec": {"cancel": True}})
    fed.wait_condition("computejobs", "huge", "Failed", "True", reason="Cancelled", namespace="team-a", seconds=15)
    assert not [pod for pod in fed.pods_of("huge") if pod["status"]["phase"] == "Running"]
    fed.hub.kubectl("delete", "cjob", "huge", "-n", "team-a", "--timeout=20s")
    assert resident_mebibytes(fed) - before < GROWTH_MEBIBYTES


def test_more_indexes_than_can_be_told_apart(fed: Federation, recorder: PodRecorder) -> None:
    """Beyond a million, a job runs whole on one node and says why; its pods are counted."""
    assert recorder
    template = job_spec(run_seconds="1", completions=2_000_000, parallelism=8)
    fed.hub.apply([compute_job("endless", template, placement=SPLIT)])
    wait_for(lambda: fed.job("endless").get("status", {}).get("succeeded", 0) >= 8, 30, "some of it to be done")
    admitted = fed.condition("computejobs", "endless", "Admitted", "team-a")
    assert admitted["reason"] == "NotSplittable"
    assert "above 1000000" in admitted["message"]
    assert len(dispatches(fed, "endless")) == 1
    fed.hub.kubectl("delete", "cjob", "endless", "-n", "team-a", "--timeout=20s")
