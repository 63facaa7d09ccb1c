"""Members whose GPUs are published as ResourceSlices alone: counted, given out by kube-scheduler, and given back."""

import json
from functools import partial
from typing import Any

import pytest

from federation import Federation, compute_job, job_spec
from federation.federation import ROOT
from testbed import Cluster, Machine, wait_for
from testbed.devices import API_VERSION, DRIVER, EXTENDED_RESOURCE, device_class, gpus

MEMBERS = {
    "east": [Machine("e1", "32", "128Gi"), Machine("e2", "32", "128Gi")],
    "west": [Machine("w1", "32", "128Gi")],
}
IMPLICIT = f"deviceclass.resource.kubernetes.io/{DRIVER}"
CLAIMS = "/apis/resource.k8s.io/v1/resourceclaims"
A100, H100 = "NVIDIA-A100-SXM4-80GB", "NVIDIA-H100-80GB-HBM3"
Object = dict[str, Any]


@pytest.fixture(scope="module", autouse=True)
def devices(fed: Federation) -> None:
    """East's class names nvidia.com/gpu, west's names nothing; four GPUs a machine."""
    fed.clusters["east"].apply([device_class(), gpus("e1", 4), gpus("e2", 4)])
    west = [device_class(extended_resource=None), gpus("w1", 4, model="NVIDIA H100 80GB HBM3", memory="81559Mi")]
    fed.clusters["west"].apply(west)
    for member in MEMBERS:
        wait_for(partial(told, fed, member), 30, f"the devices of {member} to be told")


def told(fed: Federation, member: str) -> list[Object]:
    """The accelerators in a member's profile."""
    return list(fed.get("computenodes", member)["status"].get("profile", {}).get("accelerators", []))


def free(fed: Federation, member: str = "east") -> int:
    """GPUs that the profile of a member says are free."""
    return sum(each["free"] for each in told(fed, member))


def gpu_job(name: str, count: int, *, resource: str = EXTENDED_RESOURCE, pods: int = 1, **spec: Any) -> Object:
    """A job whose pods ask for so many GPUs each, and run until something ends them."""
    template = job_spec(run_seconds="forever", completions=pods, parallelism=pods)
    template["template"]["spec"]["containers"][0]["resources"]["limits"] = {resource: str(count)}
    return compute_job(name, template, **spec)


def claims(cluster: Cluster) -> list[Object]:
    """All ResourceClaims of a cluster."""
    found: list[Object] = cluster.get_json(CLAIMS)["items"]
    return found


def placed(fed: Federation, name: str) -> Object:
    """A job's condition Placed."""
    return dict(fed.condition("computejobs", name, "Placed", "team-a"))


def running(fed: Federation, name: str) -> bool:
    """Whether a job runs."""
    return bool(fed.job(name).get("status", {}).get("phase") == "Running")


def end(fed: Federation, *names: str) -> None:
    """Delete jobs, and wait until their GPUs are free again."""
    fed.hub.kubectl("delete", "computejobs", "-n", "team-a", *names, "--timeout=60s")
    wait_for(lambda: (free(fed), free(fed, "west")) == (8, 4), 60, "all GPUs to be free again")


def test_the_profile_tells_what_slices_publish(fed: Federation) -> None:
    """Vendor, model, memory and how many, in totals and on each machine, though no Node says a word of GPUs."""
    (east,), (west,) = told(fed, "east"), told(fed, "west")
    kind = {"vendor": "NVIDIA", "resourceName": EXTENDED_RESOURCE, "model": A100, "memory": "80Gi"}
    assert east == {**kind, "total": 8, "free": 8}
    kind = {"vendor": "NVIDIA", "resourceName": IMPLICIT, "model": H100, "memory": "81559Mi"}
    assert west == {**kind, "total": 4, "free": 4}
    (shape,) = fed.get("computenodes", "east")["status"]["profile"]["shapes"]
    assert (shape["count"], shape["free"][EXTENDED_RESOURCE]) == (2, "4")


def test_a_job_gets_devices_by_claims_and_gives_them_back(fed: Federation) -> None:
    """Two GPUs of the model are claimed by the real scheduler for the job's pod; free figures fall and rise by them."""
    fed.hub.apply([gpu_job("pair", 2, placement={"accelerator": {"models": ["A100"]}})])
    wait_for(lambda: running(fed, "pair"), 60, "the job to run")
    (pod,) = fed.pods_of("pair")
    assert pod["spec"]["nodeName"] in {"e1", "e2"}
    (claim,) = claims(fed.clusters["east"])
    assert claim["metadata"]["annotations"]["resource.kubernetes.io/extended-resource-claim"] == "true"
    assert [owner["uid"] for owner in claim["metadata"]["ownerReferences"]] == [pod["metadata"]["uid"]]
    results = claim["status"]["allocation"]["devices"]["results"]
    assert [(each["driver"], each["pool"]) for each in results] == [(DRIVER, pod["spec"]["nodeName"])] * 2
    wait_for(lambda: free(fed) == 6, 20, "the free figures to fall")
    end(fed, "pair")
    wait_for(lambda: claims(fed.clusters["east"]) == [], 30, "the claim to be gone")


def test_what_fits_no_machine_waits_and_says_why(fed: Federation) -> None:
    """A pod of six GPUs never fits machines of four, and is told so; a model that nobody has is named."""
    fed.hub.apply([gpu_job("six", 6), gpu_job("other", 1, placement={"accelerator": {"models": ["L40S"]}})])
    wait_for(lambda: placed(fed, "six").get("status") == "False", 20, "the larger to be judged")
    wait_for(lambda: placed(fed, "other").get("status") == "False", 20, "the other to be judged")
    assert "needs 6 x nvidia.com/gpu on one machine" in placed(fed, "six")["message"]
    (east,) = [each for each in fed.job("six")["status"]["explanation"]["nodes"] if each["node"] == "east"]
    assert east["message"] == "needs 6 x nvidia.com/gpu on one machine; the largest machine has 4"
    assert "L40S" in placed(fed, "other")["message"]
    end(fed, "six", "other")


