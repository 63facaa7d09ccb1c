from typing import Any

import pytest

from isthmus.api.computejob import ComputeJob
from isthmus.cli.kubectl.complaint import Complaint
from isthmus.cli.kubectl.dryrun import with_value
from isthmus.cli.kubectl.jobmanifest import Submission, job_manifest, name_for, toleration_of
from isthmus.cli.kubectl.submit import _instant


def test_the_least_that_can_be_said() -> None:
    """An image alone is a job of one pod, and nothing is said that is so by default."""
    assert job_manifest(Submission("x", "team-a", "example/x")) == {
        "apiVersion": "isthmus.dev/v1alpha1",
        "kind": "ComputeJob",
        "metadata": {"name": "x", "namespace": "team-a"},
        "spec": {
            "template": {
                "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "example/x"}]}}
            }
        },
    }


def test_all_that_can_be_said() -> None:
    """Every option has its place in a ComputeJob that the models take."""
    manifest = job_manifest(
        Submission(
            "x",
            "team-a",
            "example/x",
            command=["python", "train.py"],
            gpus=2,
            gpu_resource="nvidia.com/gpu",
            models=["A100", "H100"],
            gpu_memory="40Gi",
            cpu="4",
            memory="16Gi",
            indexes=10,
            parallelism=5,
            backoff_limit=3,
            deadline="2026-12-01T06:00:00Z",
            active_deadline_seconds=3600,
            environment={"LR": "0.1"},
            labels={"team": "vision"},
            split=True,
            max_nodes=4,
            min_indexes=2,
            tiers=["Core"],
            regions=["cn"],
            node_selector={"network": "ib"},
            tolerations=[toleration_of("dedicated=vision"), toleration_of("spot")],
            preemptible=True,
            on_node_lost="Rerun",
            objective="Cheapest",
            priority=7,
            ttl_seconds=60,
            suspend=True,
        )
    )
    spec: dict[str, Any] = manifest["spec"]
    template = spec["template"]
    container = template["template"]["spec"]["containers"][0]
    assert (template["completions"], template["parallelism"], template["completionMode"]) == (10, 5, "Indexed")
    assert (template["backoffLimit"], template["activeDeadlineSeconds"]) == (3, 3600)
    assert container["resources"] == {"requests": {"cpu": "4", "memory": "16Gi"}, "limits": {"nvidia.com/gpu": "2"}}
    assert container["env"] == [{"name": "LR", "value": "0.1"}]
    assert (
        template["template"]["metadata"] == {"labels": {"team": "vision"}} == {"labels": manifest["metadata"]["labels"]}
    )
    placement = ComputeJob.model_validate(manifest).spec.placement
    assert placement.accelerator is not None
    assert (placement.accelerator.models, placement.accelerator.minimum_memory) == (["A100", "H100"], "40Gi")
    assert (placement.split, placement.max_nodes, placement.min_indexes_per_node) == ("ByIndex", 4, 2)
    assert (placement.on_node_lost, placement.objective) == ("Rerun", "Cheapest")
    assert [t.operator for t in placement.tolerations] == ["Equal", "Exists"]
    assert (placement.preemptible, placement.gang) == (True, False)
    assert spec["deadline"] == "2026-12-01T06:00:00Z"
    assert (spec["priority"], spec["ttlSecondsAfterFinished"], spec["suspend"]) == (7, 60, True)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Submission("x", "n", "i", split=True), "--indexes"),
        (Submission("x", "n", "i", max_nodes=2), "go with --split"),
        (Submission("x", "n", "i", gpu_memory="1Gi"), "--gpus"),
        (Submission("x", "n", "i", gang=True, split=True, indexes=2), "leave out one"),
    ],
)
def test_options_that_do_not_fit_together(wanted: Submission, said: str) -> None:
    """They are refused with what is missing."""
    with pytest.raises(Complaint, match=said):
        job_manifest(wanted)


def test_gang() -> None:
    """All pods on one node is said in the placement."""
    manifest = job_manifest(Submission("x", "n", "i", indexes=4, gang=True))
    assert manifest["spec"]["placement"] == {"gang": True}


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-12-01T06:00:00Z", "2026-12-01T06:00:00Z"),
        ("2026-12-01T06:00:00.9+08:00", "2026-11-30T22:00:00Z"),
        ("2026-12-01T06:00:00", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("2h", None),
    ],
)
def test_deadline(text: str, instant: str | None) -> None:
    """When a job is to be done is an instant with a time zone; how long it may run is another option."""
    if instant is None:
        with pytest.raises(Complaint, match="write an instant such as"):
            _instant(text, "--deadline")
    else:
        assert _instant(text, "--deadline") == instant


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("registry.example.org:5000/team/Train_Model:v1.2", "train-model-abcde"),
        ("python@sha256:0123", "python-abcde"),
        ("___", "job-abcde"),
        ("x" * 80, "x" * 46 + "-abcde"),
    ],
)
def test_a_job_is_named_after_its_image(image: str, name: str) -> None:
    """The image's own name, as a DNS label of at most 52 characters, with a random ending."""
    assert name_for(image, "abcde") == name
    assert len(name) <= 52


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["submit", "x", "--dry-run"], ["submit", "x", "--dry-run=client"]),
        (["submit", "--dry-run", "x"], ["submit", "--dry-run=client", "x"]),
        (["submit", "--dry-run", "server", "x"], ["submit", "--dry-run", "server", "x"]),
        (["submit", "--dry-run=none", "x"], ["submit", "--dry-run=none", "x"]),
        (["submit", "x", "--", "rsync", "--dry-run"], ["submit", "x", "--", "rsync", "--dry-run"]),
    ],
)
def test_dry_run_alone_means_client(arguments: list[str], found: list[str]) -> None:
    """The option may stand without a value, and what the job runs is left alone."""
    assert with_value(arguments) == found
