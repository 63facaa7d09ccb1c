"""What the hub's identity was seen to use of what its roles allow, over all federations of a run of tests."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from federation.manifests import Object
from testbed import Cluster
from testbed.audit import Access


class Permission(NamedTuple):
    """One verb on one resource, and on one object where `name` is given, as a rule of a role has it."""

    role: str
    verb: str
    api_group: str
    resource: str
    name: str = ""

    def __str__(self) -> str:
        group = f".{self.api_group}" if self.api_group else ""
        return f"{self.role}: {self.verb} {self.resource}{group}{self.name and ' '}{self.name}"

    def covers(self, access: Access) -> bool:
        """Whether it is what that access took. To bind a role is no request: it is asked as the binding is made."""
        if self.verb == "bind":
            return (access.role, access.verb, access.resource) == (self.role, "create", "rolebindings")
        return access.name == (self.name or access.name) and self[:4] == (
            access.role,
            access.verb,
            access.api_group,
            access.resource,
        )


def permissions_in(objects: Iterable[Object]) -> Iterator[Permission]:
    """The single permissions that the roles among these objects give."""
    for role in objects:
        if role["kind"] in {"ClusterRole", "Role"}:
            for rule in role["rules"]:
                for group in rule["apiGroups"]:
                    for resource in rule["resources"]:
                        for verb in rule["verbs"]:
                            for name in rule.get("resourceNames", [""]):
                                yield Permission(
                                    f"{role['kind']}/{role['metadata']['name']}", verb, group, resource, name
                                )


class Usage:
    """Gathers what `user` was allowed to do, by the audit logs of clusters before they are closed."""

    def __init__(self, user: str) -> None:
        self._user = user
        self.accesses: set[Access] = set()

    def take(self, clusters: Iterable[Cluster]) -> None:
        """Reads the clusters' logs."""
        for cluster in clusters:
            self.accesses |= cluster.accesses(self._user)

    def unused(self, permissions: Iterable[Permission]) -> list[Permission]:
        """Those that nothing took."""
        return [each for each in permissions if not any(each.covers(access) for access in self.accesses)]
