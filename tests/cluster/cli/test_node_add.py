import base64
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.cluster.cli.desk import SCRIPT, Desk

from federation import Federation, compute_job, job_spec
from testbed import ApiError, Cluster, ClusterSpec, Machine

PRICES = ("--core-second=0.00005", "--gibibyte-second=0.00001", "--gpu-second=0.002")
NODE_MADE = "hub: computenode/south of tier Region in region cn-south with identity CN-SOUTH-1 created"
NEW = ("--tier=Region", "--region=cn-south", "--code=CN-SOUTH-1", *PRICES)


@pytest.fixture(scope="module")
def south(fed: Federation) -> Cluster:
    """A cluster that nobody has prepared."""
    return fed.bed.start(ClusterSpec("south", machines=[Machine("s", "16", "64Gi")]))["south"]


@pytest.fixture(scope="module")
def old(fed: Federation) -> Cluster:
    """A cluster of before Kubernetes 1.36 in that it has no MutatingAdmissionPolicy."""
    return fed.bed.start(ClusterSpec("old", machines=[Machine("o", "16", "64Gi")], mutating_policies=False))["old"]


@pytest.fixture(scope="module")
def added(fed: Federation, desk: Desk, south: Cluster) -> Iterator[list[str]]:
    """What `node add` printed as it made south a member."""
    yield desk.good(
        "node", "add", "south", f"--kubeconfig={south.kubeconfig()}", *NEW, "--label=network=ib"
    ).splitlines()
    fed.hub.kubectl("delete", "cn", "south", "--timeout=60s")


def secret(fed: Federation, name: str) -> dict[str, Any]:
    """The kubeconfig in a Secret of the hub."""
    found = fed.hub.rest.get(f"/api/v1/namespaces/isthmus-system/secrets/{name}")
    document: dict[str, Any] = yaml.safe_load(base64.b64decode(found["data"]["kubeconfig"]))
    return document


def test_it_says_line_by_line_what_it_did(added: list[str]) -> None:
    """Each object that was made in the member and in the hub has its line, and the last says that it takes work."""
    assert "member south: serviceaccount/isthmus in isthmus-system created" in added
    assert "member south: validatingadmissionpolicy/isthmus-member created" in added
    assert "member south: mutatingadmissionpolicy/isthmus-index created" in added
    assert any(line.startswith("member south: secret/isthmus-token in isthmus-system created") for line in added)
    assert added[-3:-1] == ["hub: secret/south in isthmus-system created", NODE_MADE]
    assert added[-1] == "hub: computenode/south takes work"


def test_the_node_is_as_it_was_said(fed: Federation, added: list[str]) -> None:
    """Tier, region, identity, labels and prices are those of the command line."""
    assert added
    spec = fed.get("computenodes", "south")["spec"]
    assert (spec["tier"], spec["region"]["code"], spec["identity"]["code"]) == ("Region", "cn-south", "CN-SOUTH-1")
    assert spec["labels"] == {"network": "ib"}
    assert spec["tariff"]["prices"] == {
        "coreSecond": "0.00005",
        "gibibyteSecond": "0.00001",
        "gpuSecond": [{"model": "*", "price": "0.002"}],
    }


def test_work_runs_there(fed: Federation, added: list[str]) -> None:
    """A job that wants the new node's label is Complete on it."""
    assert added
    fed.hub.apply([compute_job("onsouth", job_spec(), placement={"nodeSelector": {"network": "ib"}})])
    assert fed.wait_job("onsouth")["status"]["nodes"] == "south"


def test_the_hub_can_do_there_what_it_must_and_no_more(
    fed: Federation, south: Cluster, added: list[str], tmp_path: Path
) -> None:
    """The token that the hub holds reads machines, but neither Secrets nor logs, and makes no namespaces but iwt-*."""
    assert added
    config = secret(fed, "south")
    assert list(config["users"][0]["user"]) == ["token"]
    path = tmp_path / "hub.kubeconfig"
    path.write_text(yaml.safe_dump(config))
    assert south.kubectl("get", "nodes", "-o", "name", kubeconfig=path) == "node/s\n"
    for what in ("secrets", "configmaps", "clusterroles", "pods --subresource=log"):
        said = south.kubectl("auth", "can-i", "get", *what.split(), "-A", kubeconfig=path, check=False)
        assert said.startswith("no"), what
    said = south.kubectl("create", "namespace", "mine", kubeconfig=path, check=False)
    assert "Isthmus makes no namespaces but iwt-*" in said


