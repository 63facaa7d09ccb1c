"""What a kubelet makes of a Deployment, made of one for a process of this machine."""

import base64
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from federation.environment import expanded
from federation.hubpod import HubPod
from testbed import Cluster

OBJECTS: dict[str, Any] = {
    "configmaps/table": {"kind": "ConfigMap", "data": {"accelerators.yaml": "[]\n", "other": "x"}},
    "configmaps/more": {"kind": "ConfigMap", "data": {"A": "from a map", "B": "kept"}},
    "secrets/ledger": {"kind": "Secret", "data": {"url": base64.b64encode(b"sqlite:////data/l.db").decode()}},
    "persistentvolumeclaims/mine": {"kind": "PersistentVolumeClaim"},
    "serviceaccounts/hub": {"kind": "ServiceAccount"},
    "serviceaccounts/mute": {"kind": "ServiceAccount", "automountServiceAccountToken": False},
}
PORTS = {"http": 23001, "query": 23002}


class Api:
    """The objects, by the paths at which an API server has them."""

    def get(self, path: str) -> dict[str, Any]:
        """One of them."""
        return cast("dict[str, Any]", OBJECTS["/".join(path.split("/")[-2:])])


def cluster() -> Cluster:
    """As much of one as a pod is read from."""
    found = SimpleNamespace(
        rest=Api(), server="https://127.0.0.1:23000", token_kubeconfig=lambda *who: Path("/k", *who)
    )
    return cast("Cluster", found)


def deployment(container: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """A Deployment with this container."""
    whole = {
        "command": ["isthmus"],
        "args": ["hub"],
        "image": "isthmus:1",
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": "http"}, "timeoutSeconds": 5},
        **container,
    }
    pod = {"serviceAccountName": "hub", "terminationGracePeriodSeconds": 30, "containers": [whole], **spec}
    template = {"metadata": {"labels": {"app": "hub"}, "annotations": {"note": "n"}}, "spec": pod}
    return {"metadata": {"name": "hub", "namespace": "system", "generation": 3}, "spec": {"template": template}}


def pod(tmp_path: Path, container: dict[str, Any], **spec: Any) -> HubPod:
    """Its pod."""
    return HubPod(cluster(), deployment(container, **spec), tmp_path, PORTS)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("--a=$(A)", "--a=1"),
        ("$(A)$(B)", "12"),
        ("$(C)", "$(C)"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$1"),
        ("$A", "$A"),
        ("100$", "100$"),
        ("$()", "$()"),
    ],
)
def test_references_are_expanded(text: str, value: str) -> None:
    """References are replaced as Kubernetes says, unknown ones and escaped ones are left."""
    assert expanded(text, {"A": "1", "B": "2"}) == value


def test_variables(tmp_path: Path) -> None:
    """Variables come from maps, Secrets, fields of the pod and each other; a later one wins."""
    env = [
        {"name": "A", "value": "own, with $(KUBERNETES_SERVICE_HOST)"},
        {"name": "URL", "valueFrom": {"secretKeyRef": {"name": "ledger", "key": "url"}}},
        {"name": "NONE", "valueFrom": {"configMapKeyRef": {"name": "more", "key": "C", "optional": True}}},
        {"name": "SPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
        {"name": "NOTE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.annotations['note']"}}},
        {"name": "ACCOUNT", "valueFrom": {"fieldRef": {"fieldPath": "spec.serviceAccountName"}}},
        {"name": "TWICE", "value": "$(SPACE)-$(SPACE)"},
    ]
    found = pod(tmp_path, {"env": env, "envFrom": [{"configMapRef": {"name": "more"}}]}).environment
    assert "NONE" not in found
    wanted = {
        "A": "own, with 127.0.0.1",
        "B": "kept",
        "URL": "sqlite:////data/l.db",
        "SPACE": "system",
        "NOTE": "n",
        "ACCOUNT": "hub",
        "TWICE": "system-system",
        "KUBECONFIG": "/k/system/hub",
    }
    assert wanted.items() <= found.items()


