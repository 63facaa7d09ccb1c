from typing import Any

import pytest

from federation import Federation, compute_job, gpu_machine, job_spec
from testbed import Machine, wait_for

GPU, NPU = "nvidia.com/gpu", "huawei.com/Ascend910"
ASCEND_LABELS = {"accelerator": "huawei-Ascend910"}
MEMBERS = {
    "green": [gpu_machine("g1", "NVIDIA-A100-SXM4-40GB", 8)],
    "red": [Machine("r1", "32", "128Gi", labels=ASCEND_LABELS, extended={NPU: "8"})],
}
IMAGES = {"nvidia": "example/cuda:1", "ascend": "example/cann:1"}
VARIANTS = [
    {
        "name": "nvidia",
        "accelerator": {"models": ["A100"]},
        "resources": {GPU: 4},
        "image": IMAGES["nvidia"],
        "env": [{"name": "BACKEND", "value": "nccl"}],
    },
    {"name": "ascend", "resources": {NPU: 8}, "image": IMAGES["ascend"], "env": [{"name": "BACKEND", "value": "hccl"}]},
]
FILLS = {"green": {GPU: "6"}, "red": {NPU: "1"}}


def filler(name: str, member: str) -> dict[str, Any]:
    """A job that takes accelerators of the member, and none of the other, until it is deleted."""
    spec = job_spec(run_seconds="3600")
    (container,) = spec["template"]["spec"]["containers"]
    container["resources"]["limits"] = FILLS[member]
    return compute_job(name, spec)


def ready(fed: Federation, name: str) -> str:
    """The node on which the job runs, once it does."""
    wait_for(lambda: fed.job(name).get("status", {}).get("phase") == "Running", 30, f"{name} to run")
    return str(fed.job(name)["status"]["nodes"])


def gone(fed: Federation, *names: str) -> None:
    """Delete jobs, and wait until the room that they held is told."""
    fed.hub.kubectl("delete", "cjob", *names, "-n", "team-a", "--timeout=60s")

    def free() -> bool:
        nodes = fed.items("computenodes")
        return all(
            each["free"] == each["total"]
            for node in nodes
            for each in node["status"]["profile"].get("accelerators", ())
        )

    wait_for(free, 30, "all accelerators to be free")


@pytest.mark.parametrize(("full", "member", "variant"), [("green", "red", "ascend"), ("red", "green", "nvidia")])
def test_lands_on_whichever_is_free(fed: Federation, full: str, member: str, variant: str) -> None:
    """A job with an NVIDIA and an Ascend variant runs where there is room, with the image and resource of that one."""
    fed.hub.apply([filler(f"filler-{full}", full)])
    assert ready(fed, f"filler-{full}") == full
    name = f"either-{variant}"
    fed.hub.apply([compute_job(name, job_spec(run_seconds="2", gpus=1), variants=VARIANTS)])
    status = fed.wait_job(name)["status"]
    assert [(s["node"], s["variant"], s["state"]) for s in status["shards"]] == [(member, variant, "Succeeded")]
    verdicts = {each["node"]: each for each in status["explanation"]["nodes"]}
    assert (verdicts[member]["variant"], verdicts[full]["reason"]) == (variant, "InsufficientCapacity")
    assert verdicts[full]["message"].startswith(f"variant {'nvidia' if full == 'green' else 'ascend'}: needs ")
    wanted = next(each for each in VARIANTS if each["name"] == variant)
    assert isinstance(wanted["resources"], dict)
    asked = {resource: str(amount) for resource, amount in wanted["resources"].items()}
    (pod,) = fed.pods_of(name)
    (container,) = pod["spec"]["containers"]
    assert container["image"] == IMAGES[variant]
    assert {"name": "BACKEND", "value": {"nvidia": "nccl", "ascend": "hccl"}[variant]} in container["env"]
    assert container["resources"]["limits"] == asked
    assert container["resources"]["requests"] == {"cpu": "1", "memory": "1Gi", **asked}
    assert status["gpus"] == sum(map(int, asked.values()))
    assert float(status["cost"]["amount"]) > 0
    gone(fed, name, f"filler-{full}")


def test_waits_while_neither_is_free(fed: Federation) -> None:
    """With both full it waits, names for each node the variant that comes nearest, and starts where room comes."""
    fed.hub.apply([filler("first", "green"), filler("second", "red")])
    assert (ready(fed, "first"), ready(fed, "second")) == ("green", "red")
    fed.hub.apply([compute_job("patient", job_spec(run_seconds="1"), variants=VARIANTS)])
    placed = fed.wait_condition("computejobs", "patient", "Placed", "False", namespace="team-a")
    assert placed["reason"] == "InsufficientCapacity"
    told = {each["node"]: each["message"] for each in fed.job("patient")["status"]["explanation"]["nodes"]}
    assert told["green"].startswith("variant nvidia: needs 4 x ")
    assert told["red"].startswith("variant ascend: needs 8 x ")
    fed.hub.kubectl("delete", "cjob", "second", "-n", "team-a", "--timeout=60s")
    (shard,) = fed.wait_job("patient")["status"]["shards"]
    assert (shard["node"], shard["variant"]) == ("red", "ascend")
    gone(fed, "patient", "first")


def test_a_split_job_in_two_variants(fed: Federation) -> None:
    """The pieces of one split job run in different variants on different nodes, and each index succeeds once."""
    template = job_spec(run_seconds="2", completions=3, parallelism=3)
    fed.hub.apply([compute_job("both", template, placement={"split": "ByIndex"}, variants=VARIANTS)])
    status = fed.wait_job("both")["status"]
    assert status["completedIndexes"] == "0-2"
    assert {(s["node"], s["variant"]) for s in status["shards"]} == {("green", "nvidia"), ("red", "ascend")}
    gone(fed, "both")


def test_a_wrong_variant_fails_at_once(fed: Federation) -> None:
    """A variant that the API server would refuse fails the job within seconds, in its words, by its name."""
    wrong = {"name": "rocm", "resources": {"amd.com/gpu": "0.5"}}
    fed.hub.apply([compute_job("wrong", job_spec(), variants=[*VARIANTS, wrong])])
    failed = fed.wait_condition("computejobs", "wrong", "Failed", "True", namespace="team-a", seconds=10)
    assert failed["reason"] == "TemplateInvalid"
    assert failed["message"].startswith("in variant rocm: spec.template.template.spec.containers[0].resources")
    assert "must be an integer" in failed["message"]
