"""What each role may do, asked of the API server, and what no role says, tried."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from tests.cluster.api.conftest import ROOT, VALUES
from tests.cluster.api.manifests import JOB_SPEC, manifest

from federation import Release
from isthmus.hub.query.logaccess import binding
from isthmus.manifests import job_labels, placeholder, tenant_objects
from testbed import Cluster, ClusterSpec, KubectlError, Testbed, wait_for

ISTHMUS = "system:serviceaccount:isthmus-system:isthmus"
SYSTEM = "isthmus-system"
HUB_UID = "0b54f1e6-6f0a-4e5e-9f0e-000000000001"
OURS = "isthmus.dev"


@dataclass(frozen=True)
class Attempt:
    """Something that somebody may want to do; `resource` as RESOURCE/SUBRESOURCE.GROUP, "" the whole cluster."""

    verb: str
    resource: str
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        """For the test's id."""
        return f"{self.verb} {self.resource}{self.name and ' '}{self.name} in {self.namespace or 'the cluster'}"

    def attributes(self) -> dict[str, str]:
        """As an access review asks."""
        name, _, group = self.resource.partition(".")
        resource, _, subresource = name.partition("/")
        return {
            "verb": self.verb,
            "resource": resource,
            "subresource": subresource,
            "group": group,
            "namespace": self.namespace,
            "name": self.name,
        }


def attempts(verbs: str, resources: str, namespace: str = "") -> list[Attempt]:
    """Each verb with each resource."""
    return [Attempt(verb, resource, namespace) for verb in verbs.split() for resource in resources.split()]


