import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from federation import Federation, compute_job, gpu_machine, job_spec
from isthmus import __version__
from testbed import Machine, wait_for

MEMBERS = {
    "east": [gpu_machine("a100", "NVIDIA-A100-SXM4-40GB", 4, cpu="32", memory="128Gi")],
    "west": [Machine("plain", "16", "64Gi")],
}
Samples = dict[str, dict[frozenset[tuple[str, str]], float]]


def ask(fed: Federation, path: str) -> tuple[int, str]:
    """Status and body of an answer."""
    try:
        with urllib.request.urlopen(fed.process.served_at() + path, timeout=30) as answer:  # noqa: S310 - http
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def scrape(fed: Federation) -> Samples:
    """All samples by name and labels."""
    status, text = ask(fed, "/metrics")
    assert status == 200
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[frozenset(sample.labels.items())] = sample.value
    return found


def value(samples: Samples, name: str, **labels: str) -> float | None:
    """One sample."""
    return samples.get(name, {}).get(frozenset(labels.items()))


def wait_ready(fed: Federation, seconds: float = 60) -> None:
    """Until the hub acts."""
    wait_for(lambda: ask(fed, "/readyz") == (200, "ok\n"), seconds, "readiness")


@contextmanager
def without(fed: Federation, *denied: tuple[str, str]) -> Iterator[None]:
    """The hub's cluster role without these verbs on these resources."""
    path = "/apis/rbac.authorization.k8s.io/v1/clusterroles/isthmus-hub"
    whole: list[dict[str, Any]] = fed.hub.rest.get(path)["rules"]
    rules = [
        {"apiGroups": rule["apiGroups"], "resources": [resource], "verbs": verbs}
        for rule in whole
        for resource in rule["resources"]
        if (verbs := [verb for verb in rule["verbs"] if (verb, resource) not in denied])
    ]
    fed.hub.rest.patch(path, {"rules": rules})
    try:
        yield
    finally:
        fed.hub.rest.patch(path, {"rules": whole})


def test_metrics_tell_what_happened(fed: Federation) -> None:
    """After a run of jobs the metrics have its numbers: attempts, phases, latencies, the ledger, nodes."""
    wait_ready(fed)
    fed.hub.apply([compute_job(f"counted-{number}", job_spec(completions=2, parallelism=2)) for number in range(4)])
    placement = {"accelerator": {"models": ["H100"]}}
    fed.hub.apply([compute_job("counted-waiting", job_spec(gpus=1), placement=placement)])
    fed.wait_jobs(f"counted-{number}" for number in range(4))
    fed.wait_condition("computejobs", "counted-waiting", "Placed", "False", namespace="team-a")
    wait_for(lambda: value(scrape(fed), "isthmus_ledger_lag_seconds") == 0, 60, "all readings to be booked")
    found = scrape(fed)
    assert value(found, "isthmus_ready") == 1
    assert value(found, "isthmus_jobs", phase="Succeeded") == 4
    assert value(found, "isthmus_jobs", phase="Pending") == 1
    assert sum(found["isthmus_pending_jobs"].values()) == 1
    assert value(found, "isthmus_placement_attempts_total", result="Placed") == 4
    assert (value(found, "isthmus_placement_attempts_total", result="Impossible") or 0) >= 1
    for until in ("DispatchWritten", "JobCreated"):
        assert value(found, "isthmus_dispatch_latency_seconds_count", until=until) == 4
    written = value(found, "isthmus_dispatch_latency_seconds_sum", until="DispatchWritten") or 0
    assert 0 < written < (value(found, "isthmus_dispatch_latency_seconds_sum", until="JobCreated") or 0) < 60
    assert (value(found, "isthmus_ledger_readings_total", outcome="Booked") or 0) >= 4
    assert (value(found, "isthmus_ledger_lines_total") or 0) >= 8
    assert value(found, "isthmus_ledger_readings_total", outcome="Conflict") == 0
    assert value(found, "isthmus_node_allocatable", node="east", resource="cpu", unit="core") == 32
    assert value(found, "isthmus_node_allocatable", node="west", resource="memory", unit="byte") == 64 * 1024**3
    assert [(dict(labels)["node"], count) for labels, count in found["isthmus_node_accelerators"].items()] == [
        ("east", 4)
    ]
    assert value(found, "isthmus_node_condition", node="east", condition="Reachable", status="True") == 1
    assert value(found, "isthmus_node_condition", node="east", condition="Reachable", status="False") == 0
    creates = [value(found, "isthmus_api_requests_total", cluster=name, verb="create") or 0 for name in MEMBERS]
    assert sum(creates) >= 4
    assert {dict(labels)["version"] for labels in found["isthmus_build_info"]} == {__version__}
    assert (value(found, "process_resident_memory_bytes") or 0) > 10_000_000
    text = ask(fed, "/metrics")[1]
    assert "counted-" not in text
    assert "team-a" not in text


