import asyncio
import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from msgspec import field
from tests.cluster.clusters.conftest import connected, ready_namespace, restart

from isthmus.api.core import Object, Pod
from isthmus.clusters import (
    CONFIGMAPS,
    JOBS,
    NAMESPACES,
    PODS,
    SERVICEACCOUNTS,
    Client,
    Credentials,
    Expired,
    Forbidden,
    Invalid,
    Resource,
    TimedOut,
    TLSFailure,
    Unauthorized,
    UnexpectedAnswer,
    Unreachable,
)
from testbed import Cluster, Part


class _ConfigMap(Object):
    metadata: dict[str, Any]
    data: dict[str, str] = field(default_factory=dict)


def _name() -> str:
    return f"t-{uuid4().hex[:12]}"


def _changed(path: Path, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> str:
    """The kubeconfig with its cluster and user changed."""
    document = yaml.safe_load(path.read_text())
    change(document["clusters"][0]["cluster"], document["users"][0]["user"])
    return yaml.safe_dump(document)


def _with_token(cluster: Cluster, token: str) -> str:
    def change(_: dict[str, Any], user: dict[str, Any]) -> None:
        user.clear()
        user["token"] = token

    return _changed(cluster.kubeconfig(), change)


async def _probe_until_refused(client: Client) -> None:
    """Raise what the cluster refuses with; it remembers a token that it accepted for some ten seconds."""
    async with asyncio.timeout(30):
        while True:
            await client.probe()
            await asyncio.sleep(0.1)


async def _client(kubeconfig: str, timeout_seconds: float = 15.0) -> Client:
    credentials = Credentials.from_kubeconfig(kubeconfig)
    return await Client.connect(credentials, name="plain", timeout_seconds=timeout_seconds)


async def test_a_long_list_comes_in_pages(plain: Cluster) -> None:
    """1,200 objects come in three pages as one list of one version, typed, each once."""
    async with connected(plain) as client:
        space = await ready_namespace(client, _name())
        wanted = {f"m-{number:04}" for number in range(1200)}
        await asyncio.gather(*(client.create(CONFIGMAPS, {"metadata": {"name": name}}, space) for name in wanted))
        client.requests.clear()
        listing = await client.list(CONFIGMAPS, space, type=_ConfigMap, fields="metadata.name!=kube-root-ca.crt")
        assert client.requests == {"list": 3}
        assert sorted(item.metadata["name"] for item in listing.items) == sorted(wanted)
        everywhere = await client.list(CONFIGMAPS, consistent=False)
        assert len(everywhere.items) > 1200
        await client.delete(NAMESPACES, space)


async def test_a_list_and_a_watch_of_large_objects(plain: Cluster) -> None:
    """Objects of a megabyte come through a list and a watch whole."""
    async with connected(plain) as client:
        space = await ready_namespace(client, _name())
        data = {"large": "x" * 1_000_000}
        created = await client.create(CONFIGMAPS, {"metadata": {"name": "m"}, "data": data}, space)
        listing = await client.list(CONFIGMAPS, space, fields="metadata.name=m", type=_ConfigMap)
        assert listing.items[0].data == data
        async for event in client.watch(CONFIGMAPS, space, resource_version="0", fields="metadata.name=m"):
            assert event.object == {"apiVersion": "v1", "kind": "ConfigMap", **created}
            break


async def test_a_version_that_is_no_longer_kept(plain: Cluster) -> None:
    """A watch from before the history that the server keeps is Expired."""
    async with connected(plain) as client:
        version = (await client.list(CONFIGMAPS)).resource_version
        await ready_namespace(client, _name())
        await asyncio.to_thread(restart, plain)
        with pytest.raises(Expired, match="too old resource version"):
            await anext(client.watch(CONFIGMAPS, resource_version=version))


async def test_a_strict_dry_run_answers_in_the_servers_words(plain: Cluster) -> None:
    """An unknown or doubled field and an impossible value are refused with their path, and nothing is stored."""
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}
    async with connected(plain) as client:
        for spec, words in (
            ({"template": template, "paralelism": 2}, r'unknown field "spec\.paralelism"'),
            ({"template": {"spec": {**template["spec"], "restartPolicy": "Always"}}}, r"restartPolicy"),
            ({"template": template, "completions": -1}, r"spec\.completions.*greater than or equal to 0"),
        ):
            with pytest.raises(Invalid, match=words):
                await client.create(
                    JOBS, {"metadata": {"name": "j"}, "spec": spec}, "default", dry_run=True, strict=True
                )
        good = {"metadata": {"name": "j"}, "spec": {"template": template}}
        answer = await client.create(JOBS, good, "default", dry_run=True, strict=True)
        assert answer["spec"]["parallelism"] == 1
        assert (await client.list(JOBS, "default")).items == []


