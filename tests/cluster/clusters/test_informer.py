import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from tests.cluster.clusters.conftest import connected, ready_namespace, restart
from tests.waiting import eventually

from isthmus.clusters import CONFIGMAPS, Client, ClusterError, Credentials, Informer
from testbed import Cluster, Part

Told = list[Any]
WITHOUT_ROOT = "metadata.name!=kube-root-ca.crt"


def _name() -> str:
    return f"t-{uuid4().hex[:12]}"


def _map(name: str, **data: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "data": data}


@asynccontextmanager
async def _following(
    cluster: Cluster, space: str, idle_seconds: float | None = None
) -> AsyncIterator[tuple[Informer[dict[str, Any]], Told]]:
    """An informer of one namespace's ConfigMaps over the link that can be cut, and what it told."""
    told: Told = []

    def on_change(kind: str, _: dict[str, Any] | None, new: dict[str, Any]) -> None:
        told.append((kind, new["metadata"]["name"]))

    def on_connection(error: ClusterError | None) -> None:
        told.append(error.reason if error else "up")

    credentials = Credentials.from_kubeconfig(cluster.kubeconfig(through_link=True).read_text())
    async with await Client.connect(credentials, name=cluster.name, timeout_seconds=2.0) as client:
        informer = Informer(
            client,
            CONFIGMAPS,
            type=dict,
            namespace=space,
            fields=WITHOUT_ROOT,
            on_change=on_change,
            on_connection=on_connection,
            idle_seconds=idle_seconds,
            first_pause_seconds=0.1,
            longest_pause_seconds=1.0,
        )
        task = asyncio.create_task(informer.run())
        try:
            await eventually(lambda: told and told[-1] == "up", "the first connection")
            yield informer, told
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_every_change_arrives_in_order(plain: Cluster) -> None:
    """Hundreds of changes, made side by side, each arrive once, and the cache ends as the cluster is."""
    async with connected(plain) as client:
        space = await ready_namespace(client, _name())
        async with _following(plain, space) as (informer, told):

            async def life(name: str) -> None:
                await client.create(CONFIGMAPS, _map(name), space)
                await client.patch(CONFIGMAPS, name, space, {"data": {"a": "1"}})
                if name.endswith("0"):
                    await client.delete(CONFIGMAPS, name, space, propagation="Background")

            await asyncio.gather(*(life(f"m{number}") for number in range(100)))
            await eventually(lambda: len(told) >= 1 + 210, "210 changes")
            for number in range(100):
                own = [kind for kind, name in told[1:] if name == f"m{number}"]
                assert own == ["ADDED", "MODIFIED", *(["DELETED"] if number % 10 == 0 else [])]
            listing = await client.list(CONFIGMAPS, space, fields=WITHOUT_ROOT)
            keyed = {(item["metadata"]["namespace"], item["metadata"]["name"]): item for item in listing.items}
            assert {key: item["data"] for key, item in informer.items.items()} == {
                key: item["data"] for key, item in keyed.items()
            }


async def test_a_restarted_server_loses_nothing(plain: Cluster) -> None:
    """Over a restart of the API server, the informer tells the cut, comes back and tells what happened since."""
    async with connected(plain) as client:
        space = await ready_namespace(client, _name())
        await client.create(CONFIGMAPS, _map("before"), space)
    async with _following(plain, space) as (informer, told):
        assert told == [("ADDED", "before"), "up"]
        await asyncio.to_thread(plain.stop, Part.APISERVER)
        try:
            await eventually(lambda: not informer.connected, "the end to be noticed")
        finally:
            await asyncio.to_thread(plain.start, Part.APISERVER)
        async with connected(plain) as client:
            await client.create(CONFIGMAPS, _map("after"), space)
            await client.delete(CONFIGMAPS, "before", space, propagation="Background")
        await eventually(lambda: ("DELETED", "before") in told and informer.connected, "the changes")
        assert told[2] == "Unreachable"
        assert [entry for entry in told if isinstance(entry, tuple)] in (
            [("ADDED", "before"), ("ADDED", "after"), ("DELETED", "before")],
            [("ADDED", "before"), ("DELETED", "before"), ("ADDED", "after")],
        )
        assert [*informer.items] == [(space, "after")]


async def test_a_history_that_is_gone_leads_to_a_new_list(plain: Cluster) -> None:
    """Where the version is no longer kept, the informer lists anew and tells the differences, without a failure."""
    async with connected(plain) as client:
        space = await ready_namespace(client, _name())
        await client.create(CONFIGMAPS, _map("old"), space)
        async with _following(plain, space) as (informer, told):
            plain.cut("refuse")
            try:
                await eventually(lambda: not informer.connected, "the cut to be noticed")
                await client.create(CONFIGMAPS, _map("new"), space)
                await client.delete(CONFIGMAPS, "old", space, propagation="Background")
                await asyncio.to_thread(restart, plain)  # a new API server keeps no history of before its start
            finally:
                plain.heal()
            await eventually(lambda: ("ADDED", "new") in told and informer.connected, "the difference")
            changes = [entry for entry in told if isinstance(entry, tuple)]
            assert changes == [("ADDED", "old"), ("DELETED", "old"), ("ADDED", "new")]
            assert [entry for entry in told if isinstance(entry, str)] == ["up", "Unreachable", "up"]


async def test_a_silent_cut_is_noticed(plain: Cluster) -> None:
    """A link that swallows everything is noticed by its silence; once healed, what was missed arrives."""
    async with connected(plain) as client:
        space = await ready_namespace(client, _name())
        async with _following(plain, space, idle_seconds=1.0) as (informer, told):
            plain.cut("drop")
            try:
                await eventually(lambda: informer.error is not None, "the silence to be noticed")
                assert (informer.connected, told[:2]) == (False, ["up", "Timeout"])
                await client.create(CONFIGMAPS, _map("missed"), space)
            finally:
                plain.heal()
            await eventually(lambda: ("ADDED", "missed") in told, "what was missed")
            assert told.count(("ADDED", "missed")) == 1


async def test_a_frozen_server_is_noticed(plain: Cluster) -> None:
    """A frozen API server is noticed by its silence, and followed again once it goes on."""
    async with connected(plain) as client:
        space = await ready_namespace(client, _name())
        async with _following(plain, space, idle_seconds=1.0) as (informer, told):
            plain.pause(Part.APISERVER)
            try:
                await eventually(lambda: informer.error is not None, "the silence to be noticed")
            finally:
                plain.resume(Part.APISERVER)
            await client.create(CONFIGMAPS, _map("later"), space)
            await eventually(lambda: ("ADDED", "later") in told, "the change after it")
            assert informer.restarts >= 1
