import base64
import http.client
import json
import socket
import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.cluster.query.aggregated import API, REGISTRATION, Aggregated, path_of

from federation import compute_job
from testbed import ApiError, Machine, wait_for
from testbed.local.certificates import Authority
from testbed.local.commands import FRONT_PROXY

MEMBERS = {"east": [Machine("east-1", cpu="8", memory="32Gi")]}
APISERVICE = f"/apis/apiregistration.k8s.io/v1/apiservices/{REGISTRATION}"
TRUST = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"
NAME = "isthmus-query.isthmus-system.svc"
MASTER = {"X-Remote-User": "eve", "X-Remote-Group": "system:masters"}

Pair = tuple[str, str]


def direct(
    query: Aggregated, path: str, *, pair: Pair | None = None, headers: Mapping[str, str] = MASTER
) -> tuple[int, dict[str, Any]]:
    """Ask the hub itself, past the API server; `pair` is the client certificate shown."""
    bundle = base64.b64decode(query.fed.hub.rest.get(APISERVICE)["spec"]["caBundle"]).decode()
    context = ssl.create_default_context(cadata=bundle)
    if pair is not None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "client.pem")
            file.write_text(pair[0] + pair[1])
            context.load_cert_chain(file)
    connection = http.client.HTTPSConnection(NAME, query.port, timeout=10)
    connection.sock = context.wrap_socket(socket.create_connection(("127.0.0.1", query.port), 10), server_hostname=NAME)
    try:
        connection.request("GET", path, headers=dict(headers))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def front_proxy(query: Aggregated) -> Pair:
    """The certificate that the API server shows."""
    keys = query.fed.bed.directory / "hub" / "pki"
    return (keys / "front-proxy.crt").read_text(), (keys / "front-proxy.key").read_text()


@pytest.fixture(scope="module", autouse=True)
def job(query: Aggregated) -> None:
    """A job to ask about."""
    query.fed.hub.apply([compute_job("job")])
    query.fed.wait_job("job")


def test_direct_calls(query: Aggregated) -> None:
    """Who says on whose behalf it asks is believed with the front proxy's certificate alone."""
    path = path_of("job", "explanation")
    code, status = direct(query, path)
    assert (code, status["kind"], status["reason"]) == (401, "Status", "Unauthorized")
    assert direct(query, API)[0] == 401
    assert direct(query, path, pair=front_proxy(query))[0] == 200
    assert direct(query, path, pair=front_proxy(query), headers={})[0] == 401
    assert direct(query, path, pair=front_proxy(query), headers={"X-Remote-User": "eve"})[0] == 403
    with pytest.raises((ssl.SSLError, ConnectionError)):
        direct(query, path, pair=Authority("another").client(FRONT_PROXY))


@pytest.mark.parametrize(
    ("path", "code", "reason"),
    [
        (f"{API}/namespaces/team-a/computejobs/%3Cscript%3E/explanation", 400, "BadRequest"),
        (f"{API}/namespaces/Team_A/computejobs/job/log", 400, "BadRequest"),
        (f"{API}/namespaces/team-a/computejobs/{'a' * 254}/log", 400, "BadRequest"),
        (f"{API}/namespaces/team-a/computejobs/job", 404, "NotFound"),
        ("/metrics", 404, "NotFound"),
        (f"{API}/namespaces/team-a/computejobs/job/log?index={'9' * 5000}", 400, "BadRequest"),
    ],
    ids=["html", "namespace", "long", "no subresource", "no such path", "huge number"],
)
def test_hostile_paths(query: Aggregated, path: str, code: int, reason: str) -> None:
    """What is no question of this API is answered by a Status, in which nothing of a page stands."""
    found, status = direct(query, path, pair=front_proxy(query))
    assert (found, status["code"], status["reason"]) == (code, code, reason)
    assert "<" not in status["message"]


def test_groups_of_the_caller_count(query: Aggregated) -> None:
    """A caller who has the role by a group is let in, and the headers it sends itself change nothing."""
    rbac = "rbac.authorization.k8s.io"
    query.fed.hub.apply(
        [
            {
                "apiVersion": f"{rbac}/v1",
                "kind": "RoleBinding",
                "metadata": {"name": "readers", "namespace": "team-a"},
                "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "isthmus-viewer"},
                "subjects": [{"apiGroup": rbac, "kind": "Group", "name": "readers"}],
            }
        ]
    )
    path = path_of("job", "explanation")
    member, other = query.fed.hub.kubeconfig("carl", ["readers"]), query.fed.hub.kubeconfig("dora", ["writers"])
    wait_for(
        lambda: '"Explanation"' in query.fed.hub.kubectl("get", "--raw", path, kubeconfig=member, check=False),
        20,
        "the group's role",
    )
    assert "Forbidden" in query.fed.hub.kubectl("get", "--raw", path, kubeconfig=other, check=False)


def test_no_role(query: Aggregated) -> None:
    """Neither another namespace nor a user without a role is answered; to see jobs is not enough."""
    assert "Forbidden" in query.raw("ann", path_of("job", "log", "default"))
    assert "Forbidden" in query.raw("bob", path_of("job", "log"))


def test_bundle_that_is_overwritten(query: Aggregated) -> None:
    """Whoever overwrites the APIService's bundle has it put right again, and the aggregator finds the hub."""
    before = query.fed.hub.rest.get(APISERVICE)["spec"]["caBundle"]
    other = base64.b64encode(Authority("other").certificate.encode()).decode()
    query.fed.hub.rest.patch(APISERVICE, {"spec": {"caBundle": other}})
    wait_for(lambda: query.fed.hub.rest.get(APISERVICE)["spec"]["caBundle"] == before, 20, "the bundle to be put right")
    wait_for(lambda: '"Explanation"' in query.raw("ann", path_of("job", "explanation")), 20, "an answer")
    query.wait_available()


def test_front_proxy_of_a_new_authority(query: Aggregated) -> None:
    """An authority that is added to the cluster's configuration is trusted from then on, and names are still asked."""
    added = Authority("new front-proxy CA")
    proxy, impostor = added.client(FRONT_PROXY), added.client("impostor")
    path = path_of("job", "explanation")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        direct(query, path, pair=proxy)
    data = query.fed.hub.rest.get(TRUST)["data"]
    bundle = data["requestheader-client-ca-file"] + added.certificate
    query.fed.hub.rest.patch(TRUST, {"data": {"requestheader-client-ca-file": bundle}})

    def trusted() -> bool:
        try:
            return direct(query, path, pair=proxy)[0] == 200
        except (ssl.SSLError, ConnectionError):
            return False

    wait_for(trusted, 20, "the new authority to be trusted")
    assert direct(query, path, pair=impostor)[0] == 401
    assert direct(query, path, pair=front_proxy(query))[0] == 200
    assert '"Explanation"' in query.raw("ann", path)


def test_hub_that_is_started_again(query: Aggregated) -> None:
    """A hub that was killed comes back with another certificate, and is found by it; meanwhile the answer is 503."""
    before = query.fed.hub.rest.get(APISERVICE)["spec"]["caBundle"]
    query.fed.process.kill()
    with pytest.raises(ApiError) as refused:
        query.fed.hub.rest.get(path_of("job", "explanation"))
    assert refused.value.code == 503
    query.fed.process.start()
    wait_for(lambda: query.fed.hub.rest.get(APISERVICE)["spec"]["caBundle"] != before, 20, "a new bundle")
    query.wait_available()
    found = query.explanation("job", user="ann")
    assert [(row["node"], row["verdict"]) for row in found["nodes"]] == [("east", "Chosen")]
