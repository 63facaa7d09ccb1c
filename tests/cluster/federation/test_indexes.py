"""The indexes that the pods of a part of a job see: in a member that writes them itself, and in one that can't."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.cluster.federation.proof import check_log

from federation import Federation, compute_job, job_spec
from federation.federation import OPERATOR
from isthmus.api.indexes import IndexSet
from isthmus.manifests import SEGMENT_LIMIT, index_map
from testbed import ApiError, Cluster, Machine, wait_for

MEMBERS = {
    "writing": [Machine("w1", "8", "32Gi")],
    "plain": [Machine("p1", "8", "32Gi")],
}
LOCAL = "batch.kubernetes.io/job-completion-index"
GLOBAL = "isthmus.dev/index"
GATE = {"name": "isthmus.dev/index"}
HOLD = {"name": "example.com/hold"}
READS = {"fieldPath": "metadata.annotations['isthmus.dev/index']", "apiVersion": "v1"}

Pod = dict[str, Any]


@pytest.fixture(scope="module")
def fed() -> Iterator[Federation]:
    """Two members, of which `plain` knows no MutatingAdmissionPolicy; each is chosen by its label `site`."""
    with Federation(MEMBERS, without_mutating_policies={"plain"}) as federation:
        federation.process.start()
        for name in MEMBERS:
            federation.join(name, labels={"site": name})
        yield federation
        check_log(federation)


def held(fed: Federation, name: str, member: str, *, indexes: int, **spec: Any) -> None:
    """A job whose pods wait at a gate of its own, at first all of them in one member."""
    template = job_spec(
        completions=indexes, parallelism=indexes, cpu="10m", memory="1Mi", pod={"schedulingGates": [HOLD]}, **spec
    )
    template["template"]["metadata"]["annotations"]["example.com/own"] = "kept"
    fed.hub.apply([compute_job(name, template, placement={"nodeSelector": {"site": member}})])
    wait_for(lambda: len(pods(fed, name, 1)) == indexes, 30, f"the {indexes} pods of {name}")


def dispatch(fed: Federation, name: str, attempt: int) -> dict[str, Any]:
    """The Dispatch of a job's only shard in that attempt; empty while there is none."""
    found = [
        each
        for each in fed.items("dispatches")
        if each["spec"]["job"]["name"] == name and each["spec"]["attempt"] == attempt
    ]
    return found[0] if found else {}


def pods(fed: Federation, name: str, attempt: int) -> list[Pod]:
    """Its pods, by local index."""
    found = dispatch(fed, name, attempt)
    if not found:
        return []
    member = found["metadata"]["namespace"].removeprefix("isthmus-node-")
    mine = [
        pod
        for pod in fed.member_pods(member)
        if pod["metadata"]["labels"]["isthmus.dev/dispatch"] == found["metadata"]["name"]
    ]
    return sorted(mine, key=lambda pod: int(pod["metadata"]["annotations"][LOCAL]))


def let_go(cluster: Cluster, chosen: list[Pod]) -> None:
    """Open the job's own gate of these pods, as the owner of that gate would."""
    for pod in chosen:
        path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"
        left = [gate for gate in pod["spec"]["schedulingGates"] if gate != HOLD]
        cluster.rest.patch(path, {"spec": {"schedulingGates": left}})


def delete_job(fed: Federation, member: str, name: str) -> None:
    """Somebody in the member deletes the Job of the first attempt."""
    found = dispatch(fed, name, 1)["spec"]["manifest"]["metadata"]
    fed.clusters[member].kubectl("delete", "job", found["name"], "-n", found["namespace"], "--wait=false")


