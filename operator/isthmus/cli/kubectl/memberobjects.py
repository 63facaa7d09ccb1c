"""What is applied in a member: the manifests of this package, and which of them the member's API serves."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from isthmus.clusters.resources import NAMESPACES, SECRETS, SERVICEACCOUNTS, Resource

Object = dict[str, Any]

NAMESPACE = "isthmus-system"
ACCOUNT = "isthmus"
TOKEN_SECRET = "isthmus-token"  # noqa: S105 - a Secret's name
_RBAC = "rbac.authorization.k8s.io"
_ADMISSION = "admissionregistration.k8s.io"

_RESOURCES = {
    resource.kind: resource
    for resource in (
        NAMESPACES,
        SECRETS,
        SERVICEACCOUNTS,
        Resource(_RBAC, "v1", "clusterroles", "ClusterRole", namespaced=False),
        Resource(_RBAC, "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False),
        Resource(_RBAC, "v1", "roles", "Role"),
        Resource(_RBAC, "v1", "rolebindings", "RoleBinding"),
        Resource(_ADMISSION, "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy", namespaced=False),
        Resource(
            _ADMISSION, "v1", "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", namespaced=False
        ),
        Resource(_ADMISSION, "v1", "mutatingadmissionpolicies", "MutatingAdmissionPolicy", namespaced=False),
        Resource(
            _ADMISSION, "v1", "mutatingadmissionpolicybindings", "MutatingAdmissionPolicyBinding", namespaced=False
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Applied:
    """One object to apply, and how the API serves its kind."""

    resource: Resource
    manifest: Object

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.manifest["metadata"]["name"])

    @property
    def namespace(self) -> str | None:
        """Its namespace, where it has one."""
        return self.manifest["metadata"].get("namespace") if self.resource.namespaced else None

    def __str__(self) -> str:
        return f"{self.resource.kind.lower()}/{self.name}" + (f" in {self.namespace}" if self.namespace else "")


def manifests() -> Iterator[Object]:
    """Every manifest that the package holds for a member, in the order in which they are applied."""
    import yaml

    folder = files("isthmus.cli") / "member"
    for name in ("member.yaml", "index-policy.yaml"):
        yield from yaml.safe_load_all((folder / name).read_text(encoding="utf-8"))


def member_objects(served: Collection[str]) -> tuple[list[Applied], list[str]]:
    """What to apply, and the kinds left out because the member serves no `served` admission policies of theirs."""
    found, left_out = [], []
    for manifest in manifests():
        resource = _RESOURCES[manifest["kind"]]
        if resource.group == _ADMISSION and resource.plural not in served:
            left_out.append(resource.kind)
            continue
        found.append(Applied(resource, manifest))
    return found, list(dict.fromkeys(left_out))


def token_secret() -> Applied:
    """The Secret that Kubernetes fills with a token of the ServiceAccount which does not expire."""
    metadata = {
        "name": TOKEN_SECRET,
        "namespace": NAMESPACE,
        "annotations": {"kubernetes.io/service-account.name": ACCOUNT},
    }
    return Applied(SECRETS, {"metadata": metadata, "type": "kubernetes.io/service-account-token"})


def served_plurals(resource_list: Mapping[str, Any]) -> frozenset[str]:
    """The plurals in an answer to /apis/GROUP/VERSION."""
    resources: Iterable[Mapping[str, Any]] = resource_list.get("resources") or ()
    return frozenset(str(each["name"]) for each in resources)