def test_paths_and_addresses_are_those_of_this_machine(tmp_path: Path) -> None:
    """Arguments name folders and ports of this machine, and files are there with what the ConfigMap holds."""
    mounts = [("table", "/etc/isthmus"), ("ledger", "/var/lib/isthmus"), ("tmp", "/tmp")]  # noqa: S108 - in the pod
    args = [
        "hub",
        "--ledger=sqlite:////var/lib/isthmus/ledger.db",
        "--accelerators=/etc/isthmus/accelerators.yaml",
        "--other=/opt/etc/isthmus,/etc/isthmus.d",
        "--http-address=:8080",
        "--other-address=0.0.0.0:8080",
        "--image=registry:8080",
    ]
    made = pod(
        tmp_path,
        {"args": args, "volumeMounts": [{"name": name, "mountPath": path} for name, path in mounts]},
        volumes=[
            {"name": "table", "configMap": {"name": "table"}},
            {"name": "ledger", "persistentVolumeClaim": {"claimName": "mine"}},
            {"name": "tmp", "emptyDir": {}},
        ],
    )
    assert made.command == [
        str(Path(sys.executable).with_name("isthmus")),
        "hub",
        f"--ledger=sqlite:///{tmp_path}/claims/mine/ledger.db",
        f"--accelerators={tmp_path}/hub-3/table/accelerators.yaml",
        "--other=/opt/etc/isthmus,/etc/isthmus.d",
        "--http-address=127.0.0.1:23001",
        "--other-address=127.0.0.1:23001",
        "--image=registry:8080",
    ]
    assert made.ledger == f"sqlite:///{tmp_path}/claims/mine/ledger.db"
    assert {path.name: path.read_text() for path in (tmp_path / "hub-3" / "table").iterdir()} == {
        "accelerators.yaml": "[]\n",
        "other": "x",
    }
    assert made.environment["TMPDIR"] == f"{tmp_path}/hub-3/tmp"
    assert made.probe("readiness") == ("http://127.0.0.1:23001/readyz", 5)


def test_ledger_by_a_secret(tmp_path: Path) -> None:
    """A ledger that no argument names is the variable's."""
    env = [{"name": "ISTHMUS_LEDGER", "valueFrom": {"secretKeyRef": {"name": "ledger", "key": "url"}}}]
    assert pod(tmp_path, {"env": env}).ledger == "sqlite:////data/l.db"


@pytest.mark.parametrize(
    "spec", [{"automountServiceAccountToken": False}, {"serviceAccountName": "mute"}], ids=["pod", "account"]
)
def test_without_a_token(tmp_path: Path, spec: dict[str, Any]) -> None:
    """Where no token would be mounted there is no identity."""
    assert "KUBECONFIG" not in pod(tmp_path, {}, **spec).environment


@pytest.mark.parametrize(
    ("container", "spec", "words"),
    [
        ({"args": ["--query-address=:8443"]}, {}, "the container has no port 8443"),
        ({"env": [{"name": "N", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}]}, {}, "spec.nodeName"),
        ({}, {"volumes": [{"name": "host", "hostPath": {"path": "/"}}]}, "volume host is of a kind"),
        (
            {"env": [{"name": "X", "valueFrom": {"secretKeyRef": {"name": "ledger", "key": "no"}}}]},
            {},
            "secrets ledger has no key no",
        ),
    ],
    ids=["port", "field", "volume", "key"],
)
def test_what_this_machine_can_not_do_is_told(
    tmp_path: Path, container: dict[str, Any], spec: dict[str, Any], words: str
) -> None:
    """What a kubelet would do and nothing here does fails, instead of being left out."""
    with pytest.raises(ValueError, match=words):
        pod(tmp_path, container, **spec)


def test_a_claim_is_kept_and_a_scratch_folder_is_not(tmp_path: Path) -> None:
    """The pod of a later generation has the claim's files, and an empty scratch folder."""
    volumes = [
        {"name": "ledger", "persistentVolumeClaim": {"claimName": "mine"}},
        {"name": "tmp", "emptyDir": {}},
    ]
    mounts = [{"name": "ledger", "mountPath": "/l"}, {"name": "tmp", "mountPath": "/t"}]
    before = deployment({"args": ["/l", "/t"], "volumeMounts": mounts}, volumes=volumes)
    first = HubPod(cluster(), before, tmp_path, PORTS)
    after = {**before, "metadata": {**before["metadata"], "generation": 4}}
    second = HubPod(cluster(), after, tmp_path, PORTS)
    assert first.command[1] == second.command[1]
    assert first.command[2] != second.command[2]