@pytest.mark.parametrize("member", MEMBERS)
def test_scattered_indexes(fed: Federation, member: str) -> None:
    """What is missing of a job runs under its global indexes, with the job's own gates and annotations as they are."""
    held(fed, f"gaps-{member}", member, indexes=45)
    name, cluster, missing = f"gaps-{member}", fed.clusters[member], [7, 13, 42, 43, 44]
    whole = pods(fed, name, 1)
    assert [pod["spec"]["schedulingGates"] for pod in whole] == [[HOLD]] * 45
    let_go(cluster, [pod for index, pod in enumerate(whole) if index not in missing])
    wait_for(lambda: dispatch(fed, name, 1)["status"].get("succeeded") == 40, 30, "40 indexes to succeed")
    delete_job(fed, member, name)
    wait_for(lambda: len(pods(fed, name, 2)) == 5, 40, "the pods of what is missing")
    first, second = dispatch(fed, name, 1), dispatch(fed, name, 2)
    assert (first["status"]["state"], first["status"]["completedIndexes"]) == ("Lost", "0-6,8-12,14-41")
    assert second["spec"]["indexes"] == "7,13,42-44"

    def open_ours() -> bool:
        return all(pod["spec"].get("schedulingGates") == [HOLD] for pod in pods(fed, name, 2))

    wait_for(open_ours, 20, "our gate to be opened, and the other one left")
    part = pods(fed, name, 2)
    assert [pod["metadata"]["annotations"][LOCAL] for pod in part] == ["0", "1", "2", "3", "4"]
    assert [int(pod["metadata"]["annotations"][GLOBAL]) for pod in part] == missing
    assert {pod["metadata"]["annotations"]["example.com/own"] for pod in part} == {"kept"}
    for pod in part:
        read = [each for each in pod["spec"]["containers"][0]["env"] if each["name"] == "JOB_COMPLETION_INDEX"]
        assert [each["valueFrom"]["fieldRef"] for each in read] == [READS]
    let_go(cluster, part)
    status = fed.wait_job(name)["status"]
    assert (status["done"], status["completedIndexes"], status["succeeded"]) == ("45/45", "0-44", 45)
    assert dispatch(fed, name, 2)["status"]["completedIndexes"] == "7,13,42-44"
    metadata = second["spec"]["manifest"]["metadata"]
    job = cluster.rest.get(f"/apis/batch/v1/namespaces/{metadata['namespace']}/jobs/{metadata['name']}")
    assert (job["spec"]["completions"], job["status"]["completedIndexes"]) == (5, "0-4")
    assert writes(fed, member, part) == dict.fromkeys(missing, 1 if member == "writing" else 2)


def writes(fed: Federation, member: str, part: list[Pod]) -> dict[int, int]:
    """How often the hub wrote each pod, by global index: once to let go of it, and once more where it opened a gate."""
    index = {pod["metadata"]["name"]: int(pod["metadata"]["annotations"][GLOBAL]) for pod in part}

    def counted() -> Counter[int]:
        entries = fed.clusters[member].audit_entries()
        mine = [each for each in entries if each.resource == "pods" and each.user == OPERATOR and each.code == 200]
        return Counter(index[each.name] for each in mine if each.name in index)

    gone = [pod["metadata"]["uid"] for pod in part]
    wait_for(
        lambda: (
            not [p for p in fed.member_pods(member) if p["metadata"]["uid"] in gone and p["metadata"].get("finalizers")]
        ),
        20,
        "the pods to be let go",
    )
    return dict(counted())


def failed_since(pod: Pod) -> float:
    """Seconds since the pod failed; none where it has not."""
    ends = [
        status["state"].get("terminated", {}).get("finishedAt") for status in pod["status"].get("containerStatuses", ())
    ]
    return (datetime.now(UTC) - datetime.fromisoformat(ends[0])).total_seconds() if ends and ends[0] else 0


@pytest.mark.parametrize("member", MEMBERS)
def test_failures_of_each_index(fed: Federation, member: str) -> None:
    """How often an index failed is told with the loss of its Job, under the global index, beside what succeeded."""
    name, cluster = f"limited-{member}", fed.clusters[member]
    held(fed, name, member, indexes=4, backoffLimitPerIndex=3, exit_code=1)
    whole = pods(fed, name, 1)
    let_go(cluster, whole[2:3])
    wait_for(lambda: failed_since(pods(fed, name, 1)[2]) > 1, 30, "index 2 to have failed for a second")
    delete_job(fed, member, name)
    wait_for(lambda: dispatch(fed, name, 1)["status"]["state"] == "Lost", 30, "the loss to be told")
    status = dispatch(fed, name, 1)["status"]
    assert (status.get("completedIndexes"), status["indexFailures"]) == (None, {"1": "2"})
    fed.hub.kubectl("delete", "cjob", name, "-n", "team-a", "--timeout=60s")


def test_an_index_fails_by_its_global_number(fed: Federation) -> None:
    """In a job that is divided over both kinds of member, the container that is told 13 fails, and no other."""
    template = job_spec(completions=16, parallelism=16, backoffLimitPerIndex=0)
    template["template"]["metadata"]["annotations"]["testbed.isthmus.dev/fail-indexes"] = "13"
    fed.hub.apply([compute_job("thirteen", template, placement={"split": "ByIndex"})])
    status = fed.wait_job("thirteen", "Failed")["status"]
    assert (status["completedIndexes"], status["failedIndexes"]) == ("0-12,14,15", "13")
    assert {shard["node"] for shard in status["shards"]} == set(MEMBERS)
    told = {str(IndexSet.parse(each["status"].get("failedIndexes"))) for each in parts(fed, "thirteen")}
    assert told == {"", "13"}