async def test_a_user_without_rights(plain: Cluster) -> None:
    """What the cluster does not allow is Forbidden, in its own words."""
    async with connected(plain, user="nobody", groups=()) as client:
        with pytest.raises(Forbidden, match='"nobody" cannot list resource "pods"') as raised:
            await client.list(PODS, "default")
        assert (raised.value.status, raised.value.reason) == (403, "Forbidden")


async def test_a_token_that_is_revoked(plain: Cluster) -> None:
    """A ServiceAccount's token works until its account is deleted, and is then Unauthorized."""
    async with connected(plain) as client:
        space = await ready_namespace(client, _name())
        await client.create(SERVICEACCOUNTS, {"metadata": {"name": "agent"}}, space)
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        path = SERVICEACCOUNTS.path(space, "agent", "token")
        body = await client.raw("POST", path, body=yaml.safe_dump(request).encode(), content_type="application/yaml")
        token = yaml.safe_load(body)["status"]["token"]
        async with await _client(_with_token(plain, token)) as agent:
            assert (await agent.probe())["major"] == "1"
            with pytest.raises(Forbidden, match=f"system:serviceaccount:{space}:agent"):
                await agent.list(PODS, space)
            await client.delete(SERVICEACCOUNTS, "agent", space)
            with pytest.raises(Unauthorized):
                await _probe_until_refused(agent)


async def test_credentials_that_the_cluster_does_not_know(plain: Cluster) -> None:
    """A token of nobody's is Unauthorized."""
    kubeconfig = _with_token(plain, "made-up")
    async with await _client(kubeconfig) as client:
        with pytest.raises(Unauthorized):
            await client.probe()


async def test_a_wrong_authority_and_a_wrong_name(plain: Cluster) -> None:
    """A certificate of another authority, and one for another name, are TLS errors; the right name mends it."""
    from testbed.local.certificates import Authority

    other = base64.b64encode(Authority("other").certificate.encode()).decode()
    path = plain.kubeconfig()
    for change, words in (
        (lambda cluster, _: cluster.update({"certificate-authority-data": other}), "certificate"),
        (lambda cluster, _: cluster.update({"tls-server-name": "api.example.org"}), "api.example.org"),
    ):
        async with await _client(_changed(path, change)) as client:
            with pytest.raises(TLSFailure, match=words):
                await client.probe()
    named = _changed(path, lambda cluster, _: cluster.update({"tls-server-name": "kubernetes.default.svc"}))
    async with await _client(named) as client:
        await client.probe()


async def test_a_frozen_server_times_out(plain: Cluster) -> None:
    """An API server that takes connections and answers nothing is TimedOut, for requests and watches, and recovers."""
    async with await _client(plain.kubeconfig().read_text(), timeout_seconds=2.0) as client:
        await client.probe()
        plain.pause(Part.APISERVER)
        try:
            with pytest.raises(TimedOut):
                await client.get(NAMESPACES, "default")
            with pytest.raises(TimedOut):
                await anext(client.watch(PODS, resource_version="0", idle_seconds=0.5))
        finally:
            plain.resume(Part.APISERVER)
    async with connected(plain) as client:
        assert (await client.get(NAMESPACES, "default"))["metadata"]["name"] == "default"


async def test_a_cut_link(plain: Cluster) -> None:
    """A link that drops everything is TimedOut, one that refuses is Unreachable, and a healed one works again."""
    kubeconfig = plain.kubeconfig(through_link=True).read_text()
    async with await _client(kubeconfig, timeout_seconds=2.0) as client:
        await client.probe()
        plain.cut("drop")
        try:
            with pytest.raises(TimedOut):
                await client.probe()
            plain.cut("refuse")
            with pytest.raises(Unreachable):
                await client.probe()
        finally:
            plain.heal()
    async with await _client(kubeconfig) as client:
        await client.probe()


async def test_a_kind_that_is_not_installed(plain: Cluster) -> None:
    """A kind whose CRD is missing is no NotFound: nobody shall take its objects for deleted."""
    async with connected(plain) as client:
        with pytest.raises(UnexpectedAnswer, match="CRDs not installed"):
            await client.delete(Resource("example.org", "v1", "things", "Thing"), "x", "default")


async def test_pods_are_read_as_their_struct(plain: Cluster) -> None:
    """A real pod decodes into the struct that keeps what is read of it."""
    async with connected(plain) as client:
        space = await ready_namespace(client, _name())
        spec = {
            "containers": [{"name": "c", "image": "i", "resources": {"requests": {"cpu": "1500m", "memory": "1Gi"}}}],
            "tolerations": [{"key": "k", "operator": "Exists"}],
        }
        pod = await client.create(PODS, {"metadata": {"name": "p"}, "spec": spec}, space, type=Pod)
        assert (pod.metadata.namespace, pod.status.phase) == (space, "Pending")
        assert pod.spec.containers[0].resources.requests == {"cpu": "1500m", "memory": "1Gi"}
        assert pod.metadata.creation_timestamp is not None