def test_not_ready_while_the_api_is_silent(fed: Federation) -> None:
    """A hub whose API server hangs is alive but not ready, says so, and is ready again when it answers."""
    wait_ready(fed)
    fed.hub.pause("apiserver")
    try:
        wait_for(lambda: "the hub's API has not answered for" in ask(fed, "/readyz")[1], 60, "silence to be noticed")
        assert ask(fed, "/readyz")[0] == 503
        assert ask(fed, "/healthz") == (200, "ok\n")
        assert value(scrape(fed), "isthmus_ready") == 0
    finally:
        fed.hub.resume("apiserver")
    wait_ready(fed)


def test_permissions_that_are_taken_away_are_named(fed: Federation) -> None:
    """The first refusal has all that is missing told in /readyz; what is given back is found, and work goes on."""
    wait_ready(fed)
    with without(fed, ("create", "dispatches"), ("delete", "namespaces")):
        fed.hub.apply([compute_job("refused")])
        lines = "the hub is not permitted to create dispatches.isthmus.dev\n"
        lines += "the hub is not permitted to delete namespaces\n"
        wait_for(lambda: ask(fed, "/readyz") == (503, lines), 60, "the missing permissions to be named")
        assert value(scrape(fed), "isthmus_permissions_missing") == 2
        assert ask(fed, "/healthz") == (200, "ok\n")
    wait_ready(fed)
    fed.wait_job("refused", seconds=120)


def test_a_hub_that_may_not_begin_waits_for_its_permissions(fed: Federation) -> None:
    """With HTTP the process stays and names all that is missing; once they are given, it begins."""
    fed.process.stop()
    with without(fed, ("list", "computejobs"), ("watch", "computejobs"), ("create", "events")):
        fed.process.launch()
        wait_for(lambda: "not permitted" in ask(fed, "/readyz")[1], 60, "the missing permissions to be named")
        missing = ("list, watch computejobs.isthmus.dev", "create events")
        assert ask(fed, "/readyz") == (503, "".join(f"the hub is not permitted to {each}\n" for each in missing))
        assert ask(fed, "/healthz") == (200, "ok\n")
        assert value(scrape(fed), "isthmus_ready") == 0
        told = [line for line in fed.process.log.read_text().splitlines() if "can't begin" in line]
        assert len(told) == 1
    wait_ready(fed)


def test_without_http_a_hub_that_may_not_begin_ends(fed: Federation) -> None:
    """By hand the hub says in one line all that it may not do, and exits with 1."""
    options = [option for option in fed.process.command if not option.startswith("--http-address")]
    with without(fed, ("list", "computejobs"), ("create", "events")):
        ended = subprocess.run(
            options, env=fed.process.environment, capture_output=True, text=True, timeout=60, check=False
        )
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == (
        "isthmus hub: the hub is not permitted to list computejobs.isthmus.dev; to create events; "
        "give it the roles of the chart: helm upgrade"
    )


def test_a_hub_that_waits_ends_when_told_to(fed: Federation) -> None:
    """SIGTERM ends a process that can't begin, at once and without a traceback."""
    fed.process.stop()
    with without(fed, ("list", "computejobs")):
        fed.process.launch()
        wait_for(lambda: "not permitted" in ask(fed, "/readyz")[1], 60, "the missing permission to be named")
        fed.process.stop()
    assert "Traceback" not in fed.process.tail(5)
    fed.process.start()
    wait_ready(fed)


def test_series_of_a_removed_node_vanish(fed: Federation) -> None:
    """A node that was removed leaves no series."""
    wait_ready(fed)
    wait_for(lambda: "west" in ask(fed, "/metrics")[1], 60, "the node's series")
    fed.hub.kubectl("delete", "computenode", "west", "--timeout=60s")
    wait_for(lambda: "west" not in ask(fed, "/metrics")[1], 10, "the node's series to vanish")


def test_every_log_line_is_json_and_names_its_object(fed: Federation) -> None:
    """Of all that these tests had the hub log, libraries' lines too, each is one JSON object with the usual keys."""
    lines = [json.loads(line) for line in fed.process.log.read_text().splitlines()]
    assert len(lines) > 50
    for line in lines:
        assert {"event", "level", "logger", "timestamp"} <= line.keys(), line
        if "kind" in line:
            assert line.get("name") or line.get("uid"), line
        assert not line.keys() & {"job", "dispatch", "pod"}, line
    assert {line["logger"].partition(".")[0] for line in lines} >= {"isthmus", "kopf"}
    changed = [line for line in lines if line["event"] == "condition changed" and line["kind"] == "ComputeJob"]
    assert changed
    assert all(line.keys() >= {"kind", "namespace", "name", "uid"} for line in changed)
