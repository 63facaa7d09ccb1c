from typing import Any

import pytest

from federation import Federation, compute_job, gpu_machine, job_spec
from testbed import KubectlError, Machine, wait_for

MEMBERS = {"east": [gpu_machine("a100", "NVIDIA-A100-SXM4-40GB", 4)], "west": [Machine("plain", "16", "64Gi")]}

_ALWAYS = {"template": {"spec": {"restartPolicy": "Always", "containers": [{"name": "a", "image": "b"}]}}}
_SECRET = {"imagePullSecrets": [{"name": "pull"}]}


@pytest.mark.parametrize(
    ("template", "says"),
    [
        pytest.param(job_spec(selector={"matchLabels": {"a": "b"}}), "spec.template.selector", id="selector"),
        pytest.param(job_spec(manualSelector=True), "spec.template.manualSelector", id="manual-selector"),
        pytest.param(job_spec(managedBy="example.com/other"), "spec.template.managedBy", id="managed-by"),
        pytest.param({}, "spec.template.template", id="empty"),
    ],
)
def test_what_the_schema_can_know_is_refused_at_once(fed: Federation, template: dict[str, Any], says: str) -> None:
    """Fields that the renderer owns, and missing ones, are refused when the job is applied."""
    with pytest.raises(KubectlError, match=says.replace(".", r"\.")):
        fed.hub.apply([compute_job("refused", template)])


@pytest.mark.parametrize(
    ("name", "template", "says"),
    [
        pytest.param("always", _ALWAYS, "spec.template.template.spec.restartPolicy", id="restart-always"),
        pytest.param("typo", job_spec(parallelizm=3), 'unknown field "spec.template.parallelizm"', id="unknown-field"),
        pytest.param("wide", job_spec(completions=100_001, parallelism=100_001), "spec.template", id="too-wide"),
        pytest.param("negative", job_spec(completions=-1), "spec.template.completions", id="negative"),
        pytest.param("secretive", job_spec(pod=_SECRET), "imagePullSecrets[0].name", id="missing-secret"),
        pytest.param("cpu", job_spec(cpu="lots"), "spec.template", id="cpu-no-quantity"),
    ],
)
def test_wrong_template_fails_at_once_with_the_field(
    fed: Federation, name: str, template: dict[str, Any], says: str
) -> None:
    """A template that the API server would refuse as a Job fails within seconds, in its words, naming the field."""
    fed.hub.apply([compute_job(name, template)])
    failed = fed.wait_condition("computejobs", name, "Failed", "True", namespace="team-a", seconds=10)
    assert says in failed["message"]
    assert "Traceback" not in failed["message"]
    job = fed.job(name)
    assert job["status"]["phase"] == "Failed"
    assert "finalizers" not in job["metadata"]
    selector = f"involvedObject.name={name}"
    wait_for(
        lambda: failed["reason"] in fed.hub.kubectl("get", "events", "-n", "team-a", "--field-selector", selector),
        10,
        "an event with the same reason",
    )


def test_job_no_node_could_ever_run_says_so(fed: Federation) -> None:
    """A job larger than any machine waits with the largest machine named, and keeps nothing else waiting."""
    fed.hub.apply([compute_job("huge", job_spec(gpus=16)), compute_job("small")])
    placed = fed.wait_condition("computejobs", "huge", "Placed", "False", namespace="team-a", seconds=10)
    assert placed["reason"] == "NoSuitableNode"
    nodes = {each["node"]: each for each in fed.job("huge")["status"]["explanation"]["nodes"]}
    assert nodes["east"]["message"] == "needs 16 x nvidia.com/gpu on one machine; the largest machine has 4"
    fed.wait_job("small")
    fed.hub.kubectl("delete", "cjob", "huge", "-n", "team-a", "--timeout=30s")


def test_waiting_job_costs_no_writes(fed: Federation) -> None:
    """A job that can't run is told once: nothing is written for it while nothing changes."""
    fed.hub.apply([compute_job("idle", job_spec(gpus=16))])
    fed.wait_condition("computejobs", "idle", "Placed", "False", namespace="team-a")
    before = fed.job("idle")["metadata"]["resourceVersion"]
    fed.hub.apply([compute_job(f"passing-{n}") for n in range(5)])
    fed.wait_jobs([f"passing-{n}" for n in range(5)])
    assert fed.job("idle")["metadata"]["resourceVersion"] == before
    fed.hub.kubectl("delete", "cjob", "idle", "-n", "team-a", "--timeout=30s")


@pytest.mark.parametrize("name", ["n" * 63, "n" * 253, "dots.in.the.name", "0"])
def test_any_name_that_an_object_may_have_works(fed: Federation, name: str) -> None:
    """Names of 63 and 253 characters, with dots, or of one digit run as any other, Indexed too."""
    fed.hub.apply([compute_job(name, job_spec(completions=11, parallelism=11))])
    assert fed.wait_job(name)["status"]["done"] == "11/11"


def test_no_completions_is_complete_at_once(fed: Federation) -> None:
    """A job of zero completions is Complete and costs nothing."""
    fed.hub.apply([compute_job("none", job_spec(completions=0, parallelism=1))])
    job = fed.wait_job("none", seconds=15)
    assert (job["status"]["done"], float(job["status"]["cost"]["amount"])) == ("0/0", 0.0)


def test_a_million_completions_run_and_can_be_stopped(fed: Federation) -> None:
    """A job of a million completions runs a few at a time, its status stays small, and cancelling it ends it."""
    fed.hub.apply([compute_job("million", job_spec(completions=1_000_000, parallelism=2))])
    fed.wait_condition("computejobs", "million", "Placed", "True", namespace="team-a")
    fed.hub.kubectl("patch", "cjob", "million", "-n", "team-a", "--type=merge", "-p", '{"spec":{"cancel":true}}')
    failed = fed.wait_condition("computejobs", "million", "Failed", "True", reason="Cancelled", namespace="team-a")
    assert failed["message"] == "spec.cancel was set"
    fed.hub.kubectl("delete", "cjob", "million", "-n", "team-a", "--timeout=60s")


def test_failing_job_fails_with_the_controllers_reason(fed: Federation) -> None:
    """A job whose pods exit non-zero is Failed for its Job's reason, and its pod time is billed."""
    fed.hub.apply([compute_job("fails", job_spec(exit_code=3, run_seconds="2", backoffLimit=0))])
    failed = fed.wait_condition("computejobs", "fails", "Failed", "True", namespace="team-a")
    assert failed["reason"] == "BackoffLimitExceeded"
    assert float(fed.job("fails")["status"]["cost"]["amount"]) > 0


def test_pods_that_the_member_refuses_are_told(fed: Federation) -> None:
    """A job whose pods the member's PodSecurity refuses is Stalled, and the message names the Job to look at."""
    template = job_spec(pod={"hostNetwork": True})
    fed.hub.apply([compute_job("privileged", template)])
    found = fed.wait_condition("computejobs", "privileged", "Stalled", "True", reason="NoPods", namespace="team-a")
    assert "PodSecurity" in found["message"]
    fed.hub.kubectl("delete", "cjob", "privileged", "-n", "team-a", "--timeout=60s")


def test_hub_log_is_free_of_tracebacks(fed: Federation) -> None:
    """After all of it the hub has logged no traceback."""
    assert "Traceback" not in fed.process.log.read_text()
