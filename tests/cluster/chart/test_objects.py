"""The rendered objects, held before a real API server."""

import copy
import json
from functools import partial
from typing import Any

import pytest
from tests.cluster.chart.options import EVERYTHING

from federation.chart import NAMESPACE, one, render
from isthmus.api.names import SYSTEM_NAMESPACE
from testbed import Cluster, KubectlError, wait_for

RESTRICTED = "restricted"
# Just enough of the Prometheus operator's definition that an API server serves the kind.
_MONITORS = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "servicemonitors.monitoring.coreos.com"},
    "spec": {
        "group": "monitoring.coreos.com",
        "scope": "Namespaced",
        "names": {"kind": "ServiceMonitor", "plural": "servicemonitors"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}
POLICIES = ("ValidatingAdmissionPolicy", "MutatingAdmissionPolicy")
OPTIONS = ("--api-versions=admissionregistration.k8s.io/v1/MutatingAdmissionPolicy",)


@pytest.fixture(scope="module")
def ready(cluster: Cluster) -> Cluster:
    """The release's namespace, one where PodSecurity is at its strictest, and the kind ServiceMonitor."""
    labels = {f"pod-security.kubernetes.io/{mode}": RESTRICTED for mode in ("enforce", "warn")}
    cluster.apply(
        [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": RESTRICTED, "labels": labels}},
            _MONITORS,
        ]
    )
    cluster.kubectl("wait", "--for=condition=Established", "crd/servicemonitors.monitoring.coreos.com")
    for namespace in (NAMESPACE, RESTRICTED):
        for account in ("isthmus", "isthmus-test"):
            cluster.kubectl("create", "serviceaccount", account, f"--namespace={namespace}")
    return cluster


def objects(values: dict[str, Any]) -> list[dict[str, Any]]:
    """All objects of a release, hooks too."""
    return render(values, *OPTIONS)


ALL = objects(EVERYTHING)
OTHERS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "url": {"ledger": {"url": "postgresql+psycopg://user:password@host/database"}},
    "elsewhere": {"replicas": 0, "query": {"service": {"externalName": "localhost", "port": 8443}}},
}
CASES = {f"{obj['kind']}-{obj['metadata']['name']}": obj for obj in ALL} | {
    f"{name}-{obj['kind']}-{obj['metadata']['name']}": obj
    for name, values in OTHERS.items()
    for obj in objects(values)
    if obj not in ALL
}


@pytest.mark.parametrize("obj", CASES.values(), ids=CASES.keys())
def test_object_is_valid(ready: Cluster, obj: dict[str, Any]) -> None:
    """With every option on, and in each variant, the API server takes each object as it is, strictly."""
    command = ["apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-"]
    if "namespace" not in obj["metadata"]:
        command.append(f"--namespace={NAMESPACE}")
    assert "serverside-applied" in ready.kubectl(*command, input=json.dumps(obj))


def checked(cluster: Cluster, name: str) -> dict[str, Any]:
    """The status of a ValidatingAdmissionPolicy whose expressions have been type-checked; empty before that."""
    path = f"/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/{name}"
    status: dict[str, Any] = cluster.get_json(path).get("status", {})
    return status if "typeChecking" in status else {}


def test_policies_are_well_typed(ready: Cluster) -> None:
    """Every expression of the admission policies type-checks against the kinds that it is asked about."""
    policies = [obj for obj in ALL if obj["kind"] in POLICIES]
    assert {obj["kind"] for obj in policies} == set(POLICIES)
    ready.apply(policies)
    for policy in policies:
        if policy["kind"] != "ValidatingAdmissionPolicy":
            continue
        name = policy["metadata"]["name"]
        status = wait_for(partial(checked, ready, name), 30, f"{name} to be checked")
        assert status["typeChecking"] == {}


def pods(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The pods of a release, as they would be in the strict namespace."""
    found = objects(values)
    template, test = one(found, "Deployment")["spec"]["template"], one(found, "Pod")
    return {
        name: {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": RESTRICTED, "labels": pod["metadata"]["labels"]},
            "spec": pod["spec"],
        }
        for name, pod in (("hub", template), ("test", test))
    }


@pytest.mark.parametrize("name", ["hub", "test"])
@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["defaults", "everything"])
def test_pod_is_taken_where_security_is_strictest(ready: Cluster, values: dict[str, Any], name: str) -> None:
    """A namespace with PodSecurity `restricted` takes the hub's pod and that of `helm test`, without a warning."""
    pod = pods(values)[name]
    ready.kubectl("create", "--validate=strict", "--warnings-as-errors", "-f", "-", input=json.dumps(pod))
    ready.kubectl("delete", "pod", name, f"--namespace={RESTRICTED}", "--now")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("securityContext", "runAsNonRoot"), False),
        (("securityContext", "seccompProfile"), {"type": "Unconfined"}),
        (("containers", 0, "securityContext", "capabilities"), {}),
        (("containers", 0, "securityContext", "allowPrivilegeEscalation"), True),
    ],
    ids=str,
)
def test_the_strict_namespace_is_strict(ready: Cluster, path: tuple[str | int, ...], value: Any) -> None:
    """The same pod with one setting less is refused there: the test above can fail."""
    pod = copy.deepcopy(pods({})["hub"])
    place: Any = pod["spec"]
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(KubectlError, match="violates PodSecurity"):
        ready.kubectl("create", "-f", "-", input=json.dumps(pod))


@pytest.mark.parametrize("name", ["hub", "test"])
def test_containers_are_confined(name: str) -> None:
    """Beyond what `restricted` asks: a numeric user, a root filesystem that can't be written, and a place to write."""
    spec = pods({})[name]["spec"]
    assert spec["securityContext"]["runAsUser"] > 0
    for container in spec["containers"]:
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert "/tmp" in {mount["mountPath"] for mount in container["volumeMounts"]}  # noqa: S108 - in the container
    assert "hostNetwork" not in spec


def test_probes_and_ports_belong_together() -> None:
    """Each probe and each Service's port is one of the container's, by its name."""
    found = objects({})
    (hub,) = one(found, "Deployment")["spec"]["template"]["spec"]["containers"]
    names = {port["name"]: port["containerPort"] for port in hub["ports"]}
    assert names == {"http": 8080, "query": 8443}
    assert {hub[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness")} == {"/healthz"}
    assert hub["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert {hub[f"{kind}Probe"]["httpGet"]["port"] for kind in ("startup", "liveness", "readiness")} == {"http"}
    services = [obj for obj in found if obj["kind"] == "Service"]
    assert {port["targetPort"] for service in services for port in service["spec"]["ports"]} == {"http", "query"}
    labels = one(found, "Deployment")["spec"]["template"]["metadata"]["labels"]
    tested = one(found, "Pod")["metadata"]["labels"]
    for service in services:
        selector = service["spec"]["selector"].items()
        assert selector <= labels.items()
        assert not selector <= tested.items()


def test_default_namespace_is_the_hubs() -> None:
    """What the docs call the hub's namespace is the one that the hub takes by itself."""
    assert NAMESPACE == SYSTEM_NAMESPACE
