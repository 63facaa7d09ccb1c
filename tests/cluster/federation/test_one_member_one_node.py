from federation import Federation, compute_job, compute_node, job_spec
from testbed import Machine, wait_for

MEMBERS = {"east": [Machine("e", "16", "64Gi")], "west": [Machine("w", "16", "64Gi")]}


def test_older_node_that_comes_second_leaves_work_alone(fed: Federation) -> None:
    """A node whose Secret comes late and leads to another node's cluster is refused, though it is the older one."""
    fed.hub.kubectl("delete", "cn", "west", "--timeout=60s")
    fed.hub.apply([compute_node("early", "early")])
    fed.wait_condition("computenodes", "early", "Reachable", "False", reason="SecretNotFound")
    wait_for(lambda: "isthmus-node-west" not in fed.hub.kubectl("get", "ns"), 60, "the former namespace to go")
    fed.join("west", labels={"only": "west"})
    placement = {"nodeSelector": {"only": "west"}}
    fed.hub.apply([compute_job("steady", job_spec(run_seconds="12"), placement=placement)])
    wait_for(lambda: fed.job("steady").get("status", {}).get("phase") == "Running", 30, "steady to run")
    fed.put_secret("early", fed.clusters["west"].kubeconfig().read_text())
    found = fed.wait_condition("computenodes", "early", "Ready", "False", reason="DuplicateMember")
    assert "ComputeNode west" in found["message"]
    job = fed.wait_job("steady")
    assert [shard["attempt"] for shard in job["status"]["shards"]] == [1]
    assert fed.condition("computenodes", "west", "Ready")["status"] == "True"
    fed.hub.kubectl("delete", "cn", "early", "--timeout=30s")


def test_secret_that_leads_elsewhere_makes_nothing_run_twice(fed: Federation) -> None:
    """While a node's Secret leads to another cluster its work goes on where it is, and is found again."""
    fed.hub.kubectl("delete", "cn", "west", "--timeout=60s")
    fed.hub.apply([compute_job("astray", job_spec(run_seconds="15"))])
    wait_for(lambda: fed.job("astray").get("status", {}).get("phase") == "Running", 30, "astray to run")
    fed.put_secret("east", fed.clusters["west"].kubeconfig().read_text())
    fed.wait_condition("computenodes", "east", "Ready", "False", reason="MemberChanged")
    fed.put_secret("east")
    fed.wait_condition("computenodes", "east", "Ready", "True")
    job = fed.wait_job("astray")
    assert [shard["attempt"] for shard in job["status"]["shards"]] == [1]
    assert [pod["status"]["phase"] for pod in fed.pods_of("astray")] == ["Succeeded"]
    assert fed.member_pods("west") == [] or all(
        pod["metadata"]["labels"]["isthmus.dev/dispatch"] != job["status"]["shards"][0]["dispatch"]
        for pod in fed.member_pods("west")
    )


def test_same_identity_twice_is_refused(fed: Federation) -> None:
    """Of two nodes with one identity code the younger is not Ready and names the other."""
    fed.hub.apply([compute_node("copy", "west", identity={"code": "CN-east"})])
    found = fed.wait_condition("computenodes", "copy", "Ready", "False", reason="DuplicateIdentity")
    assert "ComputeNode east" in found["message"]
    fed.hub.kubectl("delete", "cn", "copy", "--timeout=30s")


def test_hub_log_is_free_of_tracebacks(fed: Federation) -> None:
    """After all of it the hub has logged no traceback."""
    assert "Traceback" not in fed.process.log.read_text()
