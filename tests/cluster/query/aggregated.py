"""A federation whose hub serves the query API through the hub cluster's aggregator, and callers with rights there."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from federation import Federation
from testbed import DeadlineError, Machine, wait_for

API = "/apis/query.isthmus.dev/v1alpha1"
REGISTRATION = "v1alpha1.query.isthmus.dev"
RBAC = "rbac.authorization.k8s.io"


class Aggregated:
    """The federation, and what callers get from the API server."""

    def __init__(self, fed: Federation) -> None:
        self.fed = fed

    @property
    def port(self) -> int:
        """The port that the hub serves on."""
        spec = self.fed.hub.rest.get(f"/apis/apiregistration.k8s.io/v1/apiservices/{REGISTRATION}")["spec"]
        return int(spec["service"]["port"])

    def wait_available(self, seconds: float = 60) -> None:
        """Wait until the aggregator has reached the hub."""

        def available() -> bool:
            found = self.fed.hub.rest.get(f"/apis/apiregistration.k8s.io/v1/apiservices/{REGISTRATION}")
            return any(
                c["type"] == "Available" and c["status"] == "True"
                for c in found.get("status", {}).get("conditions", ())
            )

        try:
            wait_for(available, seconds, "the query API to be Available")
        except DeadlineError as error:
            found = self.fed.hub.rest.get(f"/apis/apiregistration.k8s.io/v1/apiservices/{REGISTRATION}")
            raise AssertionError(f"{error}\n{json.dumps(found, indent=1)}\n{self.fed.process.tail()}") from None

    def bind(self, user: str, role: str, namespace: str) -> None:
        """Give the user a ClusterRole in a namespace."""
        binding = {
            "apiVersion": f"{RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": f"{user}-{role}", "namespace": namespace},
            "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": RBAC, "kind": "User", "name": user}],
        }
        self.fed.hub.apply([binding])

    def raw(self, user: str, path: str) -> str:
        """What `kubectl get --raw` prints for the user, its errors included."""
        return self.fed.hub.kubectl("get", "--raw", path, kubeconfig=self.fed.hub.kubeconfig(user), check=False)

    def explanation(self, job: str, *, user: str = "admin", namespace: str = "team-a") -> dict[str, Any]:
        """The explanation of a job."""
        text = self.raw(user, path_of(job, "explanation", namespace))
        try:
            found: dict[str, Any] = json.loads(text)
        except json.JSONDecodeError:
            raise AssertionError(f"{text}\n{self.fed.process.tail()}") from None
        return found


def path_of(job: str, subresource: str, namespace: str = "team-a") -> str:
    """The path of a question about a job."""
    return f"{API}/namespaces/{namespace}/computejobs/{job}/{subresource}"


@contextmanager
def aggregated(members: Mapping[str, Sequence[Machine]], **join: Mapping[str, Any]) -> Iterator[Aggregated]:
    """A hub that serves the query API, with its members joined; `join` says more of some members' ComputeNodes."""
    with Federation(members, query=True) as fed:
        fed.process.start()
        for name in members:
            fed.join(name, **join.get(name, {}))
        found = Aggregated(fed)
        found.bind("ann", "isthmus-viewer", "team-a")
        found.wait_available()
        yield found