def test_run_again_it_changes_nothing(desk: Desk, south: Cluster, added: list[str]) -> None:
    """The same command a second time finds all of it as it should be."""
    assert added
    again = desk.good("node", "add", "south", f"--kubeconfig={south.kubeconfig()}", *NEW, "--label=network=ib")
    assert " created" not in again
    assert " configured" not in again
    assert "hub: computenode/south unchanged" in again.splitlines()


def test_run_again_with_less_it_leaves_the_rest(fed: Federation, desk: Desk, south: Cluster, added: list[str]) -> None:
    """A second run that names a new price alone changes that alone."""
    assert added
    before = fed.get("computenodes", "south")["spec"]
    said = desk.good(
        "node", "add", "south", f"--kubeconfig={south.kubeconfig()}", "--core-second=1", "--gibibyte-second=0"
    )
    assert "hub: computenode/south configured" in said
    after = fed.get("computenodes", "south")["spec"]
    assert after["tariff"]["prices"] == {"coreSecond": "1", "gibibyteSecond": "0"} | (
        {"gpuSecond": []} if "gpuSecond" in after["tariff"]["prices"] else {}
    )
    assert {key: value for key, value in after.items() if key != "tariff"} == {
        key: value for key, value in before.items() if key != "tariff"
    }


def test_a_second_run_mends_what_was_taken_away(desk: Desk, south: Cluster, added: list[str]) -> None:
    """A role that was deleted in the member is there again."""
    assert added
    south.kubectl("delete", "clusterrolebinding", "isthmus-member")
    said = desk.good("node", "add", "south", f"--kubeconfig={south.kubeconfig()}")
    assert "member south: clusterrolebinding/isthmus-member created" in said


def test_a_token_that_expires(fed: Federation, desk: Desk, south: Cluster, added: list[str]) -> None:
    """With --token-ttl the hub holds a token of a day, and the command says until when."""
    assert added
    before = secret(fed, "south")["users"][0]["user"]["token"]
    said = desk.good("node", "add", "south", f"--kubeconfig={south.kubeconfig()}", "--token-ttl=24h")
    assert "a token of serviceaccount/isthmus until " in said
    assert secret(fed, "south")["users"][0]["user"]["token"] != before
    fed.wait_condition("computenodes", "south", "Ready", "True")


def test_a_member_without_mutating_policies(fed: Federation, desk: Desk, old: Cluster) -> None:
    """Where the member serves no MutatingAdmissionPolicy it is left out, it is said so, and the node takes work."""
    said = desk.good("node", "add", "old", f"--kubeconfig={old.kubeconfig()}", "--tier=Edge", "--region=o", *PRICES)
    assert "MutatingAdmissionPolicy is not served" in said
    assert "mutatingadmissionpolicy/" not in said
    assert said.splitlines()[-1] == "hub: computenode/old takes work"
    fed.hub.kubectl("delete", "cn", "old", "--timeout=60s")


def test_dry_run_writes_nothing(fed: Federation, desk: Desk, old: Cluster) -> None:
    """With --dry-run each object is named and none is made."""
    before = old.kubectl("get", "sa,clusterrole,secret", "-A", "-o", "name")
    said = desk.good("node", "add", "dry", f"--kubeconfig={old.kubeconfig()}", "--tier=Edge", "--region=o", "--dry-run")
    assert said.splitlines()[-1] == "hub: computenode/dry would be created (dry run)"
    assert old.kubectl("get", "sa,clusterrole,secret", "-A", "-o", "name") == before
    with pytest.raises(ApiError, match="404"):
        fed.get("computenodes", "dry")


def _with_user(path: Path, cluster: Cluster, user: dict[str, Any]) -> Path:
    config = yaml.safe_load(cluster.kubeconfig().read_text())
    config["users"][0]["user"] = user
    path.write_text(yaml.safe_dump(config))
    return path


