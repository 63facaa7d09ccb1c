"""A tenant with an editor's role, by a real token: all with its own ComputeJobs, nothing with what is others'."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.cluster.api.caller import Caller
from tests.cluster.api.manifests import manifest

from testbed import Cluster, wait_for

HERE, ELSEWHERE, SYSTEM, NODE = "tenant", "tenants-neighbour", "isthmus-system", "isthmus-node-east"
OURS = "/apis/isthmus.dev/v1alpha1"
QUERY = "/apis/query.isthmus.dev/v1alpha1"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
ROLES = ("edit", "isthmus-editor")
CHANGE: dict[str, Any] = {"metadata": {"labels": {"changed": "yes"}}}


def job(name: str, namespace: str = HERE) -> dict[str, Any]:
    """A ComputeJob."""
    return manifest("ComputeJob", {"metadata.namespace": namespace}, name=name)


@dataclass(frozen=True)
class Call:
    """A request; `path` begins at the group of ours where it has no slash in front."""

    method: str
    path: str
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """For the test's id."""
        return " ".join([self.method, self.path, *self.headers])

    def by(self, caller: Caller) -> tuple[int, str]:
        """What it is answered."""
        path = self.path if self.path.startswith("/") else f"{OURS}/{self.path}"
        return caller.call(self.method, path, self.body, self.headers)


def every(collection: str, name: str, body: dict[str, Any]) -> list[Call]:
    """All that can be done with objects of a collection."""
    one = f"{collection}/{name}"
    return [
        Call("GET", collection),
        Call("GET", f"{collection}?watch=true&timeoutSeconds=1"),
        Call("GET", one),
        Call("POST", collection, body),
        Call("PATCH", one, CHANGE),
        Call("APPLY", f"{one}?fieldManager=tenant", body),
        Call("PUT", one, body),
        Call("DELETE", one),
        Call("DELETE", collection),
    ]


