import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.cluster.query.aggregated import Aggregated, path_of

from federation import compute_job, job_spec, tariff
from testbed import Machine

MEMBERS = {
    "east": [Machine("east-1", cpu="8", memory="32Gi")],
    "west": [Machine("west-1", cpu="8", memory="32Gi")],
    "small": [Machine("small-1", cpu="1", memory="32Gi")],
}
JOIN: dict[str, Any] = {
    "east": {"tier": "Core"},
    "west": {"tier": "Core", "tariff": tariff(core="0.0001")},
    "small": {"tier": "Edge"},
}


def rows(explanation: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The nodes of an explanation by name."""
    return {row["node"]: row for row in explanation["nodes"]}


def test_placed_job(query: Aggregated) -> None:
    """Of a job that was placed all nodes are told, the chosen first, with what was found when it was."""
    query.fed.hub.apply([compute_job("placed", job_spec(cpu="4"))])
    job = query.fed.wait_job("placed")
    found = query.explanation("placed", user="ann")
    assert (found["apiVersion"], found["kind"]) == ("query.isthmus.dev/v1alpha1", "Explanation")
    assert found["metadata"] == {key: job["metadata"][key] for key in ("name", "namespace", "uid")}
    assert (found["phase"], found["message"]) == ("Succeeded", "placed on east")
    assert [(row["node"], row["verdict"]) for row in found["nodes"]] == [
        ("east", "Chosen"),
        ("west", "Fits"),
        ("small", "Rejected"),
    ]
    kept = {row["node"]: row for row in job["status"]["explanation"]["nodes"]}
    assert rows(found)["east"]["score"] == kept["east"]["score"] > rows(found)["west"]["score"] == kept["west"]["score"]
    assert rows(found)["west"]["scoreParts"] == kept["west"]["parts"]
    assert rows(found)["east"]["price"] == {
        "amountPerHour": job["status"]["estimate"]["amount"],
        "currency": "CNY",
    }
    assert rows(found)["small"]["reason"] == kept["small"]["reason"]
    assert found["counts"] == [{"reason": kept["small"]["reason"], "nodes": 1}]
    assert "recomputedTime" not in found
    decided = datetime.fromisoformat(found["decisionTime"])
    assert timedelta(0) <= decided - datetime.fromisoformat(job["metadata"]["creationTimestamp"]) < timedelta(minutes=1)


def test_pending_job(query: Aggregated) -> None:
    """Of a job that waits it is told how all nodes stand now, with what an hour would cost."""
    query.fed.hub.apply([compute_job("large", job_spec(cpu="64"))])
    query.fed.wait_condition("computejobs", "large", "Placed", "False", namespace="team-a")
    before = datetime.now(UTC) - timedelta(seconds=1)
    found = query.explanation("large", user="ann")
    assert found["phase"] == "Pending"
    assert datetime.fromisoformat(found["decisionTime"]) > before
    assert [(row["node"], row["verdict"]) for row in found["nodes"]] == [
        (name, "Rejected") for name in ("east", "small", "west")
    ]
    assert all(row["reason"] and "64 cpu" in row["message"] for row in found["nodes"])
    assert sum(each["nodes"] for each in found["counts"]) == 3
    assert found["message"].startswith("0/3 nodes are available")
    assert rows(found)["east"]["fit"] == {"largestFreeBlock": 0, "podsNow": 0, "podsIfEmpty": 0}


def test_what_would_help(query: Aggregated) -> None:
    """Of a job that waits for want of one thing it is told what, and with that changed it runs."""
    wanted = compute_job("picky", job_spec(cpu="4"), placement={"tiers": ["Edge"]})
    query.fed.hub.apply([wanted])
    query.fed.wait_condition("computejobs", "picky", "Placed", "False", namespace="team-a")
    found = query.explanation("picky", user="ann")
    told = {each["change"]: (each["message"], each["nodes"]) for each in found["remedies"]}
    assert told["SmallerRequest"] == ("runs at once with 1 cpu per pod, instead of 4", ["small"])
    assert sorted(told["AnyTier"][1]) == ["east", "west"]
    shown = json.loads(query.raw("ann", path_of("picky", "explanation", "team-a")))
    assert shown["remedies"] == found["remedies"]
    wanted["spec"]["placement"]["tiers"] = []
    query.fed.hub.apply([wanted])
    assert query.fed.wait_job("picky")["status"]["phase"] == "Succeeded"


def test_job_that_may_not_start(query: Aggregated) -> None:
    """Of a job that is suspended it is told where it would go."""
    query.fed.hub.apply([compute_job("held", job_spec(cpu="4"), suspend=True)])
    query.fed.wait_condition("computejobs", "held", "Placed", "False", reason="Suspended", namespace="team-a")
    found = query.explanation("held", user="ann")
    assert [(row["node"], row["verdict"]) for row in found["nodes"][:2]] == [("east", "Fits"), ("west", "Fits")]
    assert [row["price"]["amountPerHour"] for row in found["nodes"][:2]] == ["0.7380", "1.4580"]


def test_refused_job(query: Aggregated) -> None:
    """Of a job whose template was refused no node is told, but why."""
    query.fed.hub.apply([compute_job("wrong", job_spec(backoffLimit=-1))])
    failed = query.fed.wait_condition("computejobs", "wrong", "Failed", "True", namespace="team-a")
    found = query.explanation("wrong", user="ann")
    assert (found["phase"], found["nodes"], found["message"]) == ("Failed", [], failed["message"])


@pytest.mark.parametrize(
    ("user", "job", "namespace", "answer"),
    [
        ("ann", "missing", "team-a", 'Error from server (NotFound): computejobs.isthmus.dev "missing" not found'),
        ("ann", "placed", "default", "Error from server (Forbidden)"),
        ("bob", "placed", "team-a", "Error from server (Forbidden)"),
    ],
    ids=["no such job", "another namespace", "no role"],
)
def test_refused_caller(query: Aggregated, user: str, job: str, namespace: str, answer: str) -> None:
    """Who may not see a job is told so in Kubernetes' words."""
    assert answer in query.raw(user, path_of(job, "explanation", namespace))


def test_discovery(query: Aggregated) -> None:
    """The API is found by kubectl, which goes on finding ComputeJobs where they were."""
    cluster = query.fed.hub
    listed = json.loads(query.raw("ann", "/apis/query.isthmus.dev/v1alpha1"))
    assert [each["name"] for each in listed["resources"]] == ["computejobs/explanation", "computejobs/log", "accounts"]
    assert "isthmus.dev/v1alpha1" in cluster.kubectl("api-resources", "--api-group=isthmus.dev")
    assert cluster.kubectl("get", "computejobs", "-n", "team-a", "-o", "name").startswith("computejob.isthmus.dev/")
    assert cluster.kubectl("get", "cjob", "-n", "team-a", "-o", "name").startswith("computejob.isthmus.dev/")
    assert "GROUP:      isthmus.dev" in cluster.kubectl("explain", "computejobs")


def test_quiet_aggregator(query: Aggregated) -> None:
    """The API server takes the API's own description, and asks in vain for none."""
    served = query.fed.hub.kubectl("get", "--raw", "/openapi/v3/apis/query.isthmus.dev/v1alpha1")
    assert f"{path_of('{name}', 'log', '{namespace}')}" in json.loads(served)["paths"]
    log = query.fed.hub.logs("apiserver").splitlines()
    assert not [line for line in log if "query.isthmus.dev" in line and "not found" in line]
