"""An editor of one namespace, by a real token, asks the query API about its own jobs and about those of others."""

import json

import pytest
from tests.cluster.api.caller import Caller
from tests.cluster.query.aggregated import Aggregated, path_of

from federation import compute_job
from testbed import Machine, wait_for
from testbed.kubelet import Kubelet

MEMBERS = {"east": [Machine("east-1", cpu="8", memory="32Gi")]}
OWN, OTHER = "team-a", "team-b"
SUBRESOURCES = ("explanation", "log")


@pytest.fixture(scope="module")
def tenant(query: Aggregated) -> Caller:
    """The editor of team-a, whose role is in force; in each namespace a job has run."""
    hub = query.fed.hub
    query.fed.namespace(OTHER)
    hub.apply([compute_job("job", namespace=namespace) for namespace in (OWN, OTHER)])
    hub.kubectl("create", "serviceaccount", "tenant", f"--namespace={OWN}")
    hub.kubectl(
        "create", "rolebinding", "tenant", "--clusterrole=edit", f"--serviceaccount={OWN}:tenant", f"--namespace={OWN}"
    )
    for namespace in (OWN, OTHER):
        query.fed.wait_job("job", namespace=namespace)
    caller = Caller(hub, OWN, "tenant")
    wait_for(lambda: caller.call("GET", path_of("job", "explanation"))[0] == 200, 30, "the tenant's role")
    return caller


def test_its_own_jobs_are_explained_and_their_logs_are_read(query: Aggregated, tenant: Caller) -> None:
    """The editor's role gives both answers for its own namespace."""
    code, body = tenant.call("GET", path_of("job", "explanation"))
    assert (code, json.loads(body)["kind"]) == (200, "Explanation")
    with Kubelet(query.fed.clusters["east"]):
        code, body = tenant.call("GET", path_of("job", "log"))
    assert (code, "main of job-" in body) == (200, True), body


@pytest.mark.parametrize("subresource", SUBRESOURCES)
@pytest.mark.parametrize("name", ["job", "absent"])
def test_those_of_others_are_not(tenant: Caller, name: str, subresource: str) -> None:
    """Of another's namespace it learns nothing, not even whether there is such a job."""
    code, body = tenant.call("GET", path_of(name, subresource, OTHER))
    assert (code, json.loads(body)["reason"]) == (403, "Forbidden"), body


@pytest.mark.parametrize("subresource", SUBRESOURCES)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_answers_are_only_read(tenant: Caller, method: str, subresource: str) -> None:
    """No verb but get is given, in its own namespace either."""
    assert tenant.call(method, path_of("job", subresource), {})[0] == 403