def test_room_is_given_out_once(fed: Federation) -> None:
    """Of five jobs of two GPUs each four run on eight, no pod waits in the member, and the fifth runs in its turn."""
    every = [f"burst-{i}" for i in range(5)]
    fed.hub.apply([gpu_job(name, 2) for name in every])
    wait_for(lambda: sum(running(fed, name) for name in every) == 4, 60, "four jobs to run")
    wait_for(lambda: free(fed) == 0, 20, "no GPU to be free")
    assert len(fed.member_pods("east")) == 4
    waiting = next(name for name in every if not running(fed, name))
    wait_for(lambda: "nvidia.com/gpu" in placed(fed, waiting).get("message", ""), 20, "the fifth to say what it lacks")
    first = next(name for name in every if running(fed, name))
    fed.hub.kubectl("delete", "computejob", "-n", "team-a", first, "--timeout=60s")
    wait_for(lambda: running(fed, waiting), 60, "the fifth to run")
    end(fed, *(name for name in every if name != first))


def test_a_class_is_to_be_had_by_its_own_name(fed: Federation) -> None:
    """A job that asks by the name of a DeviceClass runs where there is such a class, by a claim."""
    fed.hub.apply([gpu_job("implicit", 4, resource=IMPLICIT)])
    wait_for(lambda: running(fed, "implicit"), 60, "the job to run")
    (claim,) = claims(fed.clusters["west"])
    assert len(claim["status"]["allocation"]["devices"]["results"]) == 4
    wait_for(lambda: free(fed, "west") == 0, 20, "the free figures to fall")
    end(fed, "implicit")


def own(name: str) -> Object:
    """A pod of the member's own that uses the claim which it shares with others."""
    container = {"name": "main", "image": "example/own:1", "resources": {"claims": [{"name": "gpu"}]}}
    use = [{"name": "gpu", "resourceClaimName": "shared"}]
    spec = {"containers": [container], "resourceClaims": use, "restartPolicy": "Never"}
    note = {"testbed.isthmus.dev/run-seconds": "forever"}
    metadata = {"name": name, "namespace": "default", "annotations": note}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def test_a_claim_that_pods_share_takes_its_device_once(fed: Federation) -> None:
    """Two pods of the member's own on one claimed GPU take one; when both are gone and so is the claim, it is free."""
    east = fed.clusters["east"]
    request = {"name": "gpu", "exactly": {"deviceClassName": DRIVER}}
    metadata = {"name": "shared", "namespace": "default"}
    spec = {"devices": {"requests": [request]}}
    claim = {"apiVersion": API_VERSION, "kind": "ResourceClaim", "metadata": metadata, "spec": spec}
    east.apply([claim, own("one"), own("two")])
    path = "/api/v1/namespaces/default/pods"
    wait_for(lambda: all(each["spec"].get("nodeName") for each in east.get_json(path)["items"]), 30, "both to be bound")
    wait_for(lambda: free(fed) == 7, 20, "one GPU to be taken")
    east.kubectl("delete", "pod", "-n", "default", "one", "two", "--timeout=60s")
    east.kubectl("delete", "resourceclaim", "-n", "default", "shared", "--timeout=60s")
    wait_for(lambda: free(fed) == 8, 30, "the GPU to be free again")


def test_a_template_with_claims_of_its_own_is_refused_with_a_way_out(fed: Federation) -> None:
    """Before it is placed anywhere, such a job is told which field it is and what to write instead."""
    template = job_spec(pod={"resourceClaims": [{"name": "gpu", "resourceClaimTemplateName": "one-gpu"}]})
    fed.hub.apply([compute_job("claiming", template)])
    fed.wait_condition("computejobs", "claiming", "Failed", "True", namespace="team-a", seconds=20)
    message = fed.condition("computejobs", "claiming", "Failed", "team-a")["message"]
    assert "resourceClaims[0].resourceClaimTemplateName" in message
    assert "ask for accelerators as container resources (nvidia.com/gpu)" in message
    end(fed, "claiming")


def test_a_member_that_does_not_let_devices_be_read_goes_on_without(fed: Federation) -> None:
    """With the role of an earlier version a node is Ready with what its Nodes say; devices count once it is mended."""
    west = fed.clusters["west"]
    rules = west.get_json("/apis/rbac.authorization.k8s.io/v1/clusterroles/isthmus-member")["rules"]
    (place,) = [i for i, rule in enumerate(rules) if "resourceslices" in rule["resources"]]
    patch = json.dumps([{"op": "remove", "path": f"/rules/{place}"}])
    west.kubectl("patch", "clusterrole", "isthmus-member", "--type=json", f"--patch={patch}")
    fed.process.stop()
    fed.process.start()
    wait_for(lambda: (free(fed), told(fed, "west")) == (8, []), 60, "the figures without devices")
    assert fed.condition("computenodes", "west", "Ready")["status"] == "True"
    profile = fed.get("computenodes", "west")["status"]["profile"]
    assert (profile["machines"], profile["gpuTotal"]) == (1, 0)
    west.kubectl("apply", "--server-side", "--force-conflicts", f"--filename={ROOT / 'deploy' / 'member.yaml'}")
    wait_for(lambda: free(fed, "west") == 4, 120, "the devices to be read again")
