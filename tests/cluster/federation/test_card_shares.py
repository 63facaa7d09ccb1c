"""Parts of GPUs in a member whose cards HAMi lists: what one card has goes out, what only their sum has does not."""

from typing import Any

from federation import Federation, compute_job, job_spec
from federation.manifests import RUN_SECONDS
from testbed import Machine, wait_for

GPU, MEM = "nvidia.com/gpu", "nvidia.com/gpumem"
CARDS = ("GPU-0fc3eda5-e98b-a25b-5b0d-cf5c855d1448", "GPU-7023a4c2-4128-840d-2b86-ab87d8bf7f47")
LISTED = "".join(
    f"{uuid},10,32768,100,NVIDIA-Tesla V100-PCIE-32GB,0,true,{place},hami-core:" for place, uuid in enumerate(CARDS)
)
# HAMi's scheduler does not look at the sum of memory; the one here does, so it stands on the machine.
MEMBERS = {
    "east": [
        Machine(
            "e1",
            "32",
            "128Gi",
            labels={"nvidia.com/gpu.product": "Tesla-V100-PCIE-32GB"},
            extended={GPU: "20", MEM: "65536"},
            annotations={"hami.io/node-nvidia-register": LISTED},
        )
    ]
}


def holder(name: str, card: str) -> dict[str, Any]:
    """A pod of the member's own that holds 12 GB of a card, as HAMi notes it."""
    limits = {GPU: "1", MEM: "12000"}
    container = {"name": "main", "image": "example/own:1", "resources": {"limits": limits}}
    note = {"hami.io/vgpu-devices-allocated": f"{card},NVIDIA,12000,30:;", RUN_SECONDS: "3600"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "annotations": note},
        "spec": {"containers": [container], "restartPolicy": "Never"},
    }


def part(name: str, memory: str) -> dict[str, Any]:
    """A job of one pod that asks for so much of a card."""
    spec = job_spec()
    spec["template"]["spec"]["containers"][0]["resources"]["limits"] = {GPU: "1", MEM: memory}
    return compute_job(name, spec)


def shapes(fed: Federation) -> list[dict[str, Any]]:
    """The shapes in the member's profile."""
    return list(fed.get("computenodes", "east")["status"].get("profile", {}).get("shapes", []))


def placed(fed: Federation, name: str) -> dict[str, Any]:
    """A job's condition Placed."""
    return dict(fed.condition("computejobs", name, "Placed", "team-a"))


def test_a_part_must_be_on_one_card(fed: Federation) -> None:
    """With 20 GB left on each of two cards a pod of 20 GB runs, one of 30 GB waits for room, and one of 40 for ever."""
    wait_for(lambda: [each["free"].get(GPU) for each in shapes(fed)] == ["2"], 30, "the cards to be told")
    fed.clusters["east"].apply([holder(f"own-{place}", card) for place, card in enumerate(CARDS)])
    wait_for(lambda: len(shapes(fed)) >= 2, 30, "the cards with pods to be told apart")
    told = {each["free"][MEM] for each in shapes(fed) if each["cards"]["shared"]}
    assert told == {"20768"}
    fed.hub.apply([part("fits", "20000"), part("later", "30000"), part("never", "40000")])
    fed.wait_job("fits")
    short, small = "short of nvidia.com/gpumem", "on one card; the largest card has 32768"
    wait_for(lambda: short in placed(fed, "later").get("message", ""), 20, "the larger to say what it lacks")
    wait_for(lambda: small in placed(fed, "never").get("message", ""), 20, "the largest to say what it never gets")
    fed.clusters["east"].kubectl("delete", "pod", "own-0", "-n", "default", "--wait=false")
    fed.wait_job("later")