def may(cluster: Cluster, user: str, attempt: Attempt) -> bool:
    """Whether the user's roles allow it."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": user, "resourceAttributes": attempt.attributes()},
    }
    answer = cluster.rest.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
    return answer["status"].get("allowed") is True


READ = "get list watch"
WRITE = "create update patch delete deletecollection"
APISERVICES = "apiservices.apiregistration.k8s.io"
QUERY = "query.isthmus.dev"
ANSWERS = f"computejobs/explanation.{QUERY} computejobs/log.{QUERY}"
LEASES = "leases.coordination.k8s.io"
HUB_MAY = [
    *attempts(READ, "computejobs.isthmus.dev dispatches.isthmus.dev settlements.isthmus.dev"),
    *attempts("list watch", "computenodes.isthmus.dev"),
    *attempts("patch", "computenodes.isthmus.dev computejobs.isthmus.dev dispatches.isthmus.dev"),
    *attempts("patch", "computenodes/status.isthmus.dev computejobs/status.isthmus.dev"),
    *attempts("patch", "dispatches/status.isthmus.dev settlements/status.isthmus.dev"),
    *attempts("create delete", "dispatches.isthmus.dev"),
    *attempts("delete", "computejobs.isthmus.dev"),
    *attempts(f"{READ} create delete", "namespaces"),
    *attempts("create", "events", "team"),
    *attempts("list watch", "secrets", SYSTEM),
    *attempts("create", "jobs.batch", SYSTEM),
    *attempts("create", "subjectaccessreviews.authorization.k8s.io"),
    *(Attempt(verb, APISERVICES, name=f"v1alpha1.{QUERY}") for verb in ("get", "patch")),
    Attempt("get", "configmaps", "kube-system", "extension-apiserver-authentication"),
]
HUB_MAY_NOT = [
    *attempts(READ, "secrets"),
    *attempts(READ, "secrets", "team"),
    *attempts(f"get {WRITE}", "secrets", SYSTEM),
    *attempts(f"{READ} {WRITE}", "pods nodes configmaps roles.rbac.authorization.k8s.io"),
    *attempts(f"{READ} {WRITE}", "clusterrolebindings.rbac.authorization.k8s.io serviceaccounts"),
    *attempts(f"{READ} {WRITE}", "jobs.batch", "team"),
    *attempts("get create update delete", "computenodes.isthmus.dev"),
    *attempts("create update", "computejobs.isthmus.dev"),
    *attempts(WRITE, "settlements.isthmus.dev"),
    *attempts("update patch", "namespaces"),
    *attempts("impersonate", "users groups serviceaccounts"),
    *attempts("bind escalate", "clusterroles.rbac.authorization.k8s.io"),
    *attempts(f"{READ} {WRITE}", APISERVICES),
    *(Attempt(verb, APISERVICES, name="v1.apps") for verb in ("get", "patch")),
    Attempt("get", "configmaps", "kube-system", "kube-root-ca.crt"),
]
DEVICES = "resourceslices.resource.k8s.io deviceclasses.resource.k8s.io resourceclaims.resource.k8s.io"
MEMBER_MAY = [
    *attempts("list watch", "nodes pods"),
    *attempts("list watch", DEVICES),
    *attempts(READ, "jobs.batch"),
    *attempts("patch delete", "pods"),
    *attempts("create patch delete", "jobs.batch"),
    *attempts("list patch", "workloads.kueue.x-k8s.io", "iwt-a-b"),
    *attempts("get create", "namespaces"),
    *attempts("get create", "resourcequotas networkpolicies.networking.k8s.io serviceaccounts", "iwt-a-b"),
    *attempts("patch", "serviceaccounts", "iwt-a-b"),
    *attempts("create", "rolebindings.rbac.authorization.k8s.io", "iwt-a-b"),
    Attempt("bind", "clusterroles.rbac.authorization.k8s.io", name="isthmus-member-logs"),
    Attempt("get", LEASES, "kube-system", "kube-controller-manager"),
]
MEMBER_MAY_NOT = [
    *attempts(f"{READ} {WRITE}", LEASES, "kube-system"),
    Attempt("get", LEASES, "kube-system", "kube-scheduler"),
    Attempt("get", LEASES, "iwt-a-b", "kube-controller-manager"),
    Attempt("patch", LEASES, "kube-system", "kube-controller-manager"),
    *attempts(f"{READ} {WRITE}", "secrets configmaps", "iwt-a-b"),
    *attempts(f"{READ} {WRITE}", "secrets configmaps persistentvolumeclaims services deployments.apps"),
    *attempts(f"get {WRITE}", "nodes"),
    *attempts(f"get {WRITE}", DEVICES),
    *attempts("create", "pods pods/exec pods/log pods/eviction pods/ephemeralcontainers serviceaccounts/token"),
    *attempts("get", "pods pods/log pods/exec"),
    *attempts("update patch delete", "namespaces"),
    *attempts(f"{READ} {WRITE}", "roles.rbac.authorization.k8s.io"),
    *attempts(f"{READ} update patch delete deletecollection", "rolebindings.rbac.authorization.k8s.io"),
    *attempts("bind escalate", "clusterroles.rbac.authorization.k8s.io roles.rbac.authorization.k8s.io"),
    *attempts(WRITE, "clusterroles.rbac.authorization.k8s.io clusterrolebindings.rbac.authorization.k8s.io"),
    *attempts(WRITE, "validatingadmissionpolicies.admissionregistration.k8s.io"),
    *attempts("impersonate", "users groups serviceaccounts"),
]
# By the roles that Kubernetes has, and by ours, each bound in the namespace team.
PEOPLE_MAY = {
    "view": [
        *attempts(READ, "computejobs.isthmus.dev settlements.isthmus.dev", "team"),
        *attempts("get", ANSWERS, "team"),
    ],
    "edit": [
        *attempts(f"{READ} {WRITE}", "computejobs.isthmus.dev", "team"),
        *attempts(READ, "settlements.isthmus.dev", "team"),
        *attempts("get", ANSWERS, "team"),
    ],
    "admin": attempts(f"{READ} {WRITE}", "computejobs.isthmus.dev", "team"),
    "isthmus-viewer": [
        *attempts(READ, "computejobs.isthmus.dev settlements.isthmus.dev", "team"),
        *attempts("get", ANSWERS, "team"),
    ],
    "isthmus-editor": [
        *attempts(f"{READ} {WRITE}", "computejobs.isthmus.dev", "team"),
        *attempts("get", ANSWERS, "team"),
    ],
    "isthmus-finance": [
        *attempts(f"{READ} create update patch delete", "settlements.isthmus.dev", "team"),
        *attempts(READ, "computejobs.isthmus.dev", "team"),
    ],
}
NOBODYS = [
    *attempts(READ, "computejobs.isthmus.dev settlements.isthmus.dev", "other"),
    *attempts("get", ANSWERS, "other"),
    *attempts(f"{READ} {WRITE}", "dispatches.isthmus.dev", "team"),
    *attempts("update patch", "computejobs/status.isthmus.dev settlements/status.isthmus.dev", "team"),
    *attempts(f"{READ} {WRITE}", "computenodes.isthmus.dev"),
    *attempts("list", f"accounts.{QUERY}"),
]
PEOPLE_MAY_NOT = {
    "view": [*NOBODYS, *attempts(WRITE, "computejobs.isthmus.dev settlements.isthmus.dev", "team")],
    "edit": [*NOBODYS, *attempts(WRITE, "settlements.isthmus.dev", "team")],
    "admin": [*NOBODYS, *attempts(WRITE, "settlements.isthmus.dev", "team")],
    "isthmus-viewer": [*NOBODYS, *attempts(WRITE, "computejobs.isthmus.dev settlements.isthmus.dev", "team")],
    "isthmus-editor": [*NOBODYS, *attempts(WRITE, "settlements.isthmus.dev", "team")],
    "isthmus-finance": [*NOBODYS, *attempts(WRITE, "computejobs.isthmus.dev", "team")],
}


def namespace(name: str, **labels: str) -> dict[str, Any]:
    """A namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def lend(cluster: Cluster) -> None:
    """Applies what a member's administrator does."""
    cluster.kubectl("apply", "--server-side", f"--filename={ROOT / 'deploy' / 'member.yaml'}")