DISPATCH = manifest("Dispatch", {"metadata.namespace": NODE}, name="theirs")
SETTLEMENT = manifest("Settlement", {"metadata.namespace": HERE}, name="bill")
SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "east"}, "stringData": {"kubeconfig": "x"}}
BINDING = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "RoleBinding",
    "metadata": {"name": "more"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "isthmus-finance"},
    "subjects": [{"kind": "ServiceAccount", "name": "edit", "namespace": HERE}],
}
HUB = {"Impersonate-User": f"system:serviceaccount:{SYSTEM}:isthmus"}
REFUSED = [
    *every(f"namespaces/{ELSEWHERE}/computejobs", "theirs", job("theirs", ELSEWHERE)),
    Call("GET", "computejobs"),
    Call("GET", "computejobs?watch=true&timeoutSeconds=1"),
    *(Call("GET", f"{QUERY}/namespaces/{ELSEWHERE}/computejobs/theirs/{what}") for what in ("explanation", "log")),
    Call("GET", f"namespaces/{ELSEWHERE}/settlements"),
    *every("computenodes", "east", manifest("ComputeNode", name="east")),
    Call("PATCH", "computenodes/east/status", {"status": {}}),
    *every(f"namespaces/{NODE}/dispatches", "theirs", DISPATCH),
    Call("PATCH", f"namespaces/{NODE}/dispatches/theirs/status", {"status": {"state": "Succeeded"}}),
    Call("GET", "dispatches"),
    Call("GET", f"namespaces/{HERE}/dispatches"),
    Call("POST", f"namespaces/{HERE}/dispatches", manifest("Dispatch", {"metadata.namespace": HERE}, name="mine")),
    *every(f"/api/v1/namespaces/{SYSTEM}/secrets", "east", SECRET),
    *every(f"/api/v1/namespaces/{ELSEWHERE}/secrets", "east", SECRET),
    Call("GET", "/api/v1/secrets"),
    # Its own, but not for it to say: what became of the work, and what it costs.
    Call("PATCH", f"namespaces/{HERE}/computejobs/kept/status", {"status": {"phase": "Succeeded"}}),
    Call("PUT", f"namespaces/{HERE}/computejobs/kept/status", job("kept")),
    Call("POST", f"namespaces/{HERE}/settlements", SETTLEMENT),
    Call("PATCH", f"namespaces/{HERE}/settlements/bill", CHANGE),
    Call("DELETE", f"namespaces/{HERE}/settlements/bill"),
    Call("PATCH", f"/api/v1/namespaces/{HERE}", {"metadata": {"labels": {"isthmus.dev/account": "theirs"}}}),
    # Ways to get more.
    Call("POST", f"{RBAC}/namespaces/{HERE}/rolebindings", BINDING),
    Call("PATCH", f"{RBAC}/clusterroles/isthmus-editor", {"rules": []}),
    Call("POST", f"/api/v1/namespaces/{SYSTEM}/serviceaccounts/isthmus/token", {"spec": {}}),
    Call("GET", "computenodes", headers=HUB),
    Call("GET", f"/api/v1/namespaces/{SYSTEM}/configmaps"),
    Call("PATCH", f"/apis/apps/v1/namespaces/{SYSTEM}/deployments/isthmus", {"spec": {"replicas": 0}}),
    Call("DELETE", "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/isthmus-hub"),
    Call("DELETE", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/computejobs.isthmus.dev"),
    Call("GET", "/api/v1/nodes"),
]
OTHERS = [
    f"{OURS}/namespaces/{ELSEWHERE}/computejobs",
    f"{OURS}/computenodes",
    f"{OURS}/namespaces/{NODE}/dispatches",
    f"{OURS}/namespaces/{HERE}/dispatches",
    f"/api/v1/namespaces/{SYSTEM}/secrets",
    f"/api/v1/namespaces/{ELSEWHERE}/secrets",
    f"{OURS}/namespaces/{HERE}/settlements",
    f"{OURS}/namespaces/{HERE}/computejobs/kept",
]


def others(cluster: Cluster) -> list[Any]:
    """All of it, with resource versions."""
    return [found.get("items", found) for found in map(cluster.get_json, OTHERS)]


@pytest.fixture(scope="module")
def world(installed: Cluster) -> Cluster:
    """Two tenants' namespaces, a node with its namespace, and in each what could be reached for."""
    for name in (HERE, ELSEWHERE, NODE):
        installed.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    installed.apply(
        [
            job("kept"),
            job("theirs", ELSEWHERE),
            manifest("ComputeNode", name="east"),
            DISPATCH,
            SETTLEMENT,
            {**SECRET, "metadata": {"name": "east", "namespace": SYSTEM}},
            {**SECRET, "metadata": {"name": "east", "namespace": ELSEWHERE}},
        ]
    )
    for role in ROLES:
        installed.kubectl("create", "serviceaccount", role, f"--namespace={HERE}")
        place = (f"--serviceaccount={HERE}:{role}", f"--namespace={HERE}")
        installed.kubectl("create", "rolebinding", role, f"--clusterrole={role}", *place)
    return installed


@pytest.fixture(scope="module", params=ROLES)
def tenant(request: pytest.FixtureRequest, world: Cluster) -> Iterator[Caller]:
    """Its ServiceAccount, with Kubernetes' own role or with ours alone, as soon as the role is in force.

    Whatever it tried, what is others' is in the end as it was.
    """
    caller = Caller(world, HERE, request.param)
    listed = Call("GET", f"namespaces/{HERE}/computejobs")
    wait_for(lambda: listed.by(caller)[0] == 200, 20, "the tenant's role")
    before = others(world)
    yield caller
    assert others(world) == before


def test_all_with_its_own_jobs(tenant: Caller) -> None:
    """A job of its own is created, read, watched, changed in three ways and deleted, alone and with all others."""
    jobs = f"namespaces/{HERE}/computejobs"
    one, other = job("mine"), job("other")
    done = [
        (Call("POST", f"{jobs}?dryRun=All", one), 201),
        (Call("POST", jobs, one), 201),
        (Call("GET", f"{jobs}/mine"), 200),
        (Call("GET", jobs), 200),
        (Call("GET", f"{jobs}?watch=true&timeoutSeconds=1"), 200),
        (Call("PATCH", f"{jobs}/mine", {"spec": {"suspend": True}}), 200),
        (Call("APPLY", f"{jobs}/mine?fieldManager=tenant&force=true", {**one, "spec": {"suspend": False}}), 200),
        (Call("APPLY", f"{jobs}/other?fieldManager=tenant", other), 201),
        (Call("GET", f"namespaces/{HERE}/settlements"), 200),
        (Call("GET", f"namespaces/{HERE}/settlements/bill"), 200),
    ]
    for call, code in done:
        answered, body = call.by(tenant)
        assert answered == code, (str(call), body)
    found = json.loads(Call("GET", f"{jobs}/mine").by(tenant)[1])
    found["metadata"]["labels"] = {"by": "put"}
    assert Call("PUT", f"{jobs}/mine", found).by(tenant)[0] == 200
    assert json.loads(Call("GET", f"{jobs}/mine").by(tenant)[1])["metadata"]["labels"] == {"by": "put"}
    assert Call("DELETE", f"{jobs}/mine").by(tenant)[0] == 200
    assert Call("GET", f"{jobs}/mine").by(tenant)[0] == 404
    assert Call("DELETE", f"{jobs}?fieldSelector=metadata.name%3Dother").by(tenant)[0] == 200
    assert Call("GET", f"{jobs}/other").by(tenant)[0] == 404


@pytest.mark.parametrize("call", REFUSED, ids=str)
def test_nothing_with_what_is_not_its_own(tenant: Caller, call: Call) -> None:
    """The call is forbidden, by the API server's own word."""
    code, body = call.by(tenant)
    assert (code, json.loads(body)["reason"]) == (403, "Forbidden"), body


@pytest.mark.parametrize("call", every(f"/api/v1/namespaces/{HERE}/secrets", "own", SECRET), ids=str)
def test_our_editor_has_no_secrets(world: Cluster, call: Call) -> None:
    """By Isthmus' own role alone not even Secrets of its own namespace can be touched."""
    code, body = call.by(Caller(world, HERE, "isthmus-editor"))
    assert code == 403, body


def test_the_calls_are_many() -> None:
    """More than 25 calls are tried, on every kind that is not the tenant's."""
    assert len({str(call) for call in REFUSED}) == len(REFUSED) >= 50
