"""The commands of the README and of docs/, run word for word against a hub and a member, in the order of the pages."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.docs.pages import ROOT, page

from federation import gpu_machine
from isthmus.settlement.csvfile import COLUMNS
from testbed import Cluster, ClusterSpec, Testbed, wait_for
from testbed.binaries import helm, locate

MACHINES = [gpu_machine("a100", "NVIDIA-A100-SXM4-40GB", 4), gpu_machine("t4", "Tesla-T4", 4)]
COMMAND_SECONDS = 120


@dataclass
class Desk:
    """A folder that looks like a checkout, and an environment whose kubeconfig has the contexts hub and east."""

    folder: Path
    environment: dict[str, str]

    def bash(self, script: str, stdin: str | None = None) -> str:
        """Runs it as it stands; what it prints. Fails with what it printed where any of its commands fails."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def apply(self, manifest: dict[str, Any]) -> None:
        """Applies a manifest of a page."""
        self.bash("kubectl apply -f -", yaml.safe_dump(manifest))

    def namespace(self, name: str) -> None:
        """A namespace that a page takes for granted."""
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def json(self, command: str) -> dict[str, Any]:
        """What kubectl gets."""
        found: dict[str, Any] = json.loads(self.bash(f"kubectl get {command} -o json"))
        return found


def _contexts(clusters: dict[str, Cluster]) -> dict[str, Any]:
    """One kubeconfig with a context for each cluster; the hub's is the current one."""
    merged: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "current-context": "hub"}
    for name, cluster in clusters.items():
        config = yaml.safe_load(cluster.kubeconfig().read_text())
        context = {"cluster": name, "user": f"{name}-admin"}
        merged.setdefault("clusters", []).append({**config["clusters"][0], "name": name})
        merged.setdefault("users", []).append({**config["users"][0], "name": f"{name}-admin"})
        merged.setdefault("contexts", []).append({"name": name, "context": context})
    return merged


def _desk(bed: Testbed, clusters: dict[str, Cluster], folder: Path) -> Desk:
    for name in ("charts", "crds", "deploy"):
        (folder / name).symlink_to(ROOT / name)
    (folder / ".venv").symlink_to(Path(sys.executable).parents[1])
    demo = folder / "build" / "demo"
    demo.mkdir(parents=True)
    (demo / "kubectl").symlink_to(locate(print).kubectl)
    (demo / "helm").symlink_to(helm(print))
    (demo / "hub.kubeconfig").write_bytes(clusters["hub"].kubeconfig().read_bytes())
    (folder / "config").write_text(yaml.safe_dump(_contexts(clusters)))
    path = f"{demo}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    return Desk(folder, {**os.environ, **bed.environment, "PATH": path, "KUBECONFIG": str(folder / "config")})


def _start_hub(desk: Desk, script: str) -> "subprocess.Popen[bytes]":
    log = desk.folder / "hub.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["bash", "-euc", script],
            cwd=desk.folder,
            env=desk.environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    wait_for(lambda: "hub ready" in log.read_text() or process.poll() is not None, 30, "the hub to be ready")
    assert process.poll() is None, log.read_text()
    return process


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The hub installed and started as docs/hub.md says, and east added as docs/nodes.md says.

    No machine of the hub could run an image: its operator runs elsewhere, as the page has it too.
    """
    install, _without_a_release, elsewhere, start = page("docs/hub.md").blocks("bash")
    add, rights, kubeconfig, enter, *_ = page("docs/nodes.md").blocks("bash")
    with Testbed() as bed:
        clusters = bed.start(ClusterSpec("hub", scheduling=False), ClusterSpec("east", machines=MACHINES))
        desk = _desk(bed, clusters, tmp_path_factory.mktemp("desk"))
        desk.bash(install.splitlines()[0])
        desk.bash(elsewhere.replace("make install\n", ""))
        desk.bash(kubeconfig.replace("cluster=east", "cluster=hub"))
        hub = _start_hub(desk, start)
        try:
            desk.bash(rights)
            desk.bash(kubeconfig)
            assert "east" in desk.bash(enter)
            assert "computenode/east takes work" in desk.bash(add)  # over what was done by hand, which it finds right
            yield desk
        finally:
            os.killpg(hub.pid, signal.SIGTERM)
            hub.wait(20)


def test_the_job_of_the_readme_runs(desk: Desk) -> None:
    """The README's first job is Complete on a machine of the model it wants, by the README's own commands."""
    desk.namespace("team-vision")
    (first,) = [block for block in page("README.md").blocks("bash") if "kubectl apply" in block]
    assert "CompletionsReached" in desk.bash(first)
    assert desk.json("computejob/first -n team-vision")["status"]["done"] == "3/3"


def test_the_commands_about_jobs_run(desk: Desk) -> None:
    """The manifest of docs/jobs.md runs to Complete, and every command of the page works."""
    jobs = page("docs/jobs.md")
    (namespace,) = page("docs/hub.md").documents()
    desk.apply(namespace)
    (desk.folder / "train.yaml").write_text(jobs.blocks("yaml")[0])
    for block in jobs.blocks("bash"):
        desk.bash(block)
    status = desk.json("computejob/train -n team-a")["status"]
    assert (status["phase"], status["done"], status["nodes"]) == ("Succeeded", "4/4", "east")


def test_the_commands_about_bills_run(desk: Desk) -> None:
    """Statements and Settlements of docs/billing.md come out as the page says."""
    bills = page("docs/billing.md")
    desk.namespace("finance")
    for settlement in bills.documents():
        desk.apply(settlement)
        name, namespace = settlement["metadata"]["name"], settlement["metadata"]["namespace"]
        desk.bash(f"kubectl wait -n {namespace} settlement/{name} --for=condition=Current --timeout=30s")
    assert desk.json("settlement/november -n team-a")["status"]["account"] == "acme"
    for block in bills.blocks("bash"):
        desk.bash(block)
    header, *_ = (desk.folder / "east.csv").read_text().splitlines()
    assert tuple(header.split(",")) == COLUMNS


def test_cordon_and_removal(desk: Desk) -> None:
    """The node is cordoned, opened again and removed; what it said of machines of its own can be applied."""
    *_, cordon, forget = page("docs/nodes.md").blocks("bash")
    assert "computenode/east drained" in desk.bash(cordon)
    desk.bash(forget)
    (here,) = [d for d in page("docs/nodes.md").documents() if isinstance(d, dict) and d["metadata"]["name"] == "here"]
    desk.apply(here)
    desk.bash("kubectl delete computenode east here --timeout=60s")