@pytest.fixture(scope="module")
def ruled(installed: Cluster) -> Cluster:
    """The hub with its own role and those of people, each of these bound to a user of its name."""
    hub = installed
    hub.apply([namespace("team"), namespace("other")])
    for role in PEOPLE_MAY:
        hub.kubectl("create", "rolebinding", role, f"--clusterrole={role}", f"--user={role}", "--namespace=team")
    last = PEOPLE_MAY["admin"][-1]
    wait_for(lambda: may(hub, "admin", last), 20, "our roles to be part of Kubernetes' own")
    return hub


@pytest.fixture(scope="module")
def member() -> Iterator[Cluster]:
    """A member with its role."""
    with Testbed() as testbed:
        cluster = testbed.start(ClusterSpec("member", scheduling=False))["member"]
        lend(cluster)
        yield cluster


@pytest.mark.parametrize("attempt", HUB_MAY, ids=str)
def test_hub_may(ruled: Cluster, attempt: Attempt) -> None:
    """The hub may do what its work takes."""
    assert may(ruled, ISTHMUS, attempt)


@pytest.mark.parametrize("attempt", HUB_MAY_NOT, ids=str)
def test_hub_may_not(ruled: Cluster, attempt: Attempt) -> None:
    """The hub may not do what its work does not take."""
    assert not may(ruled, ISTHMUS, attempt)


@pytest.mark.parametrize("attempt", MEMBER_MAY, ids=str)
def test_member_may(member: Cluster, attempt: Attempt) -> None:
    """In a member the hub may do what running a shard takes."""
    assert may(member, ISTHMUS, attempt)


@pytest.mark.parametrize("attempt", MEMBER_MAY_NOT, ids=str)
def test_member_may_not(member: Cluster, attempt: Attempt) -> None:
    """In a member the hub may neither read secrets, nor enter pods, nor give itself rights."""
    assert not may(member, ISTHMUS, attempt)


PEOPLE = [(role, attempt) for role, allowed in PEOPLE_MAY.items() for attempt in allowed]
NOT_PEOPLE = [(role, attempt) for role, refused in PEOPLE_MAY_NOT.items() for attempt in refused]


@pytest.mark.parametrize(("role", "attempt"), PEOPLE, ids=str)
def test_people_may(ruled: Cluster, role: str, attempt: Attempt) -> None:
    """Whoever edits a namespace hands in work there, whoever views it sees the work and the bill."""
    assert may(ruled, role, attempt)


@pytest.mark.parametrize(("role", "attempt"), NOT_PEOPLE, ids=str)
def test_people_may_not(ruled: Cluster, role: str, attempt: Attempt) -> None:
    """Nobody but finance writes bills, nobody sees another's namespace, Dispatches or nodes, or writes a status."""
    assert not may(ruled, role, attempt)


def as_isthmus(cluster: Cluster, *arguments: str, body: dict[str, Any] | None = None) -> str:
    """Runs kubectl by the hub's identity."""
    return cluster.kubectl(
        *arguments,
        input=json.dumps(body) if body else None,
        kubeconfig=cluster.kubeconfig(ISTHMUS, ()),
    )


def confined(cluster: Cluster) -> None:
    """Waits until the policies are in force: a new one takes a moment."""

    def refused() -> bool:
        answer = cluster.kubectl(
            "create",
            "namespace",
            "not-ours",
            "--dry-run=server",
            kubeconfig=cluster.kubeconfig(ISTHMUS, ()),
            check=False,
        )
        return "Isthmus makes" in answer

    wait_for(refused, 30, f"{cluster.name}: the policy to be in force")


def refused_by_policy(action: Callable[[], object], message: str) -> None:
    """The action is refused with the policy's message."""
    with pytest.raises(KubectlError, match=message):
        action()


def test_hub_is_confined(ruled: Cluster) -> None:
    """The hub makes and deletes no namespaces but its nodes', and its Jobs are dry runs."""
    confined(ruled)
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "train", "namespace": SYSTEM},
        "spec": JOB_SPEC,
    }
    as_isthmus(ruled, "create", "namespace", "isthmus-node-north")
    as_isthmus(ruled, "delete", "namespace", "isthmus-node-north", "--wait=false")
    as_isthmus(ruled, "create", "--dry-run=server", "--validate=false", "-f", "-", body=job)
    refused_by_policy(lambda: as_isthmus(ruled, "create", "--validate=false", "-f", "-", body=job), "by dry run only")
    refused_by_policy(lambda: as_isthmus(ruled, "delete", "namespace", "team"), "no namespaces but isthmus-node-")
    ruled.kubectl("create", "namespace", "anybody-elses")


