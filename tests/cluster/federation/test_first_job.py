from federation import Federation, compute_job, gpu_machine, job_spec
from testbed import Machine

MEMBERS = {
    "east": [gpu_machine("a100", "NVIDIA-A100-SXM4-40GB", 4), gpu_machine("t4", "Tesla-T4", 4)],
    "west": [Machine("plain", "16", "64Gi")],
}


def test_job_runs_to_complete_and_is_billed(fed: Federation) -> None:
    """A ComputeJob is placed, runs in a member, is Complete with all indexes, a node and a cost."""
    fed.hub.apply([compute_job("first", job_spec(completions=3, parallelism=3, run_seconds="2"))])
    job = fed.wait_job("first")
    status = job["status"]
    assert (status["phase"], status["done"], status["completedIndexes"]) == ("Succeeded", "3/3", "0-2")
    assert status["nodes"] in {"east", "west"}
    assert float(status["cost"]["amount"]) > 0
    assert [shard["state"] for shard in status["shards"]] == ["Succeeded"]


def test_kubectl_wait_sees_complete(fed: Federation) -> None:
    """`kubectl wait --for=condition=Complete` returns as it does for a Job."""
    fed.hub.apply([compute_job("waited")])
    out = fed.hub.kubectl("wait", "--for=condition=Complete", "cjob/waited", "-n", "team-a", "--timeout=60s")
    assert "condition met" in out


def test_gpu_pods_stand_on_machines_of_an_allowed_model(fed: Federation) -> None:
    """In a member that mixes models under one resource name, each GPU pod is bound to a machine of its model."""
    wanted = {"on-t4": "T4", "on-a100": "A100"}
    for name, model in wanted.items():
        template = job_spec(gpus=1, completions=4, parallelism=4)
        fed.hub.apply([compute_job(name, template, placement={"accelerator": {"models": [model]}})])
    for name, model in wanted.items():
        fed.wait_job(name)
        pods = fed.pods_of(name)
        assert {p["spec"]["nodeName"] for p in pods} == {model.lower()}
        assert len(pods) == 4


def test_pending_job_says_why_and_starts_within_a_second_of_room(fed: Federation) -> None:
    """A job that waits names each node with its reason, and is dispatched within a second of a machine coming."""
    placement = {"accelerator": {"models": ["H100"]}}
    fed.hub.apply([compute_job("patient", job_spec(gpus=2), placement=placement)])
    placed = fed.wait_condition("computejobs", "patient", "Placed", "False", namespace="team-a")
    assert "H100" in placed["message"]
    verdicts = {each["node"]: each["reason"] for each in fed.job("patient")["status"]["explanation"]["nodes"]}
    assert verdicts == {"east": "ModelNotOffered", "west": "ModelNotOffered"}
    fed.clusters["west"].add_machines([gpu_machine("h100", "NVIDIA-H100-80GB-HBM3", 8)])
    fed.wait_condition("computejobs", "patient", "Placed", "True", namespace="team-a", seconds=10)
    fed.wait_job("patient")


def test_deleted_job_leaves_nothing(fed: Federation) -> None:
    """Deleting a running ComputeJob stops its pods and leaves neither Dispatch nor Job nor pod."""
    fed.hub.apply([compute_job("doomed", job_spec(run_seconds="3600", completions=2, parallelism=2))])
    fed.wait_condition("computejobs", "doomed", "Placed", "True", namespace="team-a")
    shards = {shard["dispatch"] for shard in fed.job("doomed")["status"]["shards"]}
    assert shards
    fed.hub.kubectl("delete", "cjob", "doomed", "-n", "team-a", "--timeout=60s")
    assert [d for d in fed.items("dispatches") if d["metadata"]["name"] in shards] == []
    for member in MEMBERS:
        left = [*fed.member_jobs(member), *fed.member_pods(member)]
        assert [o for o in left if o["metadata"]["labels"]["isthmus.dev/dispatch"] in shards] == []
