"""The commands of docs/, run word for word against a hub that they install and a member that they add."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator

import pytest
from tests.cluster.docs.desk import Desk, checkout
from tests.unit.docs.execution import commands_pages, in_order, in_playground, runnable
from tests.unit.docs.pages import ROOT, page

from federation import gpu_machine
from federation.contexts import contexts
from isthmus.settlement.csvfile import COLUMNS
from testbed import ClusterSpec, Testbed, wait_for
from testbed.binaries import helm, locate

MACHINES = [gpu_machine("a100", "NVIDIA-A100-SXM4-40GB", 4), gpu_machine("t4", "Tesla-T4", 4)]
INSTALLING = ("docs/hub.md", "docs/add-a-member.md")
ORDER = in_order(
    [each for each in commands_pages() if not in_playground(each)],
    first=[*INSTALLING, "docs/gpus.md", "docs/jobs.md", "docs/billing.md"],
    last=["docs/nodes.md", "docs/upgrade.md"],
)


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
    wait_for(lambda: "hub ready" in log.read_text() or process.poll() is not None, 60, "the hub to be ready")
    assert process.poll() is None, log.read_text()
    return process


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The hub installed and started as docs/hub.md says; contexts hub and east, which is no member yet.

    No machine of the hub could run an image: its operator runs elsewhere, as the page has it too.
    """
    *install, (start, _) = runnable(page("docs/hub.md"))
    (kubeconfig,) = [script for script, _ in runnable(page("docs/add-a-member.md")) if "cluster=east" in script]
    with Testbed() as bed:
        clusters = bed.start(ClusterSpec("hub", scheduling=False), ClusterSpec("east", machines=MACHINES))
        folder = checkout(tmp_path_factory.mktemp("desk"))
        (folder / "bin").mkdir()
        for program in (locate(print).kubectl, helm(print)):
            (folder / "bin" / program.name).symlink_to(program)
        (folder / "config").write_text(contexts(clusters))
        path = f"{folder}/bin:{ROOT}/.venv/bin:{os.environ['PATH']}"
        environment = {**os.environ, **bed.environment, "PATH": path, "KUBECONFIG": str(folder / "config")}
        desk = Desk(folder, environment)
        for script, _ in install:
            desk.bash(script)
        desk.bash(kubeconfig.replace("cluster=east", "cluster=hub"))
        hub = _start_hub(desk, start)
        try:
            yield desk
        finally:
            os.killpg(hub.pid, signal.SIGTERM)
            hub.wait(20)


def _before_jobs(desk: Desk) -> None:
    (namespace,) = page("docs/hub.md").documents()
    desk.apply(namespace)
    (desk.folder / "train.yaml").write_text(page("docs/jobs.md").blocks("yaml")[0])


def _before_bills(desk: Desk) -> None:
    desk.namespace("finance")
    for settlement in page("docs/billing.md").documents():
        desk.apply(settlement)
        name, namespace = settlement["metadata"]["name"], settlement["metadata"]["namespace"]
        desk.bash(f"kubectl wait -n {namespace} settlement/{name} --for=condition=Current --timeout=30s")


def _before_removal(desk: Desk) -> None:
    """Machines of the hub's own are a node too; of no use here, but its manifest is taken, and it can be deleted."""
    documents = [each for each in page("docs/nodes.md").documents() if isinstance(each, dict)]
    (here,) = [each for each in documents if each["metadata"]["name"] == "here"]
    desk.apply(here)
    desk.bash("kubectl delete computenode here --timeout=60s")


def _after_member(desk: Desk, _told: str) -> None:
    """East takes work, by the identity that either way gives it."""
    spec = desk.json("computenode/east")["spec"]
    assert (spec["identity"]["code"], spec["region"]["displayName"]) == ("CN-EAST-1", "Suzhou")


def _after_accelerators(_desk: Desk, told: str) -> None:
    """The page's last command tells of both models."""
    assert sorted(told.splitlines()) == ["NVIDIA NVIDIA-A100-SXM4-40GB 4 (4 free)", "NVIDIA Tesla-T4 4 (4 free)"]


def _after_jobs(desk: Desk, _told: str) -> None:
    """The manifest of the page has run to Complete."""
    status = desk.json("computejob/train -n team-a")["status"]
    assert (status["phase"], status["done"], status["nodes"]) == ("Succeeded", "4/4", "east")


def _after_bills(desk: Desk, _told: str) -> None:
    """Statements and Settlements come out as the page says."""
    assert desk.json("settlement/november -n team-a")["status"]["account"] == "acme"
    header, *_ = (desk.folder / "east.csv").read_text().splitlines()
    assert tuple(header.split(",")) == COLUMNS


def _after_uninstall(desk: Desk, _told: str) -> None:
    """Nothing of ours is left, neither in the hub nor in the member."""
    for context in ("hub", "east"):
        kinds = desk.bash(f"kubectl --context {context} api-resources --api-group=isthmus.dev -o name")
        assert kinds == ""
        names = desk.bash(f"kubectl --context {context} get namespaces -o name")
        assert [name for name in names.splitlines() if "isthmus" in name or "iwt-" in name] == []


BEFORE: dict[str, Callable[[Desk], None]] = {
    "docs/jobs.md": _before_jobs,
    "docs/billing.md": _before_bills,
    "docs/nodes.md": _before_removal,
}
AFTER: dict[str, Callable[[Desk, str], None]] = {
    "docs/add-a-member.md": _after_member,
    "docs/gpus.md": _after_accelerators,
    "docs/jobs.md": _after_jobs,
    "docs/billing.md": _after_bills,
    "docs/upgrade.md": _after_uninstall,
}


@pytest.mark.parametrize("name", [each.name for each in ORDER if each.name != "docs/hub.md"])
def test_the_commands_of_a_page_run(desk: Desk, name: str) -> None:
    """Every command of the page works, in the order of the page, and leads to what the page says."""
    if name in BEFORE:
        BEFORE[name](desk)
    told = desk.run(page(name))
    if name in AFTER:
        AFTER[name](desk, told)