def bind(cluster: Cluster, made: dict[str, Any]) -> None:
    """Makes a RoleBinding by the hub's identity."""
    body = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", **made}
    as_isthmus(cluster, "create", "--validate=false", "-f", "-", body=body)


def test_member_is_confined(member: Cluster) -> None:
    """In a member the hub writes in the tenants' own namespaces alone."""
    confined(member)
    tenant = tenant_objects(HUB_UID, "team", "physics")
    own = tenant[0]["metadata"]["name"]
    labels = job_labels(hub_uid=HUB_UID, node="north", dispatch="train-1", namespace="team", job_uid="u-1")
    create = ("create", "--validate=false", "-f", "-")
    for made in tenant[:3]:
        as_isthmus(member, *create, body=made)
    wait_for(lambda: "default" in member.kubectl("get", "sa", "-n", own, "-o", "name"), 20, "the default account")
    patch = '{"automountServiceAccountToken": false}'
    as_isthmus(member, "patch", "sa", "default", f"--namespace={own}", f"--patch={patch}")
    as_isthmus(member, *create, body=placeholder("train-1", own, labels))
    as_isthmus(member, "delete", "job", "train-1", f"--namespace={own}", "--wait=false")

    bind(member, binding(HUB_UID, own, ISTHMUS))
    wait_for(lambda: may(member, ISTHMUS, Attempt("get", "pods/log", own)), 20, "the role for logs")
    other = binding(HUB_UID, own, "system:serviceaccount:shop:somebody")
    refused_by_policy(partial(bind, member, other), "binds the role isthmus-member-logs to itself and nothing else")
    with pytest.raises(KubectlError, match="is attempting to grant RBAC permissions not currently held"):
        bind(member, {**binding(HUB_UID, own, ISTHMUS), "roleRef": {**other["roleRef"], "name": "cluster-admin"}})

    member.apply([namespace("iwt-without-label"), namespace("shop")])
    for place in ("shop", "kube-system", SYSTEM, "iwt-without-label"):
        body = placeholder("train-1", place, labels)
        refused_by_policy(partial(as_isthmus, member, *create, body=body), "Isthmus writes in namespaces")
        refused_by_policy(partial(bind, member, binding(HUB_UID, place, ISTHMUS)), "Isthmus writes in namespaces")
    member.apply(placeholder("theirs", "shop", {}))
    refused_by_policy(
        lambda: as_isthmus(member, "delete", "job", "theirs", "--namespace=shop"), "Isthmus writes in namespaces"
    )
    refused_by_policy(
        lambda: as_isthmus(member, "patch", "sa", "default", "--namespace=shop", f"--patch={patch}"),
        "Isthmus writes in namespaces",
    )


def test_hub_that_is_its_own_member(ruled: Cluster) -> None:
    """With a member's rights in the hub as well, both kinds of work go on there."""
    Release(ruled).upgrade({**VALUES, "localMember": {"enabled": True}})
    wait_for(lambda: may(ruled, ISTHMUS, Attempt("list", "nodes")), 20, "the member's role in the hub")
    confined(ruled)
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "train", "namespace": SYSTEM},
        "spec": JOB_SPEC,
    }
    as_isthmus(ruled, "create", "--dry-run=server", "--validate=false", "-f", "-", body=job)
    as_isthmus(ruled, "create", "namespace", "isthmus-node-local")
    dispatch = manifest("Dispatch", {"metadata.namespace": "isthmus-node-local"})
    as_isthmus(ruled, "create", "--validate=false", "-f", "-", body=dispatch)
    as_isthmus(ruled, "delete", "namespace", "isthmus-node-local", "--wait=false")
    as_isthmus(ruled, "create", "--validate=false", "-f", "-", body=tenant_objects(HUB_UID, "team", "physics")[0])


@pytest.mark.parametrize(
    "attempt",
    [
        *attempts(READ, "computenodes.isthmus.dev computejobs.isthmus.dev"),
        *attempts("list", f"accounts.{QUERY}"),
    ],
    ids=str,
)
def test_viewer_of_the_whole_cluster(ruled: Cluster, attempt: Attempt) -> None:
    """Bound cluster-wide, the viewer sees the ComputeNodes, everybody's work and all accounts, and writes nothing."""
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "auditor"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "isthmus-viewer"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "auditor"}],
    }
    ruled.apply(binding)
    wait_for(lambda: may(ruled, "auditor", attempt), 20, "the auditor's role")
    assert not any(may(ruled, "auditor", Attempt(verb, attempt.resource)) for verb in WRITE.split())