def parts(fed: Federation, name: str) -> list[dict[str, Any]]:
    """All Dispatches of a job."""
    return [each for each in fed.items("dispatches") if each["spec"]["job"]["name"] == name]


def test_an_index_of_the_users_own_is_refused(fed: Federation) -> None:
    """Neither the annotation nor the gate can be set by a template."""
    annotated, gated = job_spec(), job_spec(pod={"schedulingGates": [GATE]})
    annotated["template"]["metadata"]["annotations"][GLOBAL] = "7"
    fed.hub.apply([compute_job("annotated", annotated), compute_job("gated", gated)])
    for name in ("annotated", "gated"):
        fed.wait_condition("computejobs", name, "Failed", "True", reason="ReservedKey", namespace="team-a")


def test_the_plain_member_serves_no_such_policy(fed: Federation) -> None:
    """What is tested there is a member of before Kubernetes 1.36."""
    path = "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies"
    assert len(fed.clusters["writing"].rest.get(path)["items"]) == 1
    with pytest.raises(ApiError, match="404"):
        fed.clusters["plain"].rest.get(path)


def admitted(fed: Federation, namespace: str, local: str, rows: str, **metadata: Any) -> Pod:
    """A pod as the API server would take it in."""
    labels = {"isthmus.dev/dispatch": "d"}
    annotations = {LOCAL: local, "isthmus.dev/index-map": rows}
    body = {
        "metadata": {"generateName": "p-", "labels": labels, "annotations": annotations, **metadata},
        "spec": {"schedulingGates": [HOLD, GATE], "containers": [{"name": "main", "image": "example/work:1"}]},
    }
    return fed.clusters["writing"].rest.post(f"/api/v1/namespaces/{namespace}/pods?dryRun=All", body)


@pytest.fixture(scope="module")
def tenant(fed: Federation) -> str:
    """A namespace as a tenant has one, in the member that writes indexes itself."""
    hub, name = "0b54f1e6-6f0a-4e5e-9f0e-000000000001", "iwt-00000000-000000000001"
    fed.clusters["writing"].apply(
        [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": place, "labels": {"isthmus.dev/hub": hub}}}
            for place in (name, "shop")
        ]
    )
    for place in (name, "shop"):
        _wait_for_account(fed.clusters["writing"], place)
    return name


def _wait_for_account(cluster: Cluster, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    wait_for(lambda: cluster.rest.get(path)["items"], 20, f"the default account of {namespace}")


def test_the_longest_map(fed: Federation, tenant: str) -> None:
    """Of a map with as many ranges as a part may have, each index comes out, at its ends and in between."""
    indexes = IndexSet.joined((90_000 + 7 * i, 90_000 + 7 * i + 1 + i % 3) for i in range(SEGMENT_LIMIT))
    assert len(indexes.ranges) == SEGMENT_LIMIT
    for local in (0, 1, 2, 500, 511, len(indexes) - 1):
        pod = admitted(fed, tenant, str(local), index_map(indexes))
        assert pod["metadata"]["annotations"][GLOBAL] == str(indexes.at(local))
        assert pod["spec"]["schedulingGates"] == [HOLD]


@pytest.mark.parametrize(
    ("local", "rows"), [("0", ""), ("0", "x"), ("0", "0"), ("0", "0:5,"), ("0", "1:5"), ("x", "0:5")]
)
def test_a_map_that_says_nothing(fed: Federation, tenant: str, local: str, rows: str) -> None:
    """A pod whose index can't be told comes in with its gate closed."""
    pod = admitted(fed, tenant, local, rows)
    assert pod["spec"]["schedulingGates"] == [HOLD, GATE]
    assert GLOBAL not in pod["metadata"]["annotations"]


def test_what_is_not_ours_is_left_alone(fed: Federation, tenant: str) -> None:
    """The policy changes no pod outside the tenants' namespaces, and none that no Dispatch stands behind."""
    assert admitted(fed, tenant, "1", "0:5")["metadata"]["annotations"][GLOBAL] == "6"
    for pod in (admitted(fed, "shop", "1", "0:5"), admitted(fed, tenant, "1", "0:5", labels={})):
        assert pod["spec"]["schedulingGates"] == [HOLD, GATE]
        assert GLOBAL not in pod["metadata"]["annotations"]
