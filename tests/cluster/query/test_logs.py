import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cluster.query.aggregated import Aggregated, path_of
from tests.unit.docs.pages import page

from federation import compute_job, job_spec
from testbed import Machine, wait_for
from testbed.binaries import locate
from testbed.kubelet import Kubelet

MEMBERS = {name: [Machine(f"{name}-1", cpu="8", memory="32Gi")] for name in ("east", "west")}


@pytest.fixture(scope="module")
def kubelets(query: Aggregated) -> Iterator[dict[str, Kubelet]]:
    """The kubelets of both members."""
    with Kubelet(query.fed.clusters["east"]) as east, Kubelet(query.fed.clusters["west"]) as west:
        yield {"east": east, "west": west}


def pod_of(query: Aggregated, job: str, index: int | None = None) -> tuple[str, str]:
    """The member and the name of the pod that has the job's index, or of the only one."""
    found: list[tuple[str, str]] = []

    def there() -> bool:
        shards = query.fed.job(job).get("status", {}).get("shards", [])
        nodes = {shard["dispatch"]: shard["node"] for shard in shards}
        for pod in query.fed.pods_of(job) if shards else []:
            metadata = pod["metadata"]
            own = metadata["annotations"].get("batch.kubernetes.io/job-completion-index")
            if index is None or metadata["annotations"].get("isthmus.dev/index", own) == str(index):
                found.append((nodes[metadata["labels"]["isthmus.dev/dispatch"]], metadata["name"]))
        return bool(found)

    wait_for(there, 30, f"a pod of index {index} of {job}")
    return found[-1]


def log(query: Aggregated, job: str, asked: str = "", *, user: str = "ann") -> str:
    """What a user gets for the log of a job."""
    return query.raw(user, path_of(job, "log") + (f"?{asked}" if asked else ""))


@pytest.mark.usefixtures("kubelets")
def test_split_job(query: Aggregated) -> None:
    """The log of an index is that of its pod, in whichever member it ran, counted as the whole job counts."""
    template = job_spec(cpu="2", completions=6, parallelism=6)
    query.fed.hub.apply([compute_job("sweep", template, placement={"split": "ByIndex", "maxNodes": 2})])
    job = query.fed.wait_job("sweep")
    assert {shard["node"] for shard in job["status"]["shards"]} == {"east", "west"}
    for index in range(6):
        _, pod = pod_of(query, "sweep", index)
        assert log(query, "sweep", f"index={index}") == f"main of {pod}\n"
    bindings = [
        binding
        for cluster in ("east", "west")
        for binding in query.fed.clusters[cluster].rest.get("/apis/rbac.authorization.k8s.io/v1/rolebindings")["items"]
        if binding["metadata"]["namespace"].startswith("iwt-")
    ]
    assert {binding["roleRef"]["name"] for binding in bindings} == {"isthmus-member-logs"}
    assert len(bindings) == 2


@pytest.mark.usefixtures("kubelets")
@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("", "Error from server (BadRequest): the job has 6 indexes; say which by index=0 to index=5"),
        ("index=6", "Error from server (BadRequest): the job has no index 6; its last is 5"),
        ("index=-1", "Error from server (BadRequest): index must be a whole number"),
        ("index=0&tailLines=x", "Error from server (BadRequest): tailLines must be a whole number"),
        ("index=0&container=other", "Error from server (BadRequest): container other is not valid for pod"),
    ],
    ids=["no index", "beyond", "negative", "no number", "no such container"],
)
def test_wrong_question(query: Aggregated, asked: str, answer: str) -> None:
    """What is wrong with a question is told in a Status."""
    assert answer in log(query, "sweep", asked)


def test_followed_log(query: Aggregated, kubelets: dict[str, Kubelet]) -> None:
    """A log that is followed comes line by line, and ends with its pod."""
    query.fed.hub.apply([compute_job("talk", job_spec(run_seconds="60"))])
    node, pod = pod_of(query, "talk")
    feed = kubelets[node].feed(pod, "one", "two")
    assert log(query, "talk", "tailLines=1") == "two\n"
    assert log(query, "talk", "timestamps=true").splitlines()[0].partition(" ")[2] == "one"
    with follower(query, "talk") as following:
        assert following.stdout is not None
        assert [following.stdout.readline() for _ in range(2)] == ["one\n", "two\n"]
        feed.write("three")
        assert following.stdout.readline() == "three\n"
        feed.close()
        assert following.wait(10) == 0


def follower(query: Aggregated, job: str) -> "subprocess.Popen[str]":
    """Kubectl that follows the log of a job, as ann."""
    cluster = query.fed.hub
    command = [locate(print).kubectl, f"--kubeconfig={cluster.kubeconfig('ann')}", "get", "--raw"]
    return subprocess.Popen(
        [*map(str, command), path_of(job, "log") + "?follow=true"], stdout=subprocess.PIPE, text=True
    )


def test_follower_that_goes(query: Aggregated, kubelets: dict[str, Kubelet]) -> None:
    """When whoever follows a log goes, nothing goes on reading it in the member; others are answered meanwhile."""
    query.fed.hub.apply([compute_job("long", job_spec(run_seconds="120"))])
    node, pod = pod_of(query, "long")
    feed = kubelets[node].feed(pod, "begun")
    followers = [follower(query, "long") for _ in range(3)]
    wait_for(lambda: feed.readers == 3, 60, "three followers to read")
    assert log(query, "sweep", "index=0").startswith("main of ")
    for each in followers:
        each.kill()
        each.communicate()

    def nobody() -> bool:
        feed.write("more")  # a server notices by what it writes that nobody takes it
        return feed.readers == 0

    wait_for(nobody, 60, "nobody to read any more")


@pytest.mark.usefixtures("kubelets")
def test_pages(query: Aggregated, tmp_path: Path) -> None:
    """The commands of docs/jobs.md about explanation and logs run as they stand."""
    query.fed.hub.apply([compute_job("train", job_spec(completions=4, parallelism=4))])
    query.fed.wait_job("train")
    kubectl = tmp_path / "kubectl"
    kubectl.symlink_to(locate(print).kubectl)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "KUBECONFIG": str(query.fed.hub.kubeconfig("ann"))}
    texts = [
        subprocess.run(["bash", "-euc", line[2:]], env=environment, capture_output=True, text=True, check=True).stdout
        for block in page("docs/jobs.md").blocks("console")
        for line in block.splitlines()
        if line.startswith("$ kubectl get --raw ")
    ]
    explained: dict[str, Any] = json.loads(texts[0])
    assert explained["kind"] == "Explanation"
    assert len(texts) == 3
    assert all(text.startswith("main of train-") for text in texts[1:])
