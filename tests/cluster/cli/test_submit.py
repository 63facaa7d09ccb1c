import json
import subprocess
from collections.abc import Iterator

import pytest
import yaml
from tests.cluster.cli.desk import SCRIPT, Desk
from tests.cluster.cli.terminal import Terminal

from federation import Federation, compute_job, job_spec

SMALL = ("--cpu=1", "--memory=1Gi")


@pytest.fixture(scope="module", autouse=True)
def jobs(fed: Federation) -> Iterator[None]:
    """One job that ran on east, and one that wants a model which nobody has."""
    pending = compute_job("pending", job_spec(gpus=1), placement={"accelerator": {"models": ["A10O"]}})
    fed.hub.apply([compute_job("placed", job_spec()), pending])
    fed.wait_job("placed")
    fed.wait_condition("computejobs", "pending", "Placed", "False", namespace="team-a")
    yield
    fed.hub.kubectl("delete", "cjob", "--all", "-n", "team-a", "--timeout=60s")


def test_a_job_runs_to_its_end(fed: Federation, desk: Desk) -> None:
    """Handed in with --wait, the job is Complete when the command ends with 0."""
    done = desk(
        "submit", "example/work", "-n", "team-a", "--name=sub", *SMALL, "--indexes=3", "--wait", "--", "sh", "-c", "x y"
    )
    assert (done.code, done.out) == (0, "computejob.isthmus.dev/sub created\n")
    job = fed.job("sub")
    container = job["spec"]["template"]["template"]["spec"]["containers"][0]
    assert container["command"] == ["sh", "-c", "x y"]
    assert job["status"]["done"] == "3/3"


def test_a_job_that_is_refused_ends_with_1(desk: Desk) -> None:
    """The API server's own words say why."""
    done = desk("submit", "example/work", "-n", "team-a", "--name=bad", "--wait", "--label=-x=y", *SMALL)
    assert done.code == 1
    assert "Error from server (Invalid)" in done.err


@pytest.mark.parametrize("dry_run", [("--dry-run",), ("--dry-run=client",), ("--dry-run=server",)])
def test_dry_run_prints_a_manifest_that_can_be_applied(fed: Federation, desk: Desk, dry_run: tuple[str, ...]) -> None:
    """The manifest comes as YAML, nothing is created, and kubectl takes it."""
    text = desk.good(
        "submit", "example/work", "-n", "team-a", "--name=dry", *SMALL, *dry_run, "--gpus=2", "--model=A100"
    )
    document = yaml.safe_load(text)
    assert document["spec"]["placement"]["accelerator"]["models"] == ["A100"]
    limits = document["spec"]["template"]["template"]["spec"]["containers"][0]["resources"]["limits"]
    assert limits == {"nvidia.com/gpu": "2"}
    assert "dry" not in desk.good("get", "jobs", "-A", "-o", "name")
    assert "created (server dry run)" in fed.hub.kubectl("create", "--dry-run=server", "-f", "-", input=text)


def test_a_model_that_nobody_has_is_refused_with_the_nearest(desk: Desk) -> None:
    """The nearest model of the fleet is named, and nothing is created; --force hands it in."""
    said = desk.complaint("submit", "example/work", "-n", "team-a", "--name=odd", "--model=A10O", *SMALL)
    assert said == (
        "error: no node has accelerators of model A10O; nearest: NVIDIA-A100-SXM4-40GB "
        "(--force hands it in all the same)"
    )
    assert "odd" not in desk.good("get", "jobs", "-n", "team-a", "-o", "name")
    forced = desk.good("submit", "example/work", "-n", "team-a", "--name=odd", "--model=A10O", "--force", *SMALL)
    assert forced == "computejob.isthmus.dev/odd created\n"


def test_explain_says_what_may_have_been_meant(desk: Desk) -> None:
    """A pending job with an unknown model is explained with the nearest; without the query API it is said so."""
    said = desk.good("explain", "pending", "-n", "team-a")
    assert "no node has accelerators of model A10O; nearest: NVIDIA-A100-SXM4-40GB" in said
    assert "ModelNotOffered" in said
    assert "from the job's status" in said


def test_explain_a_placed_job(desk: Desk) -> None:
    """The chosen node stands first with its score; JSON is the document itself."""
    said = desk.good("explain", "job/placed", "-n", "team-a")
    row = next(line for line in said.splitlines() if line.strip().startswith("east"))
    assert "Chosen" in row
    assert "price=" in row
    assert json.loads(desk("explain", "placed", "-n", "team-a", "-o", "json").out)["winner"] == "east"


def test_explain_on_60_columns(desk: Desk) -> None:
    """No line is wider than the terminal."""
    with Terminal(desk, "explain", "pending", "-n", "team-a", columns=60) as terminal:
        assert terminal.end() == 0
    assert all(len(line) <= 60 for line in terminal.shown.splitlines())


def test_a_tenant_without_a_view_of_nodes(tenant: Desk) -> None:
    """Who may not list nodes is warned that the model can't be checked, and the job is handed in."""
    done = tenant("submit", "example/work", "-n", "team-a", "--name=anns", "--model=T4", *SMALL)
    assert (done.code, done.out) == (0, "computejob.isthmus.dev/anns created\n")
    assert done.err.startswith("warning: you may not list ComputeNodes")
    assert "anns" in tenant.good("get", "jobs", "-n", "team-a")
    assert tenant.good("explain", "anns", "-n", "team-a")


def test_no_logs_without_the_query_api(desk: Desk) -> None:
    """Where the hub does not serve it, logs says so in one line."""
    said = desk.complaint("logs", "placed", "-n", "team-a", "--index=0")
    assert said == "error: there are no logs: the hub does not serve its query API (query.isthmus.dev)"


def test_completion_proposes_what_is_there(desk: Desk) -> None:
    """Kubectl's completion of names asks the hub, and says that no files are meant."""
    script = SCRIPT.with_name("kubectl_complete-isthmus")

    def proposed(*arguments: str) -> list[str]:
        done = subprocess.run([str(script), *arguments], env=desk.env(), capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    assert proposed("get", "nodes", "e") == ["east", ":4"]
    assert "placed" in proposed("-n", "team-a", "explain", "")
    assert proposed("get", "no") == ["nodes", ":4"]
