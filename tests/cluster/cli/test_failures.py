import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.cluster.cli.desk import Desk

from federation import Federation

COMMANDS = [
    ("get", "nodes"),
    ("get", "jobs", "-o", "json"),
    ("describe", "job", "x"),
    ("explain", "x"),
    ("top",),
    ("submit", "img", "--gpus=1"),
    ("logs", "x"),
    ("node", "cordon", "x"),
    ("node", "drain", "x"),
    ("node", "forget", "x"),
    ("node", "add", "x", "--local", "--tier=Hub", "--region=x"),
]
IDS = [" ".join(command[:2]) for command in COMMANDS]


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    listener = socket.create_server(("127.0.0.1", 0))
    kept: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                kept.append(listener.accept()[0])
            except OSError:
                return

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield int(listener.getsockname()[1])
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()
    for each in kept:
        each.close()


@pytest.mark.parametrize("command", COMMANDS, ids=IDS)
def test_no_cluster_reachable(desk: Desk, closed_port: int, command: tuple[str, ...]) -> None:
    """One clear line with the address, and exit code 1."""
    said = desk.complaint(f"--server=https://127.0.0.1:{closed_port}", *command)
    assert said.startswith("error: ")
    assert f"127.0.0.1:{closed_port}" in said


@pytest.mark.parametrize("command", COMMANDS, ids=IDS)
def test_no_kubeconfig(desk: Desk, tmp_path: Path, command: tuple[str, ...]) -> None:
    """One line that says which file is missing."""
    said = desk.complaint(*command, KUBECONFIG=str(tmp_path / "none"), KUBERNETES_SERVICE_HOST="")
    assert str(tmp_path / "none") in said


@pytest.mark.parametrize("command", COMMANDS, ids=IDS)
def test_unknown_to_the_cluster(desk: Desk, command: tuple[str, ...]) -> None:
    """A token that the cluster does not know is told as such."""
    config = desk.kubeconfig.parent / "wrong.kubeconfig"
    document = yaml.safe_load(desk.kubeconfig.read_text())
    document["users"][0]["user"] = {"token": "wrong"}
    config.write_text(yaml.safe_dump(document))
    said = desk.complaint(*command, KUBECONFIG=str(config))
    assert "Unauthorized" in said


def test_a_server_that_never_answers(desk: Desk, silent: int) -> None:
    """--request-timeout bounds the wait."""
    said = desk.complaint(f"--server=http://127.0.0.1:{silent}", "get", "jobs", "--request-timeout=1s")
    assert "did not answer in time" in said


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("get", "nodes"), "cannot list resource"),
        (("get", "jobs", "-A"), "cannot list resource"),
        (("get", "jobs", "-n", "team-b"), "cannot list resource"),
        (("describe", "node", "east"), "cannot get resource"),
        (("node", "cordon", "east"), "cannot get resource"),
        (("node", "forget", "east", "--yes"), "cannot get resource"),
    ],
)
def test_without_the_right(tenant: Desk, command: tuple[str, ...], words: str) -> None:
    """What RBAC forbids is told in the API server's own words, with exit code 1."""
    said = tenant.complaint(*command)
    assert said.startswith("Error from server (Forbidden): ")
    assert words in said


def test_acting_as_another(desk: Desk, tenant: Desk) -> None:
    """--as asks with that user's rights."""
    assert tenant
    assert "Forbidden" in desk.complaint("get", "nodes", "--as=ann")
    assert "east" in desk.good("get", "nodes", "--as=root", "--as-group=system:masters")


def test_several_kubeconfigs(desk: Desk, fed: Federation, tmp_path: Path) -> None:
    """KUBECONFIG may list several files, and --context chooses among all their contexts."""
    config = yaml.safe_load(fed.clusters["east"].kubeconfig().read_text())
    config["users"][0]["name"] = config["contexts"][0]["context"]["user"] = "of-east"
    east = tmp_path / "east"
    east.write_text(yaml.safe_dump(config))
    both = f"{east}:{tmp_path / 'none'}:{desk.kubeconfig}"
    assert "does not serve that API" in desk.complaint("get", "nodes", KUBECONFIG=both)
    assert "east" in desk.good("get", "nodes", "--context=hub", KUBECONFIG=both)
    assert "east" in desk.good("--context=hub", "get", "nodes", KUBECONFIG=both)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("gte", "jobs"), "No such command 'gte'"),
        (("get",), "Missing argument 'KIND'"),
        (("get", "pods"), "there is no kind 'pods' here; write nodes or jobs"),
        (("get", "jobs", "--wide"), "No such option: --wide"),
        (("get", "jobs", "-o", "xml"), "'xml'"),
        (("get", "jobs", "a", "-l", "x=y"), "exclude each other"),
        (("get", "jobs", "-w", "-o", "json"), "--watch goes with"),
        (("describe", "job"), "which computejob?"),
        (("get", "jobs", "--request-timeout=soon"), "--request-timeout 'soon'"),
        (("get", "[red]x[/red]"), "there is no kind"),
    ],
)
def test_wrong_usage(desk: Desk, arguments: tuple[str, ...], words: str) -> None:
    """One line says what is wrong, and the exit code is 1 as with kubectl."""
    done = desk(*arguments)
    assert done.code == 1
    assert words in done.err.splitlines()[0]
    assert done.err.startswith("error: ")


def test_help_and_completion_need_no_cluster(desk: Desk) -> None:
    """Help, completion scripts and kubectl's completion come without a kubeconfig."""
    assert "Show nodes or jobs" in desk.good("get", "-h", KUBECONFIG="/none")
    for shell in ("bash", "zsh", "fish"):
        assert "kubectl-isthmus" in desk.good("completion", shell, KUBECONFIG="/none")
