import csv
import io
import json
import subprocess
import sys
from pathlib import Path

from federation import Federation, compute_job, gpu_machine, job_spec
from testbed import Machine, wait_for

MEMBERS = {"east": [gpu_machine("a100", "NVIDIA-A100-SXM4-40GB", 8)], "west": [Machine("plain", "16", "64Gi")]}


def _patch(fed: Federation, name: str, spec: str) -> None:
    fed.hub.kubectl("patch", "cjob", name, "-n", "team-a", "--type=merge", "-p", f'{{"spec":{spec}}}')


def _wait_phase(fed: Federation, name: str, phase: str) -> None:
    wait_for(lambda: fed.job(name).get("status", {}).get("phase") == phase, 30, f"{name} to be {phase}")


def test_suspended_job_stops_and_goes_on(fed: Federation) -> None:
    """Suspending stops the pods in the member; resuming runs the job to Complete."""
    fed.hub.apply([compute_job("pausing", job_spec(run_seconds="4", completions=2, parallelism=2))])
    _wait_phase(fed, "pausing", "Running")
    _patch(fed, "pausing", '{"suspend":true}')
    _wait_phase(fed, "pausing", "Suspended")
    wait_for(
        lambda: all(p["status"]["phase"] != "Running" for p in fed.pods_of("pausing")), 30, "its pods to be stopped"
    )
    _patch(fed, "pausing", '{"suspend":false}')
    assert fed.wait_job("pausing")["status"]["done"] == "2/2"


def test_job_created_suspended_is_not_placed(fed: Federation) -> None:
    """A job that begins suspended stands nowhere until it is resumed."""
    fed.hub.apply([compute_job("sleeper", suspend=True)])
    _wait_phase(fed, "sleeper", "Suspended")
    assert "shards" not in fed.job("sleeper")["status"] or fed.job("sleeper")["status"]["shards"] == []
    _patch(fed, "sleeper", '{"suspend":false}')
    fed.wait_job("sleeper")


def test_cancelled_job_keeps_its_bill(fed: Federation) -> None:
    """Cancelling ends a running job; record and cost stay, the member holds nothing that runs."""
    fed.hub.apply([compute_job("cancelled", job_spec(run_seconds="3600"))])
    _wait_phase(fed, "cancelled", "Running")
    _patch(fed, "cancelled", '{"cancel":true}')
    _wait_phase(fed, "cancelled", "Cancelled")
    assert float(fed.job("cancelled")["status"]["cost"]["amount"]) > 0
    assert [p for p in fed.pods_of("cancelled") if p["status"]["phase"] == "Running"] == []


def test_finished_job_goes_after_its_time_to_live(fed: Federation) -> None:
    """A time to live removes the job, its Dispatch and its Job in the member; the ledger keeps the bill."""
    fed.hub.apply([compute_job("fleeting", ttlSecondsAfterFinished=1)])
    wait_for(lambda: "fleeting" not in [j["metadata"]["name"] for j in fed.items("computejobs")], 30, "it to go")
    assert [d for d in fed.items("dispatches") if d["spec"]["job"]["name"] == "fleeting"] == []


def test_events_tell_the_story(fed: Federation) -> None:
    """Events on the job carry the conditions' reasons, from the template to the end."""
    fed.hub.apply([compute_job("told")])
    fed.wait_job("told")

    def reasons() -> set[str]:
        text = fed.hub.kubectl(
            "get", "events", "-n", "team-a", "--field-selector", "involvedObject.name=told", "-o", "json"
        )
        return {event["reason"] for event in json.loads(text)["items"]}

    wait_for(lambda: {"Dispatched", "CompletionsReached"} <= reasons(), 10, "all its events")


def test_member_namespace_belongs_to_the_tenant_alone(fed: Federation) -> None:
    """Work of two hub namespaces runs in two member namespaces, each with quota, network policy and no token."""
    fed.namespace("team-b")
    fed.hub.apply([compute_job("here"), compute_job("there", namespace="team-b")])
    fed.wait_job("here")
    fed.wait_job("there", namespace="team-b")
    pods = [*fed.pods_of("here"), *fed.pods_of("there", "team-b")]
    namespaces = {pod["metadata"]["namespace"] for pod in pods}
    assert len(namespaces) == 2
    for pod in pods:
        assert pod["spec"]["automountServiceAccountToken"] is False
    member = next(m for m in MEMBERS if fed.job("here")["status"]["nodes"] == m)
    space = next(p["metadata"]["namespace"] for p in fed.pods_of("here"))
    rest = fed.clusters[member].rest
    assert rest.get(f"/api/v1/namespaces/{space}/resourcequotas")["items"]
    assert rest.get(f"/apis/networking.k8s.io/v1/namespaces/{space}/networkpolicies")["items"]


def test_settlement_equals_the_statement_and_the_jobs(fed: Federation, tmp_path: Path) -> None:
    """A Settlement shows the lines of the statement, whose seconds are exactly those of the pods."""
    fed.namespace("team-paid", {"isthmus.dev/account": "acme"})
    names = [f"paid-{n}" for n in range(6)]
    fed.hub.apply(
        [
            {
                "apiVersion": "isthmus.dev/v1alpha1",
                "kind": "Settlement",
                "metadata": {"name": "month", "namespace": "team-paid"},
                "spec": {
                    "currency": "CNY",
                    "period": {"start": "2026-01-01T00:00:00Z", "end": "2036-01-01T00:00:00Z"},
                },
            },
            *(
                compute_job(
                    n, job_spec(run_seconds="3", completions=2, parallelism=1, gpus=i % 2), namespace="team-paid"
                )
                for i, n in enumerate(names)
            ),
        ]
    )
    fed.wait_jobs(names, namespace="team-paid")
    target = tmp_path / "acme.csv"
    command = [str(Path(sys.executable).with_name("isthmus")), "statement", f"--ledger={fed.process.ledger}"]
    period = ["--account=acme", "--start=2026-01-01", "--end=2036-01-01", "--currency=CNY", "-o", "csv"]
    subprocess.run([*command, *period, f"--output={target}"], check=True, capture_output=True, timeout=60)
    usage = [row for row in csv.DictReader(io.StringIO(target.read_text())) if row["meter"]]
    seconds = {"MillicoreSeconds": 0, "MilliGPUSeconds": 0}
    for row in usage:
        if row["meter"] in seconds:
            seconds[row["meter"]] += int(row["quantity"])
    runs = 12 * 3
    assert seconds == {"MillicoreSeconds": runs * 1000, "MilliGPUSeconds": runs * 1000 // 2}

    def settled() -> bool:
        status = fed.get("settlements", "month", "team-paid").get("status", {})
        return bool(
            status.get("lines")
            == len({row["dispatchUid"] + row["sequence"] + row["meter"] + row["model"] for row in usage})
        )

    wait_for(settled, 30, "the Settlement to follow the ledger")
    status = fed.get("settlements", "month", "team-paid")["status"]
    assert (status["account"], status["unpricedLines"], status["phase"]) == ("acme", 0, "Open")
    amounts = {n: float(fed.job(n, "team-paid")["status"]["cost"]["amount"]) for n in names}
    assert abs(float(status["total"]) - sum(amounts.values())) < 0.01


def test_hub_log_is_free_of_tracebacks(fed: Federation) -> None:
    """After all of it the hub has logged no traceback."""
    assert "Traceback" not in fed.process.log.read_text()