def test_a_plugin_that_is_not_there(desk: Desk, old: Cluster, tmp_path: Path) -> None:
    """A kubeconfig whose exec plugin is missing: one line that names the plugin and its hint; nothing is written."""
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "get-token-of-nowhere",
        "interactiveMode": "Never",
        "installHint": "Ask for get-token.",
    }
    path = _with_user(tmp_path / "plugin.kubeconfig", old, {"exec": plugin})
    said = desk.complaint("node", "add", "lost", f"--kubeconfig={path}", "--tier=Edge", "--region=o")
    assert said == (
        "error: member lost: the exec plugin 'get-token-of-nowhere' can't be started: No such file or directory "
        "(Ask for get-token.)"
    )


def test_a_plugin_that_works(fed: Federation, desk: Desk, old: Cluster, tmp_path: Path) -> None:
    """An administrator whose kubeconfig has an exec plugin can add the member; the hub gets no plugin."""
    token = old.kubectl("create", "token", "default", "-n", "kube-system").strip()
    old.kubectl(
        "create", "clusterrolebinding", "plug", "--clusterrole=cluster-admin", "--serviceaccount=kube-system:default"
    )
    version = "client.authentication.k8s.io/v1"
    answer = json.dumps({"apiVersion": version, "kind": "ExecCredential", "status": {"token": token}})
    plugin = {"apiVersion": version, "command": "echo", "args": [answer], "interactiveMode": "Never"}
    path = _with_user(tmp_path / "works.kubeconfig", old, {"exec": plugin})
    said = desk.good("node", "add", "plugged", f"--kubeconfig={path}", "--tier=Edge", "--region=o", *PRICES)
    assert said.splitlines()[-1] == "hub: computenode/plugged takes work"
    assert list(secret(fed, "plugged")["users"][0]["user"]) == ["token"]
    fed.hub.kubectl("delete", "cn", "plugged", "--timeout=60s")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(("bad",), "say which cluster it is", id="no cluster"),
        pytest.param(("bad", "--context=none"), "context 'none' is not in the kubeconfig", id="no context"),
        pytest.param(("bad", "--kubeconfig=/none"), "the kubeconfig /none is not there", id="no file"),
        pytest.param(("east.1", "--context=hub", "--tier=Edge", "--region=o"), "at most 50 characters", id="bad name"),
        pytest.param(("bad", "--context=hub", "--tier=Moon"), "'--tier'", id="bad tier"),
        pytest.param(
            ("bad", "--context=hub", "--tier=Edge", "--region=o", "--core-second=free", "--gibibyte-second=1"),
            "spec.tariff.prices.coreSecond",
            id="bad price",
        ),
        pytest.param(("bad", "--context=hub", "--tier=Edge", "--region=o"), "the hub's own cluster", id="hub"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_written(
    fed: Federation, desk: Desk, arguments: tuple[str, ...], words: str
) -> None:
    """Wrong options end with exit code 1 and words that name the mend, and no node is made."""
    done = desk("node", "add", *arguments)
    assert done.code == 1
    assert words in done.err.splitlines()[0]
    assert arguments[0] not in {node["metadata"]["name"] for node in fed.items("computenodes")}


def test_a_cluster_that_is_a_member_already(fed: Federation, desk: Desk) -> None:
    """A second node for a cluster that is a member is refused, and names the first."""
    kubeconfig = fed.clusters["east"].kubeconfig()
    said = desk.complaint("node", "add", "twice", f"--kubeconfig={kubeconfig}", "--tier=Edge", "--region=o")
    assert said == "error: this cluster is computenode/east already"


def test_without_rights_in_the_member(desk: Desk, old: Cluster) -> None:
    """A user of the member who may not make roles is told what the API server forbids."""
    said = desk.complaint(
        "node", "add", "weak", f"--kubeconfig={old.kubeconfig('nobody')}", "--tier=Edge", "--region=o"
    )
    assert said.startswith("error: member weak: ")
    assert "forbidden" in said


def test_the_hubs_own_cluster(fed: Federation, desk: Desk) -> None:
    """--local makes the node and nothing else: rights in the hub's own cluster are its release's to give and take."""
    kinds = "sa,clusterrole,clusterrolebinding,secret,validatingadmissionpolicy"
    before = fed.hub.kubectl("get", kinds, "-n", "isthmus-system", "-o", "name")
    said = desk.good("node", "add", "here", "--local", "--tier=Hub", "--region=o", "--timeout=0", *PRICES)
    assert said.splitlines()[0] == "hub: computenode/here of tier Hub in region o with identity here created"
    assert fed.get("computenodes", "here")["spec"]["access"] == {"local": {}}
    fed.hub.kubectl("delete", "cn", "here", "--timeout=60s")
    assert fed.hub.kubectl("get", kinds, "-n", "isthmus-system", "-o", "name") == before


def test_a_release_that_gives_no_rights_at_home(fed: Federation, desk: Desk) -> None:
    """--local names the chart's value where the hub's ServiceAccount lacks a member's rights, and is silent else."""
    add = ("node", "add", "home", "--local", "--tier=Hub", "--region=o", "--timeout=0", *PRICES)
    (account,) = fed.hub.kubectl(
        "get", "sa", "-n", "isthmus-system", "-l", "app.kubernetes.io/part-of=isthmus", "-o", "name"
    ).split()
    subject = f"--serviceaccount=isthmus-system:{account.removeprefix('serviceaccount/')}"
    try:
        assert "--set localMember.enabled=true" in desk.good(*add)
        fed.hub.kubectl("create", "clusterrole", "at-home", "--verb=create", "--resource=jobs.batch")
        fed.hub.kubectl("create", "clusterrolebinding", "at-home", "--clusterrole=at-home", subject)
        assert desk.good(*add) == "hub: computenode/home unchanged\n"
    finally:
        fed.hub.kubectl("delete", "clusterrole,clusterrolebinding", "at-home", "--ignore-not-found")
        fed.hub.kubectl("delete", "cn", "home", "--ignore-not-found", "--timeout=60s")


def _unchecked(path: Path, cluster: Cluster) -> Path:
    """A kubeconfig of the cluster's administrator that does not check its certificate."""
    config = yaml.safe_load(cluster.kubeconfig().read_text())
    there = config["clusters"][0]["cluster"]
    del there["certificate-authority-data"]
    there["insecure-skip-tls-verify"] = True
    path.write_text(yaml.safe_dump(config))
    return path


def test_a_certificate_that_is_not_checked(fed: Federation, desk: Desk, old: Cluster, tmp_path: Path) -> None:
    """That the administrator checks no certificate is not handed to the hub unless it is said; nothing is written."""
    before = old.kubectl("get", "sa,clusterrole,secret", "-A", "-o", "name")
    add = ("node", "add", "open", f"--kubeconfig={_unchecked(tmp_path / 'open', old)}", "--tier=Edge", "--region=o")
    said = desk.complaint(*add)
    assert "--certificate-authority FILE, or --insecure-skip-tls-verify" in said
    assert old.kubectl("get", "sa,clusterrole,secret", "-A", "-o", "name") == before

    authority = tmp_path / "ca.crt"
    there = yaml.safe_load(old.kubeconfig().read_text())["clusters"][0]["cluster"]
    authority.write_bytes(base64.b64decode(there["certificate-authority-data"]))
    desk.good(*add, f"--certificate-authority={authority}", "--timeout=0")
    (cluster,) = secret(fed, "open")["clusters"]
    assert "insecure-skip-tls-verify" not in cluster["cluster"]
    assert base64.b64decode(cluster["cluster"]["certificate-authority-data"]) == authority.read_bytes()

    desk.good(*add, "--insecure-skip-tls-verify", "--timeout=0")
    (cluster,) = secret(fed, "open")["clusters"]
    assert cluster["cluster"]["insecure-skip-tls-verify"] is True
    fed.hub.kubectl("delete", "cn", "open", "--timeout=60s")


def test_a_system_namespace_that_is_not_there(desk: Desk, old: Cluster) -> None:
    """It is told before anything is written in the member."""
    before = old.kubectl("get", "sa,clusterrole,secret", "-A", "-o", "name")
    said = desk.complaint(
        "node", "add", "astray", f"--kubeconfig={old.kubeconfig()}", "--tier=Edge", "--system-namespace=elsewhere"
    )
    assert said == (
        "error: hub: the namespace elsewhere is not there; install the hub first, or give its --system-namespace"
    )
    assert old.kubectl("get", "sa,clusterrole,secret", "-A", "-o", "name") == before


def test_kubectl_finds_the_plugin(fed: Federation, desk: Desk) -> None:
    """`kubectl isthmus get nodes` runs the plugin from PATH."""
    kubectl = fed.hub._plane.kubectl
    path = f"{SCRIPT.parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [str(kubectl), "isthmus", "get", "nodes", "east", "-o", "name"],
        env=desk.env(PATH=path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "computenode.isthmus.dev/east\n")
